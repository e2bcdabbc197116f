//! The stores, which live as long as the process.

use std::sync::Arc;

use crate::app::config::{StoreOptions, StoreUrl};
use crate::app::error::AppError;
use crate::store::{MemoryStore, MonotonicClock, RedisOptions, RedisStore, RedisUrl};

/// Where requests are counted.
#[derive(Clone, Debug)]
pub(crate) struct Stores {
    /// `None` where this process counts alone.
    pub(crate) redis: Option<Arc<RedisStore>>,
    /// Counts where there is no Redis, and while Redis does not answer.
    pub(crate) memory: Arc<MemoryStore>,
    /// Tells how old a remembered denial is.
    pub(super) clock: Arc<MonotonicClock>,
}

impl Stores {
    /// Starts the stores that `config` names. Tries once to reach Redis.
    ///
    /// # Errors
    /// When Redis cannot be set up. A Redis that does not answer is no error.
    pub(crate) fn start(config: &StoreOptions) -> Result<Self, AppError> {
        let redis = match &config.url {
            StoreUrl::Memory => None,
            StoreUrl::Redis(url) => {
                let redis = RedisStore::start(&redis_options(config, url))
                    .map_err(|error| AppError::new("the store cannot be set up", error))?;
                Some(Arc::new(redis))
            }
        };
        let memory = Arc::new(MemoryStore::new(config.max_keys));
        Ok(Self { redis, memory, clock: Arc::new(MonotonicClock::start()) })
    }

    /// The memory store alone, whatever a configuration says.
    pub(crate) fn in_memory(memory: Arc<MemoryStore>) -> Self {
        Self { redis: None, memory, clock: Arc::new(MonotonicClock::start()) }
    }
}

/// How the Redis at `url` is reached.
pub(crate) fn redis_options(config: &StoreOptions, url: &RedisUrl) -> RedisOptions {
    RedisOptions::new(url.expose())
        .tls(config.tls.clone())
        .key_prefix(config.key_prefix.clone())
        .timeout(config.timeout)
        .idle_timeout(config.idle_timeout)
        .connections(config.connections)
}
