//! Where keys stood last in a store, for when it is away.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::algorithm::Terms;
use crate::clock::Millis;
use crate::decision::Standing;
use crate::store::Key;

/// How many keys are known at most. Two of one place drive each other out.
const PLACES: usize = 131_072;

/// Answers that were under way together may be learned out of order: within this time, the one
/// with more used is the later one.
const REORDERED: Millis = 100;

/// What a key had used of its quota, and when a store said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed {
    pub(super) used: u64,
    pub(super) at: Millis,
}

/// The last known standing of keys, by a hash under a secret: fixed in size, without a lock, and
/// allowed to forget.
#[derive(Debug)]
pub(super) struct Seeds {
    names: RandomState,
    places: Box<[Place]>,
}

/// The name of a key mixed with what is known of it, so that a reader notices who wrote between its
/// loads: then the parts do not yield the name.
#[derive(Debug, Default)]
struct Place {
    mixed: AtomicU64,
    used: AtomicU64,
    at: AtomicU64,
}

impl Default for Seeds {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| Place::default()).collect();
        Self { names: RandomState::new(), places }
    }
}

impl Seeds {
    /// Learns where `key` stands at `now`, under a policy of `terms`.
    pub(super) fn learn(&self, key: &Key, terms: &Terms, standing: &Standing, now: Millis) {
        let (name, place) = self.find(key);
        let used = terms.burst.saturating_sub(standing.remaining);
        let stale = place.read(name).is_some_and(|known| {
            known.used > used
                && now < known.at + REORDERED
                && now / terms.window == known.at / terms.window
        });
        if !stale {
            place.write(name, Seed { used, at: now });
        }
    }

    /// What is known of `key`.
    pub(super) fn of(&self, key: &Key) -> Option<Seed> {
        let (name, place) = self.find(key);
        place.read(name)
    }

    /// Knows nothing of `key` any more.
    pub(super) fn forget(&self, key: &Key) {
        let (name, place) = self.find(key);
        if place.read(name).is_some() {
            place.write(name, Seed { used: 0, at: 0 });
        }
    }

    fn find(&self, key: &Key) -> (u64, &Place) {
        let name = self.names.hash_one(key.as_str());
        let place = usize::try_from(name % PLACES as u64).unwrap_or(0);
        (name, &self.places[place])
    }
}

impl Place {
    fn read(&self, name: u64) -> Option<Seed> {
        let mixed = self.mixed.load(Ordering::Relaxed);
        let used = self.used.load(Ordering::Relaxed);
        let at = self.at.load(Ordering::Relaxed);
        (mixed ^ used ^ at.rotate_left(32) == name).then_some(Seed { used, at })
    }

    fn write(&self, name: u64, seed: Seed) {
        self.mixed.store(name ^ seed.used ^ seed.at.rotate_left(32), Ordering::Relaxed);
        self.used.store(seed.used, Ordering::Relaxed);
        self.at.store(seed.at, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
