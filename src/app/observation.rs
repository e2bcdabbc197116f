//! Counts what is decided, for metrics. The counts live as long as the process, over reloads.

pub(crate) use self::counts::Counts;
pub(crate) use self::kinds::{Authenticated, PolicyCount};
pub(crate) use self::snapshot_observer::SnapshotObserver;

mod counts;
mod kinds;
mod sharded;
mod snapshot_observer;
