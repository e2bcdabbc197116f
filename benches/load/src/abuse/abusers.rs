//! Abusers at work: each is a task that does its act again and again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::net::connect;
use super::phases::{Act, Crew, Listener};
use crate::Result;
use crate::process::thread_cpu_ms;

/// So many of them begin in a second, or the first thing that they do would be a storm that is the
/// machine's to bear, and not the server's.
const BEGIN_PER_SECOND: u32 = 2_000;

/// How much longer an abuser rests who could not connect: thousands of them are told so at once.
const REST_WITHOUT: Duration = Duration::from_secs(4);

/// What abusers did, and what came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Connections.
    pub(super) opened: u64,
    pub(super) not_opened: u64,
    /// Connections that the server ended.
    pub(super) ended: u64,
    /// Bytes of bodies that nobody asked for.
    pub(super) unasked_bytes: u64,
    /// Answers that were seen, by their status.
    pub(super) answers: BTreeMap<u16, u64>,
}

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
            let to = match crew.act.listener() {
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
                tokio::task::spawn_local(abuser.go_on(begins));
            }
        }
        while !state.is_over.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(20)).await;
            state.cpu_ms.store(thread_cpu_ms(), Ordering::Relaxed);
        }
    });
    Ok(tally.take())
}

pub(super) struct Abuser {
    act: Act,
    pub(super) number: u32,
    from: Ipv4Addr,
    to: SocketAddr,
    tally: Rc<RefCell<Tally>>,
}

impl Abuser {
    async fn go_on(self, begins: Duration) {
        sleep(begins).await;
        loop {
            match self.connect().await {
                Ok(stream) => {
                    self.tally.borrow_mut().opened += 1;
                    if self.act(stream, self.act).await.is_err() {
                        self.tally.borrow_mut().ended += 1;
                    }
                }
                Err(_) => {
                    self.tally.borrow_mut().not_opened += 1;
                    sleep(REST_WITHOUT).await;
                }
            }
            sleep(self.act.rest()).await;
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let buffer = (self.act == Act::ReadSlowly).then_some(4_096);
        connect(self.from, self.to, buffer).await
    }

    /// Counts that as many bytes were sent that nobody asked for.
    pub(super) fn sent_unasked(&self, bytes: usize) {
        self.tally.borrow_mut().unasked_bytes += bytes as u64;
    }

    /// Reads what comes for as long.
    ///
    /// # Errors
    /// When the server ends the connection.
    pub(super) async fn wait(&self, stream: &TcpStream, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        while let Ok(readable) = timeout_at(until, stream.readable()).await {
            readable?;
            let mut buffer = [0; 4_096];
            match stream.try_read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.received(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Counts the answers that begin in `bytes`.
    fn received(&self, bytes: &[u8]) {
        let mut tally = self.tally.borrow_mut();
        let begins = bytes.windows(12).filter_map(|begin| begin.strip_prefix(b"HTTP/1.1 "));
        for status in begins.filter_map(|status| str::from_utf8(status).ok()?.parse().ok()) {
            *tally.answers.entry(status).or_default() += 1;
        }
    }
}
