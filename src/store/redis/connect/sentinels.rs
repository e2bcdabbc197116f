//! Sentinels, which know the server that is the primary at present.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::{
    ConnectionInfo, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, cmd,
};

use super::server::Server;
use super::settings::ConnectSettings;
use super::wire::Wire;

/// The text of an error: a sentinel knows no primary of the given name.
pub(crate) const NOT_NAMED: &str = "the sentinel knows no primary of that name";
/// The text of an error: the server that a sentinel named is a replica.
pub(crate) const NOT_YET: &str = "the server is a replica, not yet the primary";

/// The sentinels of one primary.
///
/// redis-rs has a client for sentinels, too. But it sets no time limit while it waits for a sentinel
/// or for the role of a server.
pub(crate) struct Sentinels {
    servers: Vec<Server>,
    /// What they call the primary.
    name: String,
    /// The settings of connections to the primary.
    primary: RedisConnectionInfo,
    /// The sentinel to ask first: the one that knew the primary last time.
    first: AtomicUsize,
}

impl Sentinels {
    pub(super) fn new(
        sentinels: &[ConnectionInfo],
        name: &str,
        primary: &RedisConnectionInfo,
        settings: &ConnectSettings,
    ) -> RedisResult<Self> {
        let servers = sentinels.iter().map(|info| Server::new(info.clone(), settings));
        Ok(Self {
            servers: servers.collect::<RedisResult<_>>()?,
            name: name.to_owned(),
            primary: primary.clone(),
            first: AtomicUsize::new(0),
        })
    }

    #[cfg(feature = "tls")]
    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Connects to the first primary that a sentinel names and that says itself that it is one.
    pub(super) fn connect(&self, timeout: Duration) -> RedisResult<Wire> {
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "no sentinel"));
        for step in 0..self.servers.len() {
            let number = (first + step) % self.servers.len();
            let sentinel = &self.servers[number];
            match self.ask(sentinel, timeout).and_then(|named| connect_to_primary(&named, timeout))
            {
                Ok(connection) => {
                    self.first.store(number, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Asks `sentinel` for the primary.
    fn ask(&self, sentinel: &Server, timeout: Duration) -> RedisResult<Server> {
        let mut connection = Wire::connect(sentinel, timeout)?;
        let mut ask = cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(&self.name);
        let known: Option<(String, u16)> = ask.query(&mut connection)?;
        let (host, port) = known
            .ok_or_else(|| RedisError::from((ErrorKind::Client, NOT_NAMED, self.name.clone())))?;
        Ok(sentinel.at(host, port, self.primary.clone()))
    }
}

/// Connects to `server`, unless it says that it is a replica.
fn connect_to_primary(server: &Server, timeout: Duration) -> RedisResult<Wire> {
    let mut connection = Wire::connect(server, timeout)?;
    match cmd("ROLE").query::<Vec<redis::Value>>(&mut connection) {
        Ok(role) if role.first() == Some(&redis::Value::BulkString(b"master".to_vec())) => {
            Ok(connection)
        }
        Ok(_) => Err((ErrorKind::Client, NOT_YET).into()),
        // The user may not run ROLE. A replica refuses the first write, so nothing is lost.
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => Ok(connection),
        Err(error) => Err(error),
    }
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinels").field("name", &self.name).finish_non_exhaustive()
    }
}
