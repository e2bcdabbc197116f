//! One blocking connection: a socket, and the protocol over it as redis-rs writes and reads it.

use std::fmt;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use redis::{
    Cmd, ConnectionLike, ErrorKind, Parser, ProtocolVersion, RedisConnectionInfo, RedisError,
    RedisResult, Value, cmd,
};

#[cfg(any(feature = "actix", feature = "tower"))]
use super::arrivals::Arrivals;
use super::server::Server;
use super::socket::Socket;
use super::time_limit::left_until;
use super::tls_mismatch::TlsMismatch;

/// The first byte of a TLS alert. No reply of Redis begins with it.
const ALERT: u8 = 0x15;

/// A connection that takes commands, until the socket or the protocol fails.
pub(crate) struct Wire {
    socket: Socket,
    parser: Parser,
    db: i64,
    is_open: bool,
}

impl Wire {
    /// Connects to `server` within `timeout`, which is also the limit of each later read and write.
    pub(super) fn connect(server: &Server, timeout: Duration) -> RedisResult<Self> {
        let deadline = Instant::now() + timeout;
        let socket = Socket::connect(server, deadline)?;
        let settings = server.info().redis_settings();
        let mut wire = Self { socket, parser: Parser::new(), db: settings.db(), is_open: true };
        wire.greet(settings, deadline)?;
        wire.socket.set_write_limit(timeout);
        wire.socket.set_read_limit(timeout);
        Ok(wire)
    }

    /// Whether it is open and nothing has arrived that was not asked for.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_open && self.socket.is_quiet()
    }

    /// Has the runtime of this thread watch what arrives.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn watch(&self) -> io::Result<Arrivals> {
        self.socket.watch()
    }

    /// Whether the last read took all that had arrived.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn is_drained(&self) -> bool {
        self.socket.is_drained()
    }

    /// Sets the time limit of each later read.
    pub(crate) fn set_read_limit(&mut self, limit: Duration) {
        self.socket.set_read_limit(limit);
    }

    /// Sends `commands`, which are packed.
    pub(crate) fn send(&mut self, commands: &[u8]) -> RedisResult<()> {
        let sent = match self.is_open {
            true => self.socket.write_all(commands).and_then(|()| self.socket.flush()),
            false => Err(io::ErrorKind::NotConnected.into()),
        };
        self.close_after(sent.map_err(RedisError::from))
    }

    /// Receives the next reply. An error that the server replies with is a reply as well.
    pub(crate) fn receive(&mut self) -> RedisResult<Value> {
        loop {
            if !self.is_open {
                return Err(io::Error::from(io::ErrorKind::NotConnected).into());
            }
            let reply = self.parser.parse_value(&mut self.socket);
            match self.close_after(reply)? {
                // The protocol lets a server send news at any time. They are no reply.
                Value::Push { .. } => {}
                reply => return Ok(reply),
            }
        }
    }

    /// Receives the next reply if it has arrived, and never waits. What has come of a reply that has not come whole is
    /// kept.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn receive_arrived(&mut self) -> RedisResult<Option<Value>> {
        self.socket.set_waits(false);
        let reply = loop {
            if !self.is_open {
                break Err(io::Error::from(io::ErrorKind::NotConnected).into());
            }
            match self.parser.parse_value(&mut self.socket) {
                Ok(Value::Push { .. }) => {}
                Ok(reply) => break Ok(Some(reply)),
                // So it is told that nothing has arrived.
                Err(error) if error.is_timeout() => break Ok(None),
                Err(error) => break self.close_after(Err(error)),
            }
        };
        self.socket.set_waits(true);
        reply
    }

    /// Signs in, selects the database, and names this client, all in one round trip.
    fn greet(&mut self, own: &RedisConnectionInfo, deadline: Instant) -> RedisResult<()> {
        let mut needed: Vec<Cmd> = Vec::new();
        needed.extend(sign_in(own));
        if own.db() != 0 {
            needed.push(cmd("SELECT").arg(own.db()).take());
        }
        // Redis knows these from 7.2 on. Before that it replies with errors, which do no harm.
        let mut name = cmd("CLIENT");
        name.arg("SETINFO").arg("LIB-NAME").arg(env!("CARGO_PKG_NAME"));
        let mut version = cmd("CLIENT");
        version.arg("SETINFO").arg("LIB-VER").arg(env!("CARGO_PKG_VERSION"));
        let mut bytes = Vec::new();
        for command in needed.iter().chain([&name, &version]) {
            command.write_packed_command(&mut bytes);
        }
        if let Err(error) = self.send(&bytes) {
            return Err(self.reason_for_hanging_up(deadline).unwrap_or(error));
        }
        let mut first_error = None;
        for number in 0..needed.len() + 2 {
            self.socket.set_read_limit(left_until(deadline)?);
            if number == 0 && !self.socket.is_tls() && self.socket.peek()? == Some(ALERT) {
                return Err(TlsMismatch::ClientWithout.as_error(io::ErrorKind::InvalidData).into());
            }
            let reply = match self.receive() {
                Ok(reply) => reply.extract_error(),
                // A server with too many clients says so and then hangs up.
                Err(error) => return Err(first_error.unwrap_or(error)),
            };
            match needed.get(number) {
                Some(command) => drop(reply.map_err(|error| sign_in_error(command, error))?),
                None if number == 0 => first_error = reply.err(),
                None => {}
            }
        }
        Ok(())
    }

    /// The reason that a server gave before it hung up, if it gave one. With TLS 1.3, a server that
    /// refuses a client's certificate says so only after the handshake.
    fn reason_for_hanging_up(&mut self, deadline: Instant) -> Option<RedisError> {
        self.socket.set_read_limit(left_until(deadline).ok()?);
        let reply = self.parser.parse_value(&mut self.socket).and_then(Value::extract_error);
        reply.err().filter(|error| !error.is_timeout() && !error.is_connection_dropped())
    }

    fn close_after<T>(&mut self, result: RedisResult<T>) -> RedisResult<T> {
        // After a failure, the next reply may belong to another command.
        self.is_open &= result.is_ok();
        result
    }
}

/// The command that signs in; `None` if there are no credentials and the protocol is the older one.
fn sign_in(own: &RedisConnectionInfo) -> Option<Cmd> {
    let user = own.username();
    if own.protocol() == ProtocolVersion::RESP2 {
        let password = own.password()?;
        let mut auth = cmd("AUTH");
        return Some(auth.arg(user).arg(password).take());
    }
    let mut hello = cmd("HELLO");
    hello.arg(3);
    if let Some(password) = own.password() {
        hello.arg("AUTH").arg(user.unwrap_or("default")).arg(password);
    }
    Some(hello)
}

/// Gives `error`, with which a server replied to `command`, the kind of a failed authentication if it
/// is one. Some servers reply to a wrong password with a general error.
fn sign_in_error(command: &Cmd, error: RedisError) -> RedisError {
    let is_auth = command.args_iter().next() == Some(redis::Arg::Simple(b"AUTH"));
    let detail = error.detail().unwrap_or_default();
    let is_of_password = detail.contains("invalid password") || detail.contains("any password");
    if is_auth && is_of_password {
        let detail = detail.to_owned();
        return (ErrorKind::AuthenticationFailed, "the password is not taken", detail).into();
    }
    error
}

impl ConnectionLike for Wire {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        self.send(command)?;
        self.receive()
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.send(commands)?;
        for _ in 0..offset {
            self.receive()?;
        }
        (0..count).map(|_| self.receive()).collect()
    }

    fn get_db(&self) -> i64 {
        self.db
    }

    fn check_connection(&mut self) -> bool {
        cmd("PING").exec(self).is_ok()
    }

    fn is_open(&self) -> bool {
        self.is_open
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
