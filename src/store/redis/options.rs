//! How to reach a Redis, and how long to wait for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::connect::settings::ConnectSettings;
#[cfg(feature = "tls")]
use super::connect::tls::RedisTls;
use super::connect::url::RedisUrl;
use crate::domain::clock::Clock;
use crate::store::{StoreError, StoreErrorKind};

/// How a [`RedisStore`](crate::RedisStore) reaches its Redis, and how long it waits for it.
///
/// ```
/// use std::time::Duration;
/// use tollgate::RedisOptions;
///
/// let options = RedisOptions::new("redis://127.0.0.1:6379/0")
///     .key_prefix("shop")
///     .timeout(Duration::from_millis(20));
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until a store is started with them"]
pub struct RedisOptions {
    pub(super) url: String,
    pub(super) connect: ConnectSettings,
    pub(super) key_prefix: String,
    pub(super) connections: usize,
    pub(super) probe_interval: Duration,
    pub(super) clock: Option<Arc<dyn Clock>>,
}

impl RedisOptions {
    /// Reaches the Redis at `url`, which is read as a [`RedisUrl`] when the store is started: one
    /// server, the sentinels of one, or some nodes of a cluster.
    ///
    /// The other options have their defaults, which are those of the configuration file.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connect: ConnectSettings {
                timeout: Duration::from_millis(50),
                idle_timeout: Duration::from_secs(30),
                #[cfg(feature = "tls")]
                tls: RedisTls::default(),
            },
            key_prefix: "tollgate".to_owned(),
            connections: 4,
            probe_interval: Duration::from_millis(250),
            clock: None,
        }
    }

    /// Sets which certificates a `rediss://` connection trusts and shows.
    ///
    /// The default trusts the authorities that browsers trust, and shows no certificate.
    #[cfg(feature = "tls")]
    pub fn tls(self, tls: RedisTls) -> Self {
        Self { connect: ConnectSettings { tls, ..self.connect }, ..self }
    }

    /// Sets what all keys in Redis begin with. Stores with the same prefix share their counts.
    ///
    /// The default is `tollgate`. A [`Keyspace`](crate::Keyspace) takes the same prefix.
    pub fn key_prefix(self, key_prefix: impl Into<String>) -> Self {
        Self { key_prefix: key_prefix.into(), ..self }
    }

    /// Sets the time limit of each connect, read and write, of the wait for a pooled connection, and
    /// of the wait in the queue. Redis counts in whole milliseconds.
    ///
    /// The default is 50 ms.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { connect: ConnectSettings { timeout, ..self.connect }, ..self }
    }

    /// Sets for how long a connection may idle before a new one replaces it.
    ///
    /// The default is 30 s. Firewalls and load balancers forget connections that idle: choose less
    /// than the shortest of their limits.
    pub fn idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { connect: ConnectSettings { idle_timeout, ..self.connect }, ..self }
    }

    /// Sets the number of dispatcher threads, which is also the most connections that they hold at a
    /// time to each server. Zero means one.
    ///
    /// Dispatchers make the calls that threads do not make themselves. A thread that serves a middleware or a layer asks
    /// a single server over a connection of its own. It leaves to the dispatchers what it asks a cluster, and what it
    /// blocks for. All requests of other threads go to them, too.
    ///
    /// The default is 4.
    pub fn connections(self, connections: usize) -> Self {
        Self { connections: connections.max(1), ..self }
    }

    /// Sets the wait between two probes of a server that is down, for tests of many outages.
    ///
    /// The default is 250 ms.
    #[doc(hidden)]
    pub fn probe_interval(self, probe_interval: Duration) -> Self {
        Self { probe_interval, ..self }
    }

    /// Decides by `clock` instead of the server's own time, for tests that share a clock with a model.
    #[doc(hidden)]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Reads the URL.
    pub(super) fn parse_url(&self) -> Result<RedisUrl, StoreError> {
        let url: Result<RedisUrl, _> = self.url.parse();
        url.map_err(|error| StoreError::caused_by(StoreErrorKind::Refused, error))
    }
}

impl fmt::Debug for RedisOptions {
    /// Leaves out the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("key_prefix", &self.key_prefix)
            .field("timeout", &self.connect.timeout)
            .field("idle_timeout", &self.connect.idle_timeout)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}
