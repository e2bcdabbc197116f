//! Where keys last stood in the store, for the time when it is away.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::algorithm::Terms;
use crate::domain::clock::Millis;
use crate::domain::standing::Standing;
use crate::store::{Fingerprint, LastKnown};

/// The most keys that are known. Two keys of the same slot replace each other.
const SLOTS: usize = 131_072;

/// Answers that were under way at the same time may be learned out of order. Within this many
/// milliseconds, the answer with more used units is taken for the later one.
const REORDERED: Millis = 100;

/// How much of their quotas keys had used, by fingerprint. The table has a fixed size and no lock, and
/// may forget keys.
#[derive(Debug)]
pub(crate) struct LastKnownTable(Box<[Slot]>);

/// What is known of one key. `mixed` is the key's mark, mixed with the other two numbers. If a writer comes
/// between a reader's loads, the parts do not give the mark, and the reader takes the slot for empty.
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
    /// Learns where the key of `fingerprint` stands at `now`, under a policy with `terms`.
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
                && terms.window.holding(now).contains(&known.at)
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

    /// Forgets the key of `fingerprint`.
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
