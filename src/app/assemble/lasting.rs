//! What lives as long as the process.

use std::sync::Arc;

use super::stores::Stores;
use crate::app::config::StoreOptions;
use crate::app::error::AppError;
use crate::app::observation::Counts;

/// What lives as long as the process, while snapshots come and go.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    /// Where requests are counted.
    pub(crate) stores: Stores,
    /// What is counted of decisions.
    pub(crate) counts: Arc<Counts>,
}

impl Lasting {
    /// Starts the stores that `config` names: see [`Stores::start`].
    ///
    /// # Errors
    /// When Redis cannot be set up.
    pub(crate) fn start(config: &StoreOptions) -> Result<Self, AppError> {
        Ok(Self { stores: Stores::start(config)?, counts: Counts::new() })
    }
}
