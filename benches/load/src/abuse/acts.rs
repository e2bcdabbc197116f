//! What an abuser does with a connection.

use std::io;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::abuser::Abuser;
use super::malformed;
use super::phases::{Act, Before, Framing, Listener};

/// Requests that are sent without reading: their answers are far more than the buffers of both ends
/// take, which is more than a megabyte over loopback.
const PIPELINED: usize = 20_000;

/// Fields that nginx takes, of at most 8 KiB each, and which together make less than 32 KiB.
const LARGE_FIELDS: usize = 4;
const LARGE_FIELD_BYTES: usize = 7_000;

/// Between two bytes.
const SLOWLY: Duration = Duration::from_secs(4);

/// Longer than any phase.
const FOR_EVER: Duration = Duration::from_secs(86_400);

const GIGABYTE: usize = 1 << 30;

/// A part of a body that nobody asked for, and how long the abuser waits after it: it would use up the
/// cores otherwise, where all of it is taken.
const UNASKED_PART: usize = 64 * 1_024;
const UNASKED_EVERY: Duration = Duration::from_millis(20);

/// Which listener an act is for.
pub(super) fn listener(act: Act) -> Listener {
    match act {
        Act::Pipeline { to, .. } | Act::Silent { to } => to,
        _ => Listener::App,
    }
}

/// How long an abuser waits before it begins anew.
pub(super) fn rest(act: Act) -> Duration {
    match act {
        Act::Reset | Act::AskOnce | Act::BodyUnasked { .. } => Duration::from_millis(500),
        _ => Duration::from_secs(1),
    }
}

/// Does what the abuser does, over `stream`.
///
/// # Errors
/// When the server ends the connection.
pub(super) async fn act(abuser: &Abuser, mut stream: TcpStream) -> io::Result<()> {
    match abuser.act {
        Act::Pipeline { path, .. } => pipeline(&mut stream, path).await,
        Act::ReadSlowly => read_slowly(&stream).await,
        Act::HeadSlowly { after } => {
            if after == Before::GoodRequest {
                stream.write_all(get("/api/data").as_bytes()).await?;
            }
            let mut start = "GET /api/data HTTP/1.1\r\nhost: localhost\r\n".to_owned();
            if after == Before::LargePart {
                start += &format!("x: {}\r\n", "a".repeat(LARGE_FIELD_BYTES)).repeat(LARGE_FIELDS);
            }
            stream.write_all(start.as_bytes()).await?;
            loop {
                abuser.wait(&stream, SLOWLY).await?;
                stream.write_all(b"a").await?;
            }
        }
        Act::BodySlowly { framing } => {
            let (field, part): (_, &[u8]) = match framing {
                Framing::ContentLength => ("content-length: 100000", b"a"),
                Framing::Chunked => ("transfer-encoding: chunked", b"1\r\na\r\n"),
            };
            stream.write_all(head("GET", "/api/data", field).as_bytes()).await?;
            loop {
                stream.write_all(part).await?;
                abuser.wait(&stream, SLOWLY).await?;
            }
        }
        Act::BodyUnasked { path, expects } => send_unasked(abuser, stream, path, expects).await,
        Act::Silent { .. } => abuser.wait(&stream, FOR_EVER).await,
        Act::Reset => Ok(set_socket_linger(&stream, Some(Duration::ZERO))?),
        Act::AskOnce => {
            stream.write_all(get("/api/data").as_bytes()).await?;
            abuser.wait(&stream, Duration::from_millis(500)).await
        }
        Act::Malformed => {
            stream.write_all(&malformed::request(abuser.number)).await?;
            abuser.wait(&stream, 2 * SLOWLY).await
        }
    }
}

async fn send_unasked(
    abuser: &Abuser,
    mut stream: TcpStream,
    path: &str,
    expects: bool,
) -> io::Result<()> {
    let expect = if expects { "\r\nexpect: 100-continue" } else { "" };
    let fields = format!("transfer-encoding: chunked{expect}");
    stream.write_all(head("POST", path, &fields).as_bytes()).await?;
    if expects {
        abuser.wait(&stream, Duration::from_millis(200)).await?;
    }
    let part = [format!("{UNASKED_PART:x}\r\n").into_bytes(), vec![b'a'; UNASKED_PART]];
    let part = [part.concat(), b"\r\n".to_vec()].concat();
    for _ in 0..GIGABYTE / UNASKED_PART {
        stream.write_all(&part).await?;
        abuser.sent_unasked(UNASKED_PART);
        abuser.wait(&stream, UNASKED_EVERY).await?;
    }
    Ok(())
}
async fn pipeline(stream: &mut TcpStream, path: &str) -> io::Result<()> {
    const AT_ONCE: usize = 200;
    let requests = get(path).repeat(AT_ONCE);
    for _ in 0..PIPELINED / AT_ONCE {
        stream.write_all(requests.as_bytes()).await?;
    }
    loop {
        // To see whether the connection is there still takes a byte that says nothing.
        match stream.try_write(b"\r\n") {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => sleep(Duration::from_secs(1)).await,
        }
    }
}

async fn read_slowly(stream: &TcpStream) -> io::Result<()> {
    let requests = get("/api/data").repeat(PIPELINED);
    let mut left = requests.as_bytes();
    loop {
        while !left.is_empty() {
            match stream.try_write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        sleep(SLOWLY).await;
        match stream.try_read(&mut [0]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

fn head(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n\r\n")
}
