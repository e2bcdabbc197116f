//! Which keys were given something back: [`Reopened`].

use std::iter;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::Fingerprint;

/// Keys that share a place are forgotten together. So many places are 32 KiB.
const PLACES: usize = 4_096;

/// When keys were last given something back. A denial that was asked for before that is not sure to hold.
#[derive(Debug, Default)]
pub(super) struct Reopened {
    /// How often anything was given back.
    times: AtomicU64,
    /// By key, how often anything had been given back when it last was. Without refunds it takes no memory.
    last: OnceLock<Box<[AtomicU64]>>,
}

impl Reopened {
    /// How often anything was given back by now.
    pub(super) fn times(&self) -> u64 {
        self.times.load(Ordering::SeqCst)
    }

    /// Notes that the store has given something back to `keys`.
    ///
    /// The count goes up first. So a question that comes meanwhile counts as one that was asked after the refund, as it
    /// was.
    pub(super) fn note(&self, keys: impl IntoIterator<Item = Fingerprint>) {
        let places = || iter::repeat_with(AtomicU64::default).take(PLACES).collect();
        let last = self.last.get_or_init(places);
        let times = self.times.fetch_add(1, Ordering::SeqCst) + 1;
        for key in keys {
            last[key.shard(PLACES)].fetch_max(times, Ordering::SeqCst);
        }
    }

    /// Whether one of `keys` may have been given something back since that had happened so many `times`.
    pub(super) fn is_any_since(
        &self,
        times: u64,
        keys: impl IntoIterator<Item = Fingerprint>,
    ) -> bool {
        if self.times() == times {
            return false;
        }
        let is_since = |last: &[AtomicU64], key: Fingerprint| {
            last[key.shard(PLACES)].load(Ordering::SeqCst) > times
        };
        self.last.get().is_some_and(|last| keys.into_iter().any(|key| is_since(last, key)))
    }
}
