//! Learns what is decided: counts it for metrics, and tells who is busy and who is refused. What is counted lives as
//! long as the process, over reloads.

pub(crate) use self::counts::Counts;
pub(crate) use self::denial_log::DenialLog;
pub(crate) use self::dominance::dominant;
pub(crate) use self::gate_error::{CHECK, ENVOY, FORWARD_AUTH, GateError};
pub(crate) use self::history::{History, LastHour, MINUTES};
pub(crate) use self::kinds::{Authenticated, PolicyCount};
pub(crate) use self::observers::Observers;
pub(crate) use self::snapshot_observer::SnapshotObserver;
pub(crate) use self::who::{BusiestKey, COUNTERS, GENERATION, Rank, TopKey, Who};

mod counts;
mod denial_log;
mod dominance;
mod gate_error;
mod history;
mod kinds;
mod no_key;
mod observers;
mod refusals;
mod sharded;
mod sketch;
mod snapshot_observer;
mod who;
