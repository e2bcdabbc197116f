//! Sockets: they are connected within a time limit, and can be checked before they are used again.
//!
//! redis-rs has connections of its own, but hides their sockets. With those, the only way to see that
//! a server has closed a connection is to send a request and lose it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use redis::ConnectionAddr;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, recv, sockopt};
#[cfg(feature = "tls")]
use rustls::{ClientConnection, StreamOwned};

#[cfg(any(feature = "actix", feature = "tower"))]
use super::arrivals::Arrivals;
use super::server::Server;
use super::time_limit::left_until;
use super::timed::Timed;

/// The shortest keepalive time: the kernel counts in whole seconds.
const LEAST_KEEPALIVE: Duration = Duration::from_secs(1);

/// How many unanswered keepalive probes end a connection.
const KEEPALIVE_PROBES: u32 = 3;

/// A connected socket.
pub(crate) enum Socket {
    Tcp(Timed<TcpStream>),
    Unix(Timed<UnixStream>),
    #[cfg(feature = "tls")]
    Tls(Box<StreamOwned<ClientConnection, Timed<TcpStream>>>),
}

impl Socket {
    /// Connects to `server` by `deadline`, TLS included. Reads and writes then wait for as long as was left.
    pub(crate) fn connect(server: &Server, deadline: Instant) -> io::Result<Self> {
        let timed = |tcp| Timed::new(tcp, left_until(deadline)?);
        match server.info().addr() {
            ConnectionAddr::Unix(path) => {
                Ok(Self::Unix(Timed::new(UnixStream::connect(path)?, left_until(deadline)?)?))
            }
            ConnectionAddr::TcpTls { host, port, .. } => {
                let tcp = tcp(host, *port, server.idle_timeout(), deadline)?;
                #[cfg(feature = "tls")]
                if let Some(tls) = server.tls() {
                    let StreamOwned { conn, sock } = tls.greet(host, tcp, deadline)?;
                    return Ok(Self::Tls(Box::new(StreamOwned::new(conn, timed(sock)?))));
                }
                // A build without TLS refuses such a URL earlier.
                drop(tcp);
                Err(ErrorKind::Unsupported.into())
            }
            ConnectionAddr::Tcp(host, port) => {
                Ok(Self::Tcp(timed(tcp(host, *port, server.idle_timeout(), deadline)?)?))
            }
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Whether nothing has arrived: no end of the connection, no error, and no data that nobody asked
    /// for. It never waits.
    pub(crate) fn is_quiet(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(recv(self, &mut [0_u8], flags), Err(Errno::AGAIN))
    }

    /// Waits for the next byte and returns it without consuming it; `None` at the end.
    pub(crate) fn peek(&self) -> io::Result<Option<u8>> {
        match self {
            Self::Tcp(socket) => socket.wait_to_read(),
            Self::Unix(socket) => socket.wait_to_read(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.sock.wait_to_read(),
        }?;
        let mut byte = [0_u8];
        let (_, read) = retry_on_intr(|| recv(self, &mut byte, RecvFlags::PEEK))?;
        Ok((read > 0).then_some(byte[0]))
    }

    pub(crate) fn is_tls(&self) -> bool {
        !matches!(self, Self::Tcp(_) | Self::Unix(_))
    }

    /// Sets the time limit of each later read.
    pub(crate) fn set_read_limit(&mut self, limit: Duration) {
        match self {
            Self::Unix(socket) => socket.set_read_limit(limit),
            Self::Tcp(socket) => socket.set_read_limit(limit),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.sock.set_read_limit(limit),
        }
    }

    /// Sets the time limit of each later write.
    pub(crate) fn set_write_limit(&mut self, limit: Duration) {
        match self {
            Self::Unix(socket) => socket.set_write_limit(limit),
            Self::Tcp(socket) => socket.set_write_limit(limit),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.sock.set_write_limit(limit),
        }
    }

    /// Sets whether later reads wait for anything to arrive.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn set_waits(&mut self, waits: bool) {
        match self {
            Self::Unix(socket) => socket.set_waits(waits),
            Self::Tcp(socket) => socket.set_waits(waits),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.sock.set_waits(waits),
        }
    }

    /// Whether the last read took all that had arrived.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn is_drained(&self) -> bool {
        match self {
            Self::Unix(socket) => socket.is_drained(),
            Self::Tcp(socket) => socket.is_drained(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.sock.is_drained(),
        }
    }

    /// Has the runtime of this thread watch it.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn watch(&self) -> io::Result<Arrivals> {
        match self {
            Self::Unix(socket) => Arrivals::at_unix(socket.socket()),
            Self::Tcp(socket) => Arrivals::at_tcp(socket.socket()),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Arrivals::at_tcp(stream.sock.socket()),
        }
    }
}

/// Connects by `deadline` to the first address of `host` that accepts. Addresses that do not answer
/// share the time that is left.
pub(crate) fn tcp(
    host: &str,
    port: u16,
    idle: Duration,
    deadline: Instant,
) -> io::Result<TcpStream> {
    let addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    let mut failure = io::Error::new(ErrorKind::NotFound, "its name has no address");
    for (number, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - number).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, left_until(deadline)? / others) {
            Ok(socket) => {
                // Without this, the kernel delays a small batch until the last one is acknowledged.
                socket.set_nodelay(true)?;
                keep_alive(&socket, idle)?;
                return Ok(socket);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Turns on the kernel's keepalive probes, so that a connection may idle for `idle`. The probes keep
/// it alive in firewalls on the way, and find out in that time that a server has vanished.
fn keep_alive(socket: &TcpStream, idle: Duration) -> io::Result<()> {
    let begin = (idle / 3).max(LEAST_KEEPALIVE);
    let interval = (idle / 6).max(LEAST_KEEPALIVE);
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, begin)?;
    sockopt::set_tcp_keepintvl(socket, interval)?;
    sockopt::set_tcp_keepcnt(socket, KEEPALIVE_PROBES)?;
    Ok(())
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.socket().as_fd(),
            Self::Unix(socket) => socket.socket().as_fd(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.sock.socket().as_fd(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            Self::Unix(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Unix(socket) => socket.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.flush(),
            Self::Unix(socket) => socket.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.flush(),
        }
    }
}
