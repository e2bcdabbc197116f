//! A steady load: many connections, each of which asks when its turn comes, whether or not the others
//! are answered. Every answer is timed, which no summary of a whole run would do.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tollgate_testkit::threads::{SetOnDrop, pause};

use crate::result::Result;

/// How often is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) connections: u32,
    /// Between two turns of one connection.
    pub(crate) interval: Duration,
}

impl Pace {
    /// So many requests a second of all connections together.
    pub(crate) fn of(connections: u32, per_second: f64) -> Self {
        let interval = Duration::from_secs_f64(f64::from(connections) / per_second);
        Self { connections, interval }
    }
}

/// Far longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(10);

const BEGUN_WITHIN: Duration = Duration::from_millis(100);

/// A stack is all that a connection takes here, and they are many.
const STACK: usize = 128 * 1024;

/// One request that was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
}

impl Answered {
    pub(crate) fn took_ms(&self) -> f64 {
        (self.ended - self.begun).as_secs_f64() * 1e3
    }
}

/// Asks the server at `address` at that pace while `meanwhile` goes on; what that returns, and every answer.
pub(crate) fn load<T>(
    address: SocketAddr,
    pace: Pace,
    meanwhile: impl FnOnce() -> T,
) -> Result<(T, Vec<Answered>)> {
    let over = AtomicBool::new(false);
    let Pace { connections: count, interval } = pace;
    // Their threads begin before.
    let first = Instant::now() + BEGUN_WITHIN;
    thread::scope(|scope| {
        let told = SetOnDrop(&over);
        let mut connections = Vec::new();
        for number in 0..count {
            let (over, turn) = (&over, first + interval * number / count);
            let asks =
                move || ask_on(address, number, turn, interval, over).map_err(|it| it.to_string());
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, asks);
            connections.push(thread?);
        }
        let result = meanwhile();
        drop(told);
        let mut answered = Vec::new();
        for connection in connections {
            answered.extend(connection.join().map_err(|_| "a connection's thread panicked")??);
        }
        Ok((result, answered))
    })
}

/// Asks at each turn until it is over.
fn ask_on(
    address: SocketAddr,
    number: u32,
    mut turn: Instant,
    interval: Duration,
    over: &AtomicBool,
) -> Result<Vec<Answered>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answered = Vec::new();
    while !over.load(Ordering::Relaxed) {
        // A turn that is late is timed from when it should have been.
        let mut begun = turn;
        if let Some(left) = turn.checked_duration_since(Instant::now()) {
            pause(left);
            begun = Instant::now();
        }
        ask(&mut stream, number)?;
        answered.push(Answered { begun, ended: Instant::now() });
        turn += interval;
    }
    Ok(answered)
}

/// Sends a request of a client of this connection, and reads the answer, which must admit it.
fn ask(stream: &mut TcpStream, client: u32) -> Result<()> {
    let request =
        format!("GET /api/data HTTP/1.1\r\nhost: localhost\r\nx-client: {client}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(b"\"Here is your data!\"}") {
        let length = stream.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..length]);
        if length == 0 || !answer.starts_with(&b"HTTP/1.1 200"[..answer.len().min(12)]) {
            let answer = String::from_utf8_lossy(&answer);
            let line = answer.lines().next().unwrap_or("the connection was closed");
            return Err(format!("a client was not admitted: {line}").into());
        }
    }
    Ok(())
}
