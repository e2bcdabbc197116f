//! What lives as long as the process.

use std::sync::Arc;
use std::time::Duration;

use super::stores::Stores;
use crate::app::coarse_clock::CoarseClock;
use crate::app::config::StoreOptions;
use crate::app::error::AppError;
use crate::app::observation::{Counts, DenialLog, Who};
use crate::limiter::Overrides;
use crate::store::OverrideStore;

/// How often overrides are read where denials are not remembered.
const WITHOUT_DENY_CACHE: Duration = Duration::from_millis(500);

/// Reading more often would help nobody.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);

/// What lives as long as the process, while snapshots come and go.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    /// Where requests are counted.
    pub(crate) stores: Stores,
    /// What is counted of decisions.
    pub(crate) counts: Arc<Counts>,
    /// What operators changed for single clients.
    pub(crate) overrides: Overrides,
    /// Who is busy and who is refused.
    pub(crate) who: Arc<Who>,
    /// Tells the log who is refused.
    pub(crate) denial_log: Arc<DenialLog>,
}

impl Lasting {
    /// Starts the stores that `config` names: see [`Stores::start`].
    ///
    /// # Errors
    /// When Redis cannot be set up, or no thread can be started.
    pub(crate) fn start(config: &StoreOptions) -> Result<Self, AppError> {
        let stores = Stores::start(config)?;
        let store: Arc<dyn OverrideStore> = match &stores.redis {
            Some(redis) => redis.clone(),
            None => stores.memory.clone(),
        };
        let overrides = Overrides::start(store, read_every(config), stores.clock.clone())
            .map_err(|error| AppError::new("overrides cannot be read", error))?;
        let denial_log = DenialLog::start(stores.clock.clone())
            .map_err(|error| AppError::new("denials cannot be summed up", error))?;
        let who = Arc::new(Who::new(Arc::new(CoarseClock::start())));
        Ok(Self { stores, counts: Counts::new(), overrides, who, denial_log })
    }
}

/// How often overrides are read, so that a change holds here before `store.deny_cache_ms` is over.
fn read_every(config: &StoreOptions) -> Duration {
    match config.deny_cache {
        Duration::ZERO => WITHOUT_DENY_CACHE,
        age => (age / 2).max(SHORTEST_INTERVAL),
    }
}
