//! Which charges were given back already.

use std::collections::HashMap;

use crate::domain::clock::Millis;
use crate::domain::quota::MAX_EXACT;
use crate::store::{BuildFingerprintHasher, Charge, Fingerprint};

/// Fewer marks are not worth a sweep.
const SMALLEST_SWEEP: usize = 64;

/// The marks of one shard. Each is kept for as long as its charge may still count.
#[derive(Debug)]
pub(super) struct RefundMarks {
    until: HashMap<Fingerprint, Millis, BuildFingerprintHasher>,
    most: usize,
    /// The number of marks at which the next sweep is due.
    sweep_at: usize,
    /// No mark ends before this time, so no sweep is of any use.
    first_end: Millis,
}

/// What came of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// It is set now.
    Now,
    /// It was there before.
    Before,
    /// There is no room for it.
    NoRoom,
}

impl RefundMarks {
    /// Room for `most` marks.
    pub(super) fn new(most: usize) -> Self {
        Self { until: HashMap::default(), most, sweep_at: SMALLEST_SWEEP, first_end: Millis::MAX }
    }

    /// Sets the mark of `fingerprint`, unless it is there.
    pub(super) fn note(&mut self, fingerprint: Fingerprint, now: Millis, until: Millis) -> Noted {
        if self.until.get(&fingerprint).is_some_and(|until| now < *until) {
            return Noted::Before;
        }
        if self.until.len() >= self.sweep_at.min(self.most) && now >= self.first_end {
            self.until.retain(|_, until| now < *until);
            self.sweep_at = (2 * self.until.len()).max(SMALLEST_SWEEP);
            self.first_end = self.until.values().copied().min().unwrap_or(Millis::MAX);
        }
        if self.until.len() >= self.most {
            return Noted::NoRoom;
        }
        self.until.insert(fingerprint, until);
        self.first_end = self.first_end.min(until);
        Noted::Now
    }
}

/// The longest time for which a key may still count `charge`.
pub(super) fn counts_for(charge: &Charge) -> Millis {
    let terms = charge.policy.terms();
    let window = terms.window.longest();
    let charged = charge.cost.units().min(MAX_EXACT / window) * window;
    (2 * window).max(charged.div_ceil(terms.units))
}

#[cfg(test)]
mod tests;
