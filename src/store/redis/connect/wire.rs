//! One blocking connection: a socket, and the protocol over it as redis-rs writes and reads it.

use std::fmt;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use redis::{
    Cmd, ConnectionLike, ErrorKind, Parser, ProtocolVersion, RedisConnectionInfo, RedisError,
    RedisResult, Value, cmd,
};

use super::server::Server;
use super::socket::Socket;
use super::time_limit::{left_until, socket_limit};
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
        wire.socket.set_write_limit(left_until(deadline)?)?;
        wire.greet(settings, deadline)?;
        wire.socket.set_write_limit(socket_limit(timeout))?;
        wire.socket.set_read_limit(socket_limit(timeout))?;
        Ok(wire)
    }

    /// Whether it is open and nothing has arrived that was not asked for.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_open && self.socket.is_quiet()
    }

    /// Sets the time limit of each later read.
    pub(crate) fn set_read_limit(&self, limit: Duration) -> RedisResult<()> {
        Ok(self.socket.set_read_limit(limit)?)
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
            self.socket.set_read_limit(left_until(deadline)?)?;
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
        self.socket.set_read_limit(left_until(deadline).ok()?).ok()?;
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
mod tests {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// A connection, and the other end of it.
    fn pair() -> (Wire, UnixStream) {
        let (socket, peer) = UnixStream::pair().expect("a pair of sockets");
        let socket = Socket::Unix(socket);
        socket.set_read_limit(Duration::from_millis(1)).expect("a limit");
        (Wire { socket, parser: Parser::new(), db: 0, is_open: true }, peer)
    }

    #[test]
    fn it_is_quiet_until_anything_arrives() {
        let (wire, mut peer) = pair();
        assert!(wire.is_quiet());
        peer.write_all(b"+").expect("a byte");
        assert!(!wire.is_quiet());
        let (wire, peer) = pair();
        drop(peer);
        assert!(!wire.is_quiet());
    }

    #[test]
    fn a_reply_that_comes_too_late_is_nobodys() {
        let (mut wire, mut peer) = pair();
        wire.send(b"x").expect("it is sent");
        assert!(wire.receive().expect_err("no reply").is_timeout());
        peer.write_all(b"+late\r\n").expect("a reply");
        assert!(wire.receive().is_err());
        assert!(wire.send(b"y").is_err());
        peer.set_nonblocking(true).expect("a socket");
        let mut sent = Vec::new();
        assert!(peer.read_to_end(&mut sent).is_err());
        assert_eq!(sent, b"x");
        assert!(!wire.is_open() && !wire.is_quiet());
    }

    #[test]
    fn a_word_that_is_no_reply_is_passed_over_and_an_error_is_one() {
        let (mut wire, mut peer) = pair();
        peer.write_all(b">2\r\n+invalidate\r\n*0\r\n-ERR no\r\n:7\r\n").expect("replies");
        let error = cmd("X").query::<u8>(&mut wire).expect_err("an error");
        assert_eq!(error.detail(), Some("no"));
        assert_eq!(cmd("Y").query::<u8>(&mut wire), Ok(7));
    }

    #[test]
    fn a_password_that_is_not_taken_is_known_by_its_words_where_it_has_no_code() {
        let of_reply = |text: &str| {
            let reply = redis::parse_redis_value(format!("-{text}\r\n").as_bytes());
            let error = reply.and_then(Value::extract_error).expect_err("an error");
            sign_in_error(&sign_in(&own()).expect("a command"), error).kind()
        };
        fn own() -> RedisConnectionInfo {
            RedisConnectionInfo::default().set_password("secret")
        }
        let without =
            "ERR AUTH <password> called without any password configured for the default user.";
        assert_eq!(of_reply(without), ErrorKind::AuthenticationFailed);
        assert_eq!(of_reply("ERR invalid password"), ErrorKind::AuthenticationFailed);
        assert_ne!(of_reply("ERR max number of clients reached"), ErrorKind::AuthenticationFailed);
    }
}
