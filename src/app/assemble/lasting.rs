//! What lives as long as the process.

use std::sync::Arc;

use super::stores::Stores;
use crate::app::config::StoreOptions;
use crate::app::error::AppError;
use crate::app::observation::{Counts, DenialLog, Who};
use crate::store::MonotonicClock;

/// What lives as long as the process, while snapshots come and go.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    /// Where requests are counted.
    pub(crate) stores: Stores,
    /// What is counted of decisions.
    pub(crate) counts: Arc<Counts>,
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
        let clock = Arc::new(MonotonicClock::start());
        let denial_log = DenialLog::start(clock.clone())
            .map_err(|error| AppError::new("denials cannot be summed up", error))?;
        Ok(Self {
            stores: Stores::start(config)?,
            counts: Counts::new(),
            who: Arc::new(Who::new(clock)),
            denial_log,
        })
    }
}
