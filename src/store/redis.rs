//! State in Redis: one script call decides and charges a whole batch of requests.

use std::sync::{Arc, Weak};

#[cfg(feature = "tls")]
pub use self::connect::tls::{RedisTls, RedisTlsError};
pub use self::connect::url::{RedisUrl, RedisUrlError};
use self::dispatch::Dispatch;
#[cfg(feature = "server")]
pub(crate) use self::doctor::{Finding, Level, Look, examine, look};
pub use self::health::status::RedisStatus;
pub use self::options::RedisOptions;
use self::servers::Servers;
use super::{Acquire, Acquired, Answer, Debtor, Key, Store, StoreError};

mod cluster;
mod connect;
mod dispatch;
#[cfg(feature = "server")]
mod doctor;
mod error;
mod health;
mod node;
mod options;
mod recovery;
mod script;
mod servers;

/// Keeps state in a Redis server, or in the nodes of a Redis Cluster.
///
/// Requests queue for a few dispatcher threads; each sends whatever is queued as one call of one
/// script over a pooled connection, or one for each slot of a cluster. A few calls in a row that fail
/// or take too long take their server *down*: from then on every request for it is answered
/// [`Unreachable`](crate::StoreErrorKind::Unreachable) at once, until a probe in the background, which charges keys of its
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
