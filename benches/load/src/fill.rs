//! Charges many clients once each, over a few connections that carry many requests at a time.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::result::Result;

/// How many requests are under way at a time: as many as actix-web reads ahead.
const AHEAD: u64 = 16;

const CONNECTIONS: u64 = 32;

/// Sends one request of each of the clients `1..=keys`.
pub(crate) fn fill(address: SocketAddr, keys: u64) -> Result<()> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let mut next = 1;
    while next <= keys {
        let mut waiting = Vec::new();
        for stream in &mut streams {
            let last = keys.min(next + AHEAD - 1);
            let mut requests = String::new();
            for client in next..=last {
                let _ = write!(
                    requests,
                    "GET /api/data HTTP/1.1\r\nhost: localhost\r\nx-client: {client}\r\n\r\n"
                );
            }
            stream.write_all(requests.as_bytes())?;
            waiting.push((last + 1).saturating_sub(next));
            next = last + 1;
        }
        for (stream, answers) in streams.iter_mut().zip(waiting) {
            read(stream, answers)?;
        }
    }
    Ok(())
}

/// Reads as many answers, each of which must admit.
fn read(stream: &mut TcpStream, answers: u64) -> Result<()> {
    const ADMITTED: &str = "HTTP/1.1 200 ";
    const END: &str = "\"Here is your data!\"}";
    let mut text = String::new();
    let mut buffer = [0; 16 * 1024];
    while (text.matches(END).count() as u64) < answers {
        let length = stream.read(&mut buffer)?;
        text += std::str::from_utf8(&buffer[..length])?;
        if length == 0 || text.matches("HTTP/1.1 ").count() != text.matches(ADMITTED).count() {
            let status = |line: &&str| line.starts_with("HTTP/1.1 ") && !line.starts_with(ADMITTED);
            let line = text.lines().find(status).unwrap_or("the connection was closed");
            return Err(format!("a client was not admitted: {line}").into());
        }
    }
    Ok(())
}
