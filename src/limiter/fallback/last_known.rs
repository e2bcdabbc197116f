//! Where keys stood last in a store, for when it is away.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::algorithm::Terms;
use crate::domain::clock::Millis;
use crate::domain::decision::Standing;
use crate::store::Fingerprint;

/// How many keys are known at most. Two of one slot drive each other out.
const SLOTS: usize = 131_072;

/// Answers that were under way together may be learned out of order: within this time, the one
/// with more used is the later one.
const REORDERED: Millis = 100;

/// What a key had used of its quota, and when a store said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastKnown {
    pub(crate) used: u64,
    pub(crate) at: Millis,
}

/// The last known standing of keys, by their names: fixed in size, without a lock, and allowed to
/// forget.
#[derive(Debug)]
pub(crate) struct LastKnownTable(Box<[Slot]>);

/// What tells the key of this slot from others, mixed with what is known of it, so that a reader
/// notices who wrote between its loads: then the parts do not yield that.
#[derive(Debug, Default)]
struct Slot {
    mixed: AtomicU64,
    used: AtomicU64,
    at: AtomicU64,
}

impl Default for LastKnownTable {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| Slot::default()).collect())
    }
}

impl LastKnownTable {
    /// Learns where the key of `fingerprint` stands at `now`, under a policy of `terms`.
    pub(crate) fn learn(
        &self,
        fingerprint: Fingerprint,
        terms: &Terms,
        standing: &Standing,
        now: Millis,
    ) {
        let (slot, mark) = self.find(fingerprint);
        let used = terms.burst.saturating_sub(standing.remaining);
        let stale = slot.read(mark).is_some_and(|known| {
            known.used > used
                && now < known.at + REORDERED
                && now / terms.window == known.at / terms.window
        });
        if !stale {
            slot.write(mark, LastKnown { used, at: now });
        }
    }

    /// What is known of the key of `fingerprint`.
    pub(crate) fn of(&self, fingerprint: Fingerprint) -> Option<LastKnown> {
        let (slot, mark) = self.find(fingerprint);
        slot.read(mark)
    }

    /// Knows nothing of the key of `fingerprint` any more.
    pub(crate) fn forget(&self, fingerprint: Fingerprint) {
        let (slot, mark) = self.find(fingerprint);
        if slot.read(mark).is_some() {
            slot.write(mark, LastKnown { used: 0, at: 0 });
        }
    }

    fn find(&self, fingerprint: Fingerprint) -> (&Slot, u64) {
        let (slot, mark) = fingerprint.slot(SLOTS);
        (&self.0[slot], mark)
    }
}

impl Slot {
    fn read(&self, mark: u64) -> Option<LastKnown> {
        let mixed = self.mixed.load(Ordering::Relaxed);
        let used = self.used.load(Ordering::Relaxed);
        let at = self.at.load(Ordering::Relaxed);
        (mixed ^ used ^ at.rotate_left(32) == mark).then_some(LastKnown { used, at })
    }

    fn write(&self, mark: u64, last_known: LastKnown) {
        self.mixed.store(mark ^ last_known.used ^ last_known.at.rotate_left(32), Ordering::Relaxed);
        self.used.store(last_known.used, Ordering::Relaxed);
        self.at.store(last_known.at, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
