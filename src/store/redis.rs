//! State in Redis: one script call decides and charges a whole batch of requests.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::IntoConnectionInfo as _;

use self::dispatch::Dispatch;
#[cfg(feature = "server")]
pub(crate) use self::examine::{Finding, Level, examine};
use self::link::Link;
use self::pool::{Connector, Manager, Pool};
pub use self::status::RedisStatus;
use super::{Acquire, Acquired, Answer, Debtor, Key, Store, StoreError, StoreErrorKind};
use crate::clock::Clock;

mod attend;
mod batch;
mod breaker;
mod cause;
mod dispatch;
#[cfg(feature = "server")]
mod examine;
mod link;
mod pool;
mod probe;
mod reply;
mod script;
mod status;

/// How to reach a Redis, and how long to wait for it.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://[user:password@]host[:port][/db]` or `redis+unix:///path[?db=N]`.
    pub url: String,
    /// What [`Keyspace`](super::Keyspace) its keys begin with.
    pub key_prefix: String,
    /// The limit of each connect, read and write, and of the wait for a connection or in the queue.
    pub timeout: Duration,
    /// Dispatcher threads, each with a connection of its own at a time.
    pub connections: usize,
    /// How long a probe that failed waits before the next; for tests of many outages.
    #[doc(hidden)]
    pub probe_interval: Duration,
    /// Instead of the server's own time; for tests alone, which share one clock with their model.
    #[doc(hidden)]
    pub clock: Option<Arc<dyn Clock>>,
}

impl RedisOptions {
    /// The Redis at `url`, with the defaults of the configuration.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            key_prefix: "tollgate".to_owned(),
            timeout: Duration::from_millis(50),
            connections: 2,
            probe_interval: Duration::from_millis(250),
            clock: None,
        }
    }
}

impl fmt::Debug for RedisOptions {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("key_prefix", &self.key_prefix)
            .field("timeout", &self.timeout)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Keeps state in a Redis server.
///
/// Requests queue for a few dispatcher threads; each sends whatever is queued as one call of one
/// script over a pooled connection. A few calls in a row that fail or take too long take the store
/// *down*: from then on every request is answered [`StoreErrorKind::Unreachable`] at once, until a
/// probe in the background, which charges keys of its own, is answered again.
#[derive(Debug)]
pub struct RedisStore {
    link: Arc<Link>,
    dispatch: Dispatch,
}

impl RedisStore {
    /// A store in the Redis of `options`. Tries once to reach it; where it does not answer, the store
    /// starts down and takes it up when it does.
    ///
    /// # Errors
    /// When the URL is not one of a Redis, or no thread can be started.
    pub fn start(options: &RedisOptions) -> Result<Self, StoreError> {
        let info = options.url.as_str().into_connection_info().map_err(store_error)?;
        let address = info.addr().to_string();
        let connections = options.connections.max(1);
        let connector = Connector::new(info, options.timeout).map_err(store_error)?;
        let link = Link::start(address, connector.clone(), options)?;
        let pool = Manager::pool(connector, &link, connections);
        if link.is_up() {
            warm(&pool, connections);
        }
        let dispatch = Dispatch::start(&pool, &link, options, connections)?;
        Ok(Self { link, dispatch })
    }

    /// The server's address, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        self.link.address()
    }

    /// Whether the server is asked: not while it fails.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// How it stands with the server, and what was counted of that.
    #[must_use]
    pub fn status(&self) -> RedisStatus {
        self.link.status()
    }
}

impl Store for RedisStore {
    fn acquire(&self, acquire: Acquire) -> Answer<Acquired> {
        self.dispatch.acquire(acquire)
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.dispatch.reset(keys)
    }

    fn on_return(&self, debtor: Weak<dyn Debtor>) {
        self.link.add_debtor(debtor);
    }
}

/// Makes all connections, so that no request waits for one; what fails is made when it is wanted.
fn warm(pool: &Pool, connections: usize) {
    let made: Vec<_> = (0..connections).map_while(|_| pool.get().ok()).collect();
    drop(made);
}

/// What a failure of the redis crate means to a caller of the store.
fn store_error(error: redis::RedisError) -> StoreError {
    let kind = if error.is_timeout() {
        StoreErrorKind::TimedOut
    } else if error.is_io_error() {
        StoreErrorKind::Lost
    } else {
        StoreErrorKind::Refused
    };
    StoreError::caused_by(kind, error)
}

/// The same of a failure to connect, where nothing was lost.
fn connect_error(error: redis::RedisError) -> StoreError {
    match store_error(error) {
        error if error.kind() == StoreErrorKind::Lost => {
            error.into_kind(StoreErrorKind::Unreachable)
        }
        error => error,
    }
}
