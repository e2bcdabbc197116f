//! Assembles the app from its configuration.
//!
//! [`Lasting`] is what lives as long as the process: connections, quotas in memory, counts for metrics. A [`Snapshot`] is
//! all else that a configuration says about requests. The doors find it through [`CurrentSnapshot`], so
//! a new configuration takes the place of the old one at once and as a whole.

pub(crate) use self::current::CurrentSnapshot;
pub(crate) use self::descriptors::{DescriptorEntry, DescriptorRule};
pub(crate) use self::lasting::Lasting;
pub(crate) use self::snapshot::{Snapshot, client_ip, limiter_alone};
pub(crate) use self::stores::{Stores, redis_options};

mod current;
mod descriptors;
mod lasting;
mod snapshot;
mod stores;
