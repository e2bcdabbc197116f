//! All that learn of the decisions of one snapshot.

use std::sync::Arc;

use super::denial_log::DenialLog;
use super::snapshot_observer::SnapshotObserver;
use super::who::Who;
use crate::limiter::{DecisionEvent, Observer, RefundEvent};

/// All that learn of the decisions of one snapshot.
#[derive(Debug)]
pub(crate) struct Observers {
    /// Counts them for metrics.
    pub(crate) counts: Arc<SnapshotObserver>,
    /// Counts who is busy and who is refused.
    pub(crate) who: Arc<Who>,
    /// Tells the log who is refused.
    pub(crate) denial_log: Arc<DenialLog>,
}

impl Observer for Observers {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        self.counts.on_decision(event);
        self.who.on_decision(event);
        self.denial_log.on_decision(event);
    }

    fn on_refund(&self, event: &RefundEvent<'_>) {
        self.counts.on_refund(event);
    }

    /// The denial log shows them.
    fn wants_request_ids(&self) -> bool {
        true
    }
}
