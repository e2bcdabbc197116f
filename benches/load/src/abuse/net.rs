//! Connections over loopback, each from an address of its choice.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

/// What a server answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Whether the connection is closed after it.
    pub(super) is_last: bool,
}

/// Connects to `to` from the address `from`, with as many bytes of the system's buffer for what comes.
pub(super) async fn connect(
    from: Ipv4Addr,
    to: SocketAddr,
    buffer: Option<u32>,
) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Ports of connections that were closed a moment ago may be had again.
    socket.set_reuseaddr(true)?;
    if let Some(bytes) = buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(SocketAddr::new(from.into(), 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads one answer, with its body.
pub(super) async fn answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(length) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break length + 4;
        }
        read_more(stream, &mut bytes).await?;
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    let length: usize = field("content-length:").and_then(|it| it.parse().ok()).unwrap_or(0);
    let is_last = field("connection:") == Some("close");
    while bytes.len() < head + length {
        read_more(stream, &mut bytes).await?;
    }
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Answer { status, is_last })
}

async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
