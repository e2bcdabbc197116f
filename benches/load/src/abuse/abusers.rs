//! Abusers at work: each is a task that does its act again and again.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::sleep;
use tollgate_testkit::procfs::thread_cpu_ms;

use super::abuser::{Abuser, Tally};
use super::acts;
use super::phases::{Crew, Listener};
use crate::result::Result;

/// So many of them begin in a second, or the first thing that they do would be a storm that is the
/// machine's to bear, and not the server's.
const BEGIN_PER_SECOND: u32 = 2_000;

/// How much longer an abuser rests who could not connect: thousands of them are told so at once.
const REST_WITHOUT: Duration = Duration::from_secs(4);

/// The abusers of a phase.
#[derive(Debug)]
pub(super) struct Abusers {
    thread: JoinHandle<io::Result<Tally>>,
    state: Arc<State>,
}

/// What their thread is told, and tells.
#[derive(Debug, Default)]
struct State {
    is_over: AtomicBool,
    /// Milliseconds of CPU so far.
    cpu_ms: AtomicU64,
}

impl Abusers {
    pub(super) fn start(crews: Vec<Crew>, app: SocketAddr, admin: Option<SocketAddr>) -> Self {
        let state = Arc::<State>::default();
        let shared = state.clone();
        let thread = thread::spawn(move || work(&crews, app, admin, &shared));
        Self { thread, state }
    }

    /// The seconds of CPU that they have used so far.
    pub(super) fn cpu(&self) -> f64 {
        self.state.cpu_ms.load(Ordering::Relaxed) as f64 / 1e3
    }

    /// Ends their work, and all of their connections.
    pub(super) fn finish(self) -> Result<Tally> {
        self.state.is_over.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| "the abusers' thread panicked")??)
    }
}

fn work(
    crews: &[Crew],
    app: SocketAddr,
    admin: Option<SocketAddr>,
    state: &State,
) -> io::Result<Tally> {
    let tally = Rc::new(RefCell::new(Tally::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        for crew in crews {
            let to = match acts::listener(crew.act) {
                Listener::App => app,
                Listener::Admin => match admin {
                    Some(admin) => admin,
                    None => continue,
                },
            };
            for number in 0..crew.count {
                let from = crew.from.address(number);
                let abuser = Abuser { act: crew.act, number, from, to, tally: tally.clone() };
                let begins = Duration::from_secs(1) * number / BEGIN_PER_SECOND;
                tokio::task::spawn_local(go_on(abuser, begins));
            }
        }
        while !state.is_over.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(20)).await;
            state.cpu_ms.store(thread_cpu_ms(), Ordering::Relaxed);
        }
    });
    Ok(tally.take())
}

/// Does its act over one connection after the other.
async fn go_on(abuser: Abuser, begins: Duration) {
    sleep(begins).await;
    loop {
        match abuser.connect().await {
            Ok(stream) => {
                abuser.tally.borrow_mut().opened += 1;
                if acts::act(&abuser, stream).await.is_err() {
                    abuser.tally.borrow_mut().ended += 1;
                }
            }
            Err(_) => {
                abuser.tally.borrow_mut().not_opened += 1;
                sleep(REST_WITHOUT).await;
            }
        }
        sleep(acts::rest(abuser.act)).await;
    }
}
