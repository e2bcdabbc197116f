//! How to reach a Redis.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "tls")]
use super::connect::tls::RedisTls;
use crate::domain::clock::Clock;

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
