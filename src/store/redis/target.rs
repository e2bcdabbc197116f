//! Where connections go: to one server, or to whichever the sentinels name.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, Connection, ConnectionAddr, ConnectionInfo, ErrorKind, RedisConnectionInfo, RedisError,
    RedisResult, ServerErrorKind, cmd,
};

use super::RedisOptions;
use super::url::is_tls;

/// Why the sentinels are of no help, as an error says it.
pub(super) const NOT_NAMED: &str = "the sentinel knows no primary of that name";
pub(super) const NOT_YET: &str = "the server is a replica, not yet the primary";

/// The kernel counts a socket's time in ticks, of 4 ms mostly, and waits for up to two more.
const ROUNDED_UP: Duration = Duration::from_millis(8);

/// Who connects, and to whom.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Server(Box<Client>),
    Primary(Arc<Sentinels>),
}

impl Target {
    pub(super) fn server(info: ConnectionInfo, options: &RedisOptions) -> RedisResult<Self> {
        client(info, options).map(|client| Self::Server(Box::new(client)))
    }

    /// Whichever server the sentinels say is the primary called `name`.
    pub(super) fn primary(
        sentinels: &[ConnectionInfo],
        name: &str,
        primary: &RedisConnectionInfo,
        options: &RedisOptions,
    ) -> RedisResult<Self> {
        let known = Sentinels::new(sentinels, name, primary, options)?;
        Ok(Self::Primary(Arc::new(known)))
    }

    /// A connection whose making, and each of whose reads and writes, takes no longer than `timeout`.
    pub(super) fn connect(&self, timeout: Duration) -> RedisResult<Connection> {
        match self {
            Self::Server(client) => connect(client, timeout),
            Self::Primary(sentinels) => sentinels.connect(timeout),
        }
    }
}

fn client(info: ConnectionInfo, options: &RedisOptions) -> RedisResult<Client> {
    // Without it, the kernel holds a small batch back for the last one's acknowledgement.
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    #[cfg(feature = "tls")]
    if is_tls(&info) {
        return options.tls.client(info);
    }
    let _ = options;
    Client::open(info)
}

fn connect(client: &Client, timeout: Duration) -> RedisResult<Connection> {
    let connection = client.get_connection_with_timeout(timeout)?;
    let limit = of_socket(timeout);
    connection.set_read_timeout(Some(limit))?;
    connection.set_write_timeout(Some(limit))?;
    Ok(connection)
}

/// What is set on a socket for calls to end within `timeout`, or within a tick where that is shorter.
pub(super) fn of_socket(timeout: Duration) -> Duration {
    timeout.saturating_sub(ROUNDED_UP).max(timeout / 2)
}

/// The sentinels that know which server is the primary.
///
/// redis-rs has a client of sentinels, too, but it waits for a sentinel, and for the role of the
/// server, without a limit.
pub(super) struct Sentinels {
    clients: Vec<Client>,
    name: String,
    primary: RedisConnectionInfo,
    options: RedisOptions,
    /// Which of them is asked first: the one that last knew.
    first: AtomicUsize,
}

impl Sentinels {
    fn new(
        sentinels: &[ConnectionInfo],
        name: &str,
        primary: &RedisConnectionInfo,
        options: &RedisOptions,
    ) -> RedisResult<Self> {
        let clients = sentinels.iter().map(|info| client(info.clone(), options));
        Ok(Self {
            clients: clients.collect::<RedisResult<_>>()?,
            name: name.to_owned(),
            primary: primary.clone(),
            options: options.clone(),
            first: AtomicUsize::new(0),
        })
    }

    /// A connection to the first primary that one of the sentinels names, and that says it is one.
    fn connect(&self, timeout: Duration) -> RedisResult<Connection> {
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "no sentinel"));
        for step in 0..self.clients.len() {
            let number = (first + step) % self.clients.len();
            let client = &self.clients[number];
            match self.ask(client, timeout).and_then(|info| self.primary(info, timeout)) {
                Ok(connection) => {
                    self.first.store(number, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Where the primary is, as the sentinel of `client` knows.
    fn ask(&self, client: &Client, timeout: Duration) -> RedisResult<ConnectionInfo> {
        let mut connection = connect(client, timeout)?;
        let mut ask = cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(&self.name);
        let known: Option<(String, u16)> = ask.query(&mut connection)?;
        let (host, port) = known
            .ok_or_else(|| RedisError::from((ErrorKind::Client, NOT_NAMED, self.name.clone())))?;
        let info = client.get_connection_info();
        Ok(at(info, host, port).set_redis_settings(self.primary.clone()))
    }

    fn primary(&self, info: ConnectionInfo, timeout: Duration) -> RedisResult<Connection> {
        let mut connection = connect(&client(info, &self.options)?, timeout)?;
        match cmd("ROLE").query::<Vec<redis::Value>>(&mut connection) {
            Ok(role) if role.first() == Some(&redis::Value::BulkString(b"master".to_vec())) => {
                Ok(connection)
            }
            Ok(_) => Err((ErrorKind::Client, NOT_YET).into()),
            // It cannot be asked, and says so when it is written to.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Ok(connection)
            }
            Err(error) => Err(error),
        }
    }
}

/// `info` with another place.
pub(super) fn at(info: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let address = if is_tls(info) {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    info.clone().set_addr(address)
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinels").field("name", &self.name).finish_non_exhaustive()
    }
}
