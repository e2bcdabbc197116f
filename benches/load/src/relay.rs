//! A relay that makes the way between an app and Redis longer: what comes in goes on a set time later,
//! in either direction.
//!
//! It is a process of its own, so that what it takes of the machine can be told. One thread carries
//! each connection. It waits at once for what comes and for when the next bytes are due, and has the
//! kernel wake it on time to a few microseconds, where a timer of tokio's would be as coarse as the delay.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::thread::set_current_timer_slack;
use tollgate_testkit::port::free_address;
use tollgate_testkit::process::{Process, bound};

use crate::result::Result;

/// As much as Redis reads at a time.
const CHUNK: usize = 16 * 1024;

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    listen: SocketAddr,
    /// Where it goes on to
    #[arg(long)]
    to: SocketAddr,
    /// How much later, each way
    #[arg(long)]
    delay_us: u64,
}

/// One that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) process: Process,
    /// As Redis is reached through it.
    pub(crate) url: String,
}

impl Relay {
    /// Starts one to a Redis on `port`.
    pub(crate) fn start(port: u16, delay: Duration) -> Result<Self> {
        let listen = free_address();
        let mut command = bound(&std::env::current_exe()?);
        command.args(["relay", "--listen", &listen.to_string()]);
        command.args(["--to", &format!("127.0.0.1:{port}")]);
        command.args(["--delay-us", &delay.as_micros().to_string()]);
        let mut process = Process::start(command);
        process.until_it_listens(listen);
        Ok(Self { process, url: format!("redis://{listen}/0") })
    }
}

/// Relays until the process is ended.
pub(crate) fn run(options: &Options) -> Result<()> {
    let delay = Duration::from_micros(options.delay_us);
    for client in TcpListener::bind(options.listen)?.incoming() {
        let (client, server) = (client?, TcpStream::connect(options.to)?);
        thread::spawn(move || {
            if let Err(error) = carry(&client, &server, delay) {
                eprintln!("relay: {error}");
            }
        });
    }
    Ok(())
}

/// Carries one connection until either end closes it.
fn carry(client: &TcpStream, server: &TcpStream, delay: Duration) -> Result<()> {
    // Else the kernel may wake this thread 50 µs late, to wake it together with others.
    set_current_timer_slack(NonZeroU64::new(1))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut ways = [Way::new(client, server, delay), Way::new(server, client, delay)];
    loop {
        for way in &mut ways {
            way.send_what_is_due()?;
        }
        let due = ways.iter().filter_map(Way::next_due).min();
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        let timeout = left.map(Timespec::try_from).transpose()?;
        let mut waits = ways.each_ref().map(|way| PollFd::new(way.from, PollFlags::IN));
        poll(&mut waits, timeout.as_ref())?;
        let has_come = waits.map(|it| !it.revents().is_empty());
        for (way, has_come) in ways.iter_mut().zip(has_come) {
            if has_come && !way.receive()? {
                return Ok(());
            }
        }
    }
}

/// One direction of a connection.
struct Way<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    delay: Duration,
    /// What has come, and when each part is due.
    under_way: VecDeque<(Instant, Vec<u8>)>,
}

impl<'a> Way<'a> {
    fn new(from: &'a TcpStream, to: &'a TcpStream, delay: Duration) -> Self {
        Self { from, to, delay, under_way: VecDeque::new() }
    }

    /// Takes in what has come. Returns whether the connection goes on.
    fn receive(&mut self) -> Result<bool> {
        let due = Instant::now() + self.delay;
        let mut part = vec![0; CHUNK];
        let length = self.from.read(&mut part)?;
        part.truncate(length);
        self.under_way.push_back((due, part));
        Ok(length > 0)
    }

    fn next_due(&self) -> Option<Instant> {
        self.under_way.front().map(|(due, _)| *due)
    }

    fn send_what_is_due(&mut self) -> Result<()> {
        while self.next_due().is_some_and(|due| due <= Instant::now()) {
            if let Some((_, part)) = self.under_way.pop_front() {
                self.to.write_all(&part)?;
            }
        }
        Ok(())
    }
}
