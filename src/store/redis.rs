//! State in Redis: one script call decides and charges a whole batch of requests.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use self::dispatch::Dispatch;
#[cfg(feature = "server")]
pub(crate) use self::examine::{Finding, Level, Look, examine, look};
use self::servers::Servers;
pub use self::status::RedisStatus;
#[cfg(feature = "tls")]
pub use self::tls::{RedisTls, RedisTlsError};
pub use self::url::{RedisUrl, RedisUrlError};
use super::{Acquire, Acquired, Answer, Debtor, Key, Store, StoreError, StoreErrorKind};
use crate::clock::Clock;

mod accounts;
mod apart;
mod attend;
mod backoff;
mod batch;
mod breaker;
mod cause;
mod cluster;
mod dispatch;
#[cfg(feature = "server")]
mod examine;
mod idle;
mod link;
pub mod lua;
mod misdirected;
mod node;
mod pool;
mod probe;
mod refusal;
mod reply;
mod report;
mod script;
mod seldom;
mod servers;
mod socket;
mod status;
mod target;
#[cfg(feature = "tls")]
mod tls;
mod url;
mod wire;

/// How to reach a Redis, and how long to wait for it.
#[derive(Clone)]
pub struct RedisOptions {
    /// What [`RedisUrl`] takes: of one server, of sentinels, or of a cluster.
    pub url: String,
    /// Whom connections by `rediss://` trust, and what they show.
    #[cfg(feature = "tls")]
    pub tls: RedisTls,
    /// What [`Keyspace`](super::Keyspace) its keys begin with.
    pub key_prefix: String,
    /// The limit of each connect, read and write, and of the wait for a connection or in the queue.
    pub timeout: Duration,
    /// How long a connection may idle before it is replaced by a new one, which is best shorter than
    /// what lies on the way to the server remembers connections for.
    pub idle_timeout: Duration,
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
            #[cfg(feature = "tls")]
            tls: RedisTls::default(),
            key_prefix: "tollgate".to_owned(),
            timeout: Duration::from_millis(50),
            idle_timeout: Duration::from_secs(30),
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
            .field("idle_timeout", &self.idle_timeout)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Keeps state in a Redis server, or in the nodes of a Redis Cluster.
///
/// Requests queue for a few dispatcher threads; each sends whatever is queued as one call of one
/// script over a pooled connection, or one for each slot of a cluster. A few calls in a row that fail
/// or take too long take their server *down*: from then on every request for it is answered
/// [`StoreErrorKind::Unreachable`] at once, until a probe in the background, which charges keys of its
/// own, is answered again.
#[derive(Debug)]
pub struct RedisStore {
    servers: Arc<Servers>,
    dispatch: Dispatch,
}

impl RedisStore {
    /// A store in the Redis of `options`. Tries once to reach it; where it does not answer, the store
    /// starts down and takes it up when it does.
    ///
    /// # Errors
    /// When the URL is not one of a Redis, or no thread can be started.
    pub fn start(options: &RedisOptions) -> Result<Self, StoreError> {
        let servers = Arc::new(Servers::start(options)?);
        let dispatch = Dispatch::start(&servers, options)?;
        Ok(Self { servers, dispatch })
    }

    /// Where it is, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        self.servers.address()
    }

    /// Whether the server is asked: not while it fails; in a cluster, whether every node is.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.servers.are_up()
    }

    /// How it stands with the server, and what was counted of that.
    #[must_use]
    pub fn status(&self) -> RedisStatus {
        self.servers.status()
    }
}

impl Store for RedisStore {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        self.dispatch.acquire(acquire.clone())
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.dispatch.reset(keys)
    }

    /// In a cluster, whose nodes each decide on their own keys.
    fn may_give_back(&self) -> bool {
        self.servers.are_many()
    }

    fn on_return(&self, debtor: Weak<dyn Debtor>) {
        self.servers.accounts().add_debtor(debtor);
    }
}

/// What a failure of the redis crate means to a caller of the store.
fn store_error(error: redis::RedisError) -> StoreError {
    let kind = if error.is_timeout() {
        StoreErrorKind::TimedOut
    } else if error.is_io_error() {
        StoreErrorKind::Lost
    } else if refusal::charged_nothing(&error) {
        StoreErrorKind::Declined
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
