//! Tells a task of tokio when anything arrives at a socket.

use std::io;
use std::net;
use std::os::unix;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Handle, Id};

/// A second handle to a socket, by which a runtime watches it.
pub(super) struct Arrivals {
    watched_by: Id,
    socket: Watched,
}

enum Watched {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Arrivals {
    /// Has the runtime of this thread watch `socket`.
    pub(super) fn at_tcp(socket: &net::TcpStream) -> io::Result<Self> {
        Ok(Self::of(Watched::Tcp(TcpStream::from_std(socket.try_clone()?)?)))
    }

    /// The same for another kind of socket.
    pub(super) fn at_unix(socket: &unix::net::UnixStream) -> io::Result<Self> {
        Ok(Self::of(Watched::Unix(UnixStream::from_std(socket.try_clone()?)?)))
    }

    fn of(socket: Watched) -> Self {
        Self { watched_by: Handle::current().id(), socket }
    }

    /// Whether the runtime of this thread watches it.
    pub(super) fn is_watched_here(&self) -> bool {
        Handle::current().id() == self.watched_by
    }

    /// Waits until anything may have arrived.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.socket {
            Watched::Tcp(socket) => socket.poll_read_ready(context),
            Watched::Unix(socket) => socket.poll_read_ready(context),
        }
    }

    /// Reads by `read`. If that fails with [`WouldBlock`](io::ErrorKind::WouldBlock), the next poll waits.
    pub(super) fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.socket {
            Watched::Tcp(socket) => socket.try_io(Interest::READABLE, read),
            Watched::Unix(socket) => socket.try_io(Interest::READABLE, read),
        }
    }
}
