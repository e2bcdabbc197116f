//! Where keys stood last in a store, for when it is away.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::algorithm::Terms;
use crate::domain::clock::Millis;
use crate::domain::decision::Standing;
use crate::store::Name;

/// How many keys are known at most. Two of one place drive each other out.
const PLACES: usize = 131_072;

/// Answers that were under way together may be learned out of order: within this time, the one
/// with more used is the later one.
const REORDERED: Millis = 100;

/// What a key had used of its quota, and when a store said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    pub(crate) used: u64,
    pub(crate) at: Millis,
}

/// The last known standing of keys, by their names: fixed in size, without a lock, and allowed to
/// forget.
#[derive(Debug)]
pub(crate) struct Seeds(Box<[Place]>);

/// What tells the key of this place from others, mixed with what is known of it, so that a reader
/// notices who wrote between its loads: then the parts do not yield that.
#[derive(Debug, Default)]
struct Place {
    mixed: AtomicU64,
    used: AtomicU64,
    at: AtomicU64,
}

impl Default for Seeds {
    fn default() -> Self {
        Self((0..PLACES).map(|_| Place::default()).collect())
    }
}

impl Seeds {
    /// Learns where the key called `name` stands at `now`, under a policy of `terms`.
    pub(crate) fn learn(&self, name: Name, terms: &Terms, standing: &Standing, now: Millis) {
        let (place, mark) = self.find(name);
        let used = terms.burst.saturating_sub(standing.remaining);
        let stale = place.read(mark).is_some_and(|known| {
            known.used > used
                && now < known.at + REORDERED
                && now / terms.window == known.at / terms.window
        });
        if !stale {
            place.write(mark, Seed { used, at: now });
        }
    }

    /// What is known of the key called `name`.
    pub(crate) fn of(&self, name: Name) -> Option<Seed> {
        let (place, mark) = self.find(name);
        place.read(mark)
    }

    /// Knows nothing of the key called `name` any more.
    pub(crate) fn forget(&self, name: Name) {
        let (place, mark) = self.find(name);
        if place.read(mark).is_some() {
            place.write(mark, Seed { used: 0, at: 0 });
        }
    }

    fn find(&self, name: Name) -> (&Place, u64) {
        let (place, mark) = name.place(PLACES);
        (&self.0[place], mark)
    }
}

impl Place {
    fn read(&self, mark: u64) -> Option<Seed> {
        let mixed = self.mixed.load(Ordering::Relaxed);
        let used = self.used.load(Ordering::Relaxed);
        let at = self.at.load(Ordering::Relaxed);
        (mixed ^ used ^ at.rotate_left(32) == mark).then_some(Seed { used, at })
    }

    fn write(&self, mark: u64, seed: Seed) {
        self.mixed.store(mark ^ seed.used ^ seed.at.rotate_left(32), Ordering::Relaxed);
        self.used.store(seed.used, Ordering::Relaxed);
        self.at.store(seed.at, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
