//! Counts what is decided, for metrics. The counts live as long as the process, over reloads.

pub(crate) use self::counts::{Authenticated, Counts, PolicyCount};
pub(crate) use self::snapshot_observer::SnapshotObserver;

mod counts;
mod sharded;
mod snapshot_observer;
