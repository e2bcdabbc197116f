//! Counts of the last two generations.

use std::collections::HashMap;

use crate::app::observation::sketch::Sketch;
use crate::domain::clock::Millis;
use crate::store::{BuildFingerprintHasher, Fingerprint, Key};

/// How many parts share the keys. Each has a lock of its own, so that threads seldom wait for each other.
pub(super) const SHARDS: usize = 8;

/// How many keys of each policy have a counter among the busiest, and as many among the most refused.
pub(crate) const COUNTERS: usize = 256;

/// When keys were first counted.
type Since = HashMap<Fingerprint, Millis, BuildFingerprintHasher>;

/// The counts of the present generation and of the one before, for some of the keys of a policy.
#[derive(Debug, Default)]
pub(super) struct RecentCounts {
    present: Option<Sketch>,
    before: Option<Sketch>,
    /// The keys of the generation before, and when each was first counted, without a pause of a generation.
    since: Since,
}

impl RecentCounts {
    pub(super) fn count(&mut self, key: &Key, now: Millis) {
        self.present.get_or_insert_with(|| Sketch::new(COUNTERS / SHARDS)).count(key, now);
    }

    /// Begins a generation. The present one `is_next` to it, or nothing was counted for longer than a generation.
    pub(super) fn turn(&mut self, is_next: bool) {
        if !is_next {
            *self = Self::default();
            return;
        }
        self.before = self.present.take();
        self.since = self.since(self.before.as_ref());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present.is_none() && self.before.is_none()
    }

    /// The counts of both generations together; `None` if nothing was counted.
    pub(super) fn sum(&self) -> Option<Sketch> {
        match (&self.before, &self.present) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (Some(before), Some(present)) => Some(before.with(present)),
        }
    }

    /// How often any key was counted, in both generations.
    pub(super) fn total(&self) -> u64 {
        self.before.iter().chain(&self.present).map(Sketch::total).sum()
    }

    /// When each key of `sketch` was first counted, without a pause of a generation since then.
    pub(super) fn since(&self, sketch: Option<&Sketch>) -> Since {
        let estimates = sketch.into_iter().flat_map(Sketch::estimates);
        let since = estimates.map(|it| {
            let key = it.key.fingerprint();
            (key, self.since.get(&key).copied().unwrap_or(it.since))
        });
        since.collect()
    }
}
