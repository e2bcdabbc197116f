//! Where connections go: to one server, or to whichever the sentinels name.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
#[cfg(feature = "tls")]
use std::{slice, time::Instant};

use redis::{
    ConnectionAddr, ConnectionInfo, ErrorKind, RedisConnectionInfo, RedisError, RedisResult,
    ServerErrorKind, cmd,
};

#[cfg(feature = "tls")]
use super::tls::TlsClient;
#[cfg(feature = "tls")]
use super::tls_mismatch;
use super::url::is_tls;
use super::wire::Wire;
use crate::store::redis::options::RedisOptions;

/// Why the sentinels are of no help, as an error says it.
pub(crate) const NOT_NAMED: &str = "the sentinel knows no primary of that name";
pub(crate) const NOT_YET: &str = "the server is a replica, not yet the primary";

/// The kernel counts a socket's time in ticks, of 4 ms mostly, and waits for up to two more.
const ROUNDED_UP: Duration = Duration::from_millis(8);

/// Who connects, and to whom.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Server(Box<Server>),
    Primary(Arc<Sentinels>),
}

impl Target {
    pub(crate) fn server(info: ConnectionInfo, options: &RedisOptions) -> RedisResult<Self> {
        Server::new(info, options).map(|server| Self::Server(Box::new(server)))
    }

    /// Whichever server the sentinels say is the primary called `name`.
    pub(crate) fn primary(
        sentinels: &[ConnectionInfo],
        name: &str,
        primary: &RedisConnectionInfo,
        options: &RedisOptions,
    ) -> RedisResult<Self> {
        let known = Sentinels::new(sentinels, name, primary, options)?;
        Ok(Self::Primary(Arc::new(known)))
    }

    /// A connection whose making, and each of whose reads and writes, takes no longer than `timeout`.
    pub(crate) fn connect(&self, timeout: Duration) -> RedisResult<Wire> {
        match self {
            Self::Server(server) => Wire::connect(server, timeout),
            Self::Primary(sentinels) => sentinels.connect(timeout),
        }
    }

    /// `error` of a connect, or what lies behind it where that can be found out within `timeout`.
    pub(crate) fn explain(&self, error: RedisError, timeout: Duration) -> RedisError {
        #[cfg(feature = "tls")]
        {
            let servers = match self {
                Self::Server(server) => slice::from_ref(&**server),
                Self::Primary(sentinels) => &sentinels.servers,
            };
            tls_mismatch::explain(servers, error, Instant::now() + timeout)
        }
        #[cfg(not(feature = "tls"))]
        {
            let _ = timeout;
            error
        }
    }
}

/// A place to connect to, and how.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    info: ConnectionInfo,
    idle_timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<TlsClient>,
}

impl Server {
    fn new(info: ConnectionInfo, options: &RedisOptions) -> RedisResult<Self> {
        let idle_timeout = options.idle_timeout;
        #[cfg(feature = "tls")]
        let tls = match is_tls(&info) {
            true => Some(options.tls.client().map_err(|error| {
                let what = "TLS cannot be set up";
                RedisError::from((ErrorKind::InvalidClientConfig, what, error.to_string()))
            })?),
            false => None,
        };
        Ok(Self {
            info,
            idle_timeout,
            #[cfg(feature = "tls")]
            tls,
        })
    }

    pub(crate) fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// How long a connection may idle.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// How TLS is agreed on there, where it is.
    #[cfg(feature = "tls")]
    pub(crate) fn tls(&self) -> Option<&TlsClient> {
        self.tls.as_ref()
    }

    /// The same elsewhere.
    fn at(&self, host: String, port: u16, settings: RedisConnectionInfo) -> Self {
        let info = at(&self.info, host, port).set_redis_settings(settings);
        Self { info, ..self.clone() }
    }
}

/// What is set on a socket for calls to end within `timeout`, or within a tick where that is shorter.
pub(crate) fn of_socket(timeout: Duration) -> Duration {
    timeout.saturating_sub(ROUNDED_UP).max(timeout / 2)
}

/// The sentinels that know which server is the primary.
///
/// redis-rs has a client of sentinels, too, but it waits for a sentinel, and for the role of the
/// server, without a limit.
pub(crate) struct Sentinels {
    servers: Vec<Server>,
    name: String,
    primary: RedisConnectionInfo,
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
        let servers = sentinels.iter().map(|info| Server::new(info.clone(), options));
        Ok(Self {
            servers: servers.collect::<RedisResult<_>>()?,
            name: name.to_owned(),
            primary: primary.clone(),
            first: AtomicUsize::new(0),
        })
    }

    /// A connection to the first primary that one of the sentinels names, and that says it is one.
    fn connect(&self, timeout: Duration) -> RedisResult<Wire> {
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "no sentinel"));
        for step in 0..self.servers.len() {
            let number = (first + step) % self.servers.len();
            let sentinel = &self.servers[number];
            match self.ask(sentinel, timeout).and_then(|named| Self::primary(&named, timeout)) {
                Ok(connection) => {
                    self.first.store(number, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Where the primary is, as `sentinel` knows.
    fn ask(&self, sentinel: &Server, timeout: Duration) -> RedisResult<Server> {
        let mut connection = Wire::connect(sentinel, timeout)?;
        let mut ask = cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(&self.name);
        let known: Option<(String, u16)> = ask.query(&mut connection)?;
        let (host, port) = known
            .ok_or_else(|| RedisError::from((ErrorKind::Client, NOT_NAMED, self.name.clone())))?;
        Ok(sentinel.at(host, port, self.primary.clone()))
    }

    fn primary(server: &Server, timeout: Duration) -> RedisResult<Wire> {
        let mut connection = Wire::connect(server, timeout)?;
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
pub(crate) fn at(info: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
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
