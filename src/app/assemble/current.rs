//! The one place through which the doors find the snapshot that is in force.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::snapshot::Snapshot;

/// The snapshot that is in force. All clones share it.
#[derive(Clone, Debug)]
pub(crate) struct CurrentSnapshot(Arc<ArcSwap<Snapshot>>);

impl CurrentSnapshot {
    /// Begins with `snapshot`.
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(snapshot)))
    }

    /// The snapshot that is in force now. A request takes it once, and ends under it.
    pub(crate) fn load(&self) -> Guard<Arc<Snapshot>> {
        self.0.load()
    }

    /// The same, for a request that waits for others.
    pub(crate) fn load_full(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Puts `snapshot` in force for the requests that begin from now on.
    pub(crate) fn replace(&self, snapshot: Arc<Snapshot>) {
        self.0.store(snapshot);
    }
}
