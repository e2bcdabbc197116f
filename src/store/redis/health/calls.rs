//! What is counted of the calls of the script.

use super::count::Count;
use crate::store::{Histogram, MICROS};

/// Bounds for the requests of a call.
const REQUESTS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128];

/// What is counted of the calls to one store.
#[derive(Debug)]
pub(crate) struct CallTally {
    /// How long it took until the requests of a call were decided.
    pub(crate) times: Histogram,
    /// How many requests a call held.
    pub(crate) requests: Histogram,
    /// Requests that were decided as part of an identical one in the same call.
    pub(crate) coalesced: Count,
    /// How often a server did not know the script, and was sent it again.
    pub(crate) unknown_scripts: Count,
}

impl Default for CallTally {
    fn default() -> Self {
        Self {
            times: Histogram::new(MICROS),
            requests: Histogram::new(REQUESTS),
            coalesced: Count::default(),
            unknown_scripts: Count::default(),
        }
    }
}

/// What was counted of calls, and how much waits at the moment.
#[cfg(feature = "server")]
#[derive(Debug)]
pub(crate) struct CallCounts {
    pub(crate) times: crate::store::HistogramCounts,
    pub(crate) requests: crate::store::HistogramCounts,
    pub(crate) coalesced: u64,
    pub(crate) unknown_scripts: u64,
    /// Requests that wait for a dispatcher.
    pub(crate) waiting: usize,
    /// Pooled connections that are open, and those of them that are idle.
    pub(crate) connections: usize,
    pub(crate) idle: usize,
}

#[cfg(feature = "server")]
impl CallTally {
    /// The counts, with how much waits at the moment.
    pub(crate) fn counts(&self, waiting: usize, connections: usize, idle: usize) -> CallCounts {
        CallCounts {
            times: self.times.counts(),
            requests: self.requests.counts(),
            coalesced: self.coalesced.get(),
            unknown_scripts: self.unknown_scripts.get(),
            waiting,
            connections,
            idle,
        }
    }
}
