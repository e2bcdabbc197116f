//! Assembles the app from its configuration.
//!
//! [`Stores`] live as long as the process: connections, counters and quotas in memory. A [`Snapshot`] is
//! all else that a configuration says about requests. The doors find it through [`CurrentSnapshot`], so
//! a new configuration takes the place of the old one at once and as a whole.

pub(crate) use self::current::CurrentSnapshot;
pub(crate) use self::snapshot::Snapshot;
pub(crate) use self::stores::{Stores, redis_options};

mod current;
mod snapshot;
mod stores;
