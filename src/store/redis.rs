//! State in Redis: one script call decides and charges a whole batch of requests.

use std::sync::{Arc, Weak};

#[cfg(feature = "tls")]
pub use self::connect::tls::{RedisTls, RedisTlsError};
pub use self::connect::url::{RedisUrl, RedisUrlError};
use self::dispatch::Dispatch;
#[cfg(feature = "server")]
pub(crate) use self::doctor::{Finding, Level, Look, examine, look};
#[cfg(feature = "server")]
pub(crate) use self::health::calls::CallCounts;
pub use self::health::status::RedisStatus;
pub use self::options::RedisOptions;
pub use self::script::lua;
use self::script::slots::SlotVerb;
use self::servers::Servers;
use super::{
    Acquire, Acquired, Answer, Debtor, Key, Keyspace, Refund, Refunded, Slot, Store, StoreError,
};

mod cluster;
mod connect;
mod dispatch;
#[cfg(feature = "server")]
mod doctor;
mod error;
mod health;
mod node;
mod options;
mod overrides;
mod recovery;
mod script;
mod server_clock;
mod servers;

/// Keeps state in a Redis server, or in the nodes of a Redis Cluster.
///
/// A thread that serves the middleware or the layer sends all that it asks in one turn as one call of a script, over a
/// pooled connection, and awaits the reply like any other input. Other threads, and all that ask a cluster, queue their
/// requests for a few dispatcher threads. Each of these sends all that is queued as one call, or in a cluster as one
/// call for each slot.
///
/// After a few calls in a row that fail or take too long, the server is *down*. From then on requests
/// are answered [`StoreErrorKind::Unreachable`](crate::StoreErrorKind::Unreachable) at once, until a
/// probe in the background succeeds. The probe charges keys of its own.
#[derive(Debug)]
pub struct RedisStore {
    servers: Arc<Servers>,
    dispatch: Dispatch,
    /// The keys of the overrides.
    overrides: [Key; 2],
}

impl RedisStore {
    /// Starts a store in the Redis of `options`, and tries once to reach it. If it does not answer, the
    /// store starts down, and is up once it answers.
    ///
    /// # Errors
    /// When the URL is not that of a Redis, or no thread can be started.
    pub fn start(options: &RedisOptions) -> Result<Self, StoreError> {
        let servers = Arc::new(Servers::start(options)?);
        let dispatch = Dispatch::start(&servers, options)?;
        let overrides = Keyspace::new(&options.key_prefix).overrides();
        Ok(Self { servers, dispatch, overrides })
    }

    /// The address of the Redis, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        self.servers.address()
    }

    /// Whether the server is up, so that requests ask it. In a cluster, whether every node is.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.servers.are_up()
    }

    /// The present status of the server, and counts since the start.
    #[must_use]
    pub fn status(&self) -> RedisStatus {
        self.servers.status()
    }

    /// What was counted of calls, and how much waits at the moment.
    #[cfg(feature = "server")]
    pub(crate) fn calls(&self) -> CallCounts {
        let (connections, idle) = self.servers.connections();
        self.servers.tally().calls.counts(self.dispatch.waiting(), connections, idle)
    }
}

impl Store for RedisStore {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        self.dispatch.acquire(acquire.clone())
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.dispatch.reset(keys)
    }

    fn refund(&self, refunds: Vec<Refund>) -> Answer<Vec<Refunded>> {
        self.dispatch.refund(refunds)
    }

    fn release(&self, slots: Vec<Slot>) -> Answer<Vec<bool>> {
        self.dispatch.slots(SlotVerb::Release, slots)
    }

    fn renew(&self, slots: Vec<Slot>) -> Answer<Vec<bool>> {
        self.dispatch.slots(SlotVerb::Renew, slots)
    }

    /// True in a cluster, where each node decides on its own keys.
    fn may_give_back(&self) -> bool {
        self.servers.are_many()
    }

    fn on_return(&self, debtor: Weak<dyn Debtor>) {
        self.servers.debts().add_debtor(debtor);
    }
}
