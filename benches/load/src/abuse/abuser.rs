//! An abuser: who it is, and what it counts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::net::connect;
use super::phases::Act;

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

/// One of them.
pub(super) struct Abuser {
    pub(super) act: Act,
    pub(super) number: u32,
    pub(super) from: Ipv4Addr,
    pub(super) to: SocketAddr,
    /// Of all of them.
    pub(super) tally: Rc<RefCell<Tally>>,
}

impl Abuser {
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
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
