//! The TLS handshake, within a time limit.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::store::redis::connect::time_limit::left_until;
use crate::store::redis::connect::tls_mismatch::TlsMismatch;

/// Makes the TLS handshake over `tcp` by `deadline`. The server must prove to be `host`.
pub(super) fn shake_hands(
    config: Arc<ClientConfig>,
    host: &str,
    mut tcp: TcpStream,
    deadline: Instant,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    let mut tls = ClientConnection::new(config, name).map_err(of_rustls)?;
    let mut limited = Limited { tcp: &mut tcp, deadline, has_heard: false };
    while tls.is_handshaking() {
        if let Err(error) = tls.complete_io(&mut limited) {
            // A Redis without TLS says nothing: it waits for the end of what it takes for a command.
            let is_silent = error.kind() == ErrorKind::TimedOut && !limited.has_heard;
            return Err(if is_silent {
                TlsMismatch::ServerSilent.as_error(error.kind())
            } else {
                error
            });
        }
    }
    Ok(StreamOwned::new(tls, tcp))
}

/// Whether the server at the other end of `tcp` answers a greeting by TLS, with whatever answer.
pub(super) fn is_understood(
    config: Arc<ClientConfig>,
    host: &str,
    tcp: TcpStream,
    deadline: Instant,
) -> bool {
    let error = match shake_hands(config, host, tcp, deadline) {
        Ok(_) => return true,
        Err(error) => error,
    };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.is_some_and(|error| !matches!(error, rustls::Error::InvalidMessage(_)))
}

/// Wraps an error of rustls in one of the operating system, as rustls itself does.
fn of_rustls(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// A socket whose reads and writes end by the deadline.
struct Limited<'a> {
    tcp: &'a mut TcpStream,
    deadline: Instant,
    /// Whether the other side has sent anything.
    has_heard: bool,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(left_until(self.deadline)?))?;
        let read = self.tcp.read(buffer).map_err(timed_out)?;
        self.has_heard |= read > 0;
        Ok(read)
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(left_until(self.deadline)?))?;
        self.tcp.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// When its time limit passes, a socket reports that it would block.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}
