//! Honest clients: each has an address of its own, and asks at a steady pace, whether or not the others
//! are answered. Every answer is timed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::net::{Answer, answer, connect};
use crate::result::Result;

/// Clients that keep their connections, as applications do.
const KEEPING: u32 = 48;

/// Clients that connect anew for each request, as scripts do.
const CONNECTING: u32 = 12;

/// Between two requests of a client: all of them together are 300 requests a second, which leaves most
/// of two cores to the abusers.
const INTERVAL: Duration = Duration::from_millis(200);

/// Between two calls of an operator.
const OPERATORS_INTERVAL: Duration = Duration::from_millis(500);

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Keeping,
    Connecting,
    /// Asks the admin listener whether the process is ready.
    Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Served,
    /// Answered, but not with 200.
    Refused(u16),
    /// Not answered.
    Lost(String),
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) who: Who,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    pub(super) outcome: Outcome,
    /// Whether the connection had been closed meanwhile, and the client had to open another.
    pub(super) reopened: bool,
}

/// The honest clients of a server, who ask until they are told to stop.
#[derive(Debug)]
pub(super) struct Honest {
    thread: JoinHandle<io::Result<()>>,
    over: Arc<AtomicBool>,
    asked: Receiver<Asked>,
}

impl Honest {
    /// Lets them ask the app, and an operator the admin listener, where there is one.
    pub(super) fn start(app: SocketAddr, admin: Option<SocketAddr>) -> Self {
        let (sender, asked) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let until = over.clone();
        let thread = thread::spawn(move || ask_all(app, admin, &sender, &until));
        Self { thread, over, asked }
    }

    /// Ends it; all that was asked.
    pub(super) fn finish(self) -> Result<Vec<Asked>> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the honest clients' thread panicked")??;
        Ok(self.asked.try_iter().collect())
    }
}

fn ask_all(
    app: SocketAddr,
    admin: Option<SocketAddr>,
    asked: &Sender<Asked>,
    over: &AtomicBool,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let first = Instant::now() + INTERVAL;
        let all = KEEPING + CONNECTING;
        for number in 0..all {
            // Evenly among each other.
            let who = if number % (all / CONNECTING) == 0 { Who::Connecting } else { Who::Keeping };
            let client = Client::new(who, address(number), app);
            let turn = first + INTERVAL * number / all;
            tokio::task::spawn_local(client.go_on(turn, INTERVAL, asked.clone()));
        }
        if let Some(admin) = admin {
            let operator = Client::new(Who::Operator, address(all), admin);
            tokio::task::spawn_local(operator.go_on(first, OPERATORS_INTERVAL, asked.clone()));
        }
        while !over.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(20)).await;
        }
    });
    Ok(())
}

/// 127.0.1.1 and on.
fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 1).to_bits() + number)
}

struct Client {
    who: Who,
    from: Ipv4Addr,
    to: SocketAddr,
    stream: Option<TcpStream>,
    reopened: bool,
}

impl Client {
    fn new(who: Who, from: Ipv4Addr, to: SocketAddr) -> Self {
        Self { who, from, to, stream: None, reopened: false }
    }

    async fn go_on(mut self, mut turn: Instant, interval: Duration, asked: Sender<Asked>) {
        loop {
            // A turn that is late is timed from when it should have been.
            let mut begun = turn;
            if turn > Instant::now() {
                sleep_until(turn.into()).await;
                begun = Instant::now();
            }
            self.reopened = false;
            let outcome = match timeout(PATIENCE, self.ask()).await {
                Ok(Ok(200)) => Outcome::Served,
                Ok(Ok(status)) => Outcome::Refused(status),
                Ok(Err(error)) => Outcome::Lost(error.to_string()),
                Err(_) => Outcome::Lost(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            let (who, reopened) = (self.who, self.reopened);
            let one = Asked { who, begun, ended: Instant::now(), outcome, reopened };
            if asked.send(one).is_err() {
                return;
            }
            turn += interval;
        }
    }

    /// Asks once, over the connection that is open. Where the server has closed that, it asks over a new
    /// one, as every client does.
    async fn ask(&mut self) -> io::Result<u16> {
        if let Some(stream) = self.stream.take() {
            match self.ask_over(stream).await {
                Ok(status) => return Ok(status),
                Err(_) => self.reopened = true,
            }
        }
        let stream = connect(self.from, self.to, None).await?;
        self.ask_over(stream).await
    }

    async fn ask_over(&mut self, mut stream: TcpStream) -> io::Result<u16> {
        let path = if self.who == Who::Operator { "/ready" } else { "/api/data" };
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let Answer { status, is_last } = answer(&mut stream).await?;
        if self.who == Who::Keeping && !is_last {
            self.stream = Some(stream);
        }
        Ok(status)
    }
}
