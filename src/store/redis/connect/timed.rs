//! Sockets whose reads and writes wait no longer than a time limit, or not at all.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};

use super::time_limit::left_until;

/// A socket with time limits of its own. The kernel's limits would count in ticks of some milliseconds, and a reactor
/// can only watch a socket that does not block.
pub(super) struct Timed<S> {
    socket: S,
    read_limit: Duration,
    write_limit: Duration,
    /// Whether reads wait.
    waits: bool,
    /// Whether the last read took all that had arrived.
    is_drained: bool,
}

impl<S: AsFd> Timed<S> {
    /// The connected `socket`, whose reads and writes each wait for `limit` at most.
    pub(super) fn new(socket: S, limit: Duration) -> io::Result<Self> {
        ioctl_fionbio(&socket, true)?;
        Ok(Self { socket, read_limit: limit, write_limit: limit, waits: true, is_drained: true })
    }

    pub(super) fn socket(&self) -> &S {
        &self.socket
    }

    pub(super) fn set_read_limit(&mut self, limit: Duration) {
        self.read_limit = limit;
    }

    pub(super) fn set_write_limit(&mut self, limit: Duration) {
        self.write_limit = limit;
    }

    /// Sets whether reads wait. Those that do not fail with [`WouldBlock`](ErrorKind::WouldBlock).
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn set_waits(&mut self, waits: bool) {
        self.waits = waits;
    }

    /// Whether the last read took all that had arrived: the buffer had room for more.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn is_drained(&self) -> bool {
        self.is_drained
    }

    /// Waits until something can be read.
    pub(super) fn wait_to_read(&self) -> io::Result<()> {
        wait(self.socket.as_fd(), PollFlags::IN, self.read_limit)
    }
}

/// Waits for `flags` of `socket`.
fn wait(socket: BorrowedFd<'_>, flags: PollFlags, limit: Duration) -> io::Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let left = Timespec::try_from(left_until(deadline)?).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&socket, flags)], Some(&left)) {
            Ok(0) => return Err(ErrorKind::TimedOut.into()),
            // The next call tells what is wrong with the socket, if anything is.
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl<S: AsFd + Read> Read for Timed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.waits {
                self.wait_to_read()?;
            }
            match self.socket.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.waits => {}
                read => {
                    self.is_drained = read.as_ref().is_ok_and(|it| *it < buffer.len());
                    return read;
                }
            }
        }
    }
}

impl<S: AsFd + Write> Write for Timed<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.socket.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(self.socket.as_fd(), PollFlags::OUT, self.write_limit)?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[cfg(any(feature = "actix", feature = "tower"))]
    #[test]
    fn a_read_waits_for_its_limit_or_not_at_all() {
        let (socket, mut peer) = UnixStream::pair().expect("a pair of sockets");
        let mut socket = Timed::new(socket, Duration::from_millis(1)).expect("a socket");
        let mut buffer = [0; 2];
        let error = socket.read(&mut buffer).expect_err("nothing has come");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        socket.set_waits(false);
        let error = socket.read(&mut buffer).expect_err("nothing has come");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        peer.write_all(b"abc").expect("bytes");
        assert_eq!(socket.read(&mut buffer).expect("they have come"), 2);
        assert!(!socket.is_drained());
        assert_eq!(socket.read(&mut buffer).expect("it has come"), 1);
        assert!(socket.is_drained());
    }

    #[test]
    fn a_write_waits_for_its_limit_while_nobody_reads() {
        let (socket, mut peer) = UnixStream::pair().expect("a pair of sockets");
        let mut socket = Timed::new(socket, Duration::from_millis(1)).expect("a socket");
        let much = vec![0; 16 * 1024 * 1024];
        assert_eq!(socket.write_all(&much).expect_err("full").kind(), ErrorKind::TimedOut);
        peer.read_exact(&mut vec![0; 4096]).expect("bytes");
        peer.set_nonblocking(true).expect("a socket");
        while peer.read(&mut [0; 65536]).is_ok() {}
        assert_eq!(socket.write(b"more").expect("there is room"), 4);
    }
}
