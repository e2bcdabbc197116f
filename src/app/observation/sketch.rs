//! Counts the most frequent of very many keys, in a fixed amount of memory: a [`Sketch`].

use std::fmt;
use std::hash::{Hash, Hasher};

use topk::FilteredSpaceSaving;

use crate::domain::clock::Millis;
use crate::store::{FingerprintHasher, Key};

/// Counts with a fixed number of counters, each for one key (Filtered Space-Saving). When all are in use, a key
/// without a counter takes the smallest one over once it may be the more frequent one.
///
/// Keys are hashed by their fingerprint, whose secret no client knows.
#[derive(Clone)]
pub(super) struct Sketch(FilteredSpaceSaving<Counted, FingerprintHasher>);

/// A key that has a counter.
#[derive(Clone)]
struct Counted {
    key: Key,
    /// When it got its counter.
    since: Millis,
}

/// What a sketch says about one key.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) key: Key,
    /// How often it was counted at most.
    pub(super) count: u64,
    /// How much lower the true count may be.
    pub(super) error: u64,
    /// When it got its counter.
    pub(super) since: Millis,
}

impl Sketch {
    pub(super) fn new(counters: usize) -> Self {
        Self(FilteredSpaceSaving::with_hasher(counters))
    }

    /// Counts `key` once.
    pub(super) fn count(&mut self, key: &Key, now: Millis) {
        self.0.insert(Counted { key: key.clone(), since: now }, 1);
    }

    /// The counts of this sketch and of a later one with as many counters together.
    pub(super) fn with(&self, later: &Self) -> Self {
        let mut both = self.0.clone();
        // It fails only for different numbers of counters, and no caller has those.
        let _ = both.merge(&later.0);
        Self(both)
    }

    /// What is known about `key`. Without a counter of its own, its count is an upper bound, and may be 0.
    pub(super) fn count_of(&self, key: &Key) -> u64 {
        self.0.estimate(&Counted { key: key.clone(), since: 0 }).estimated_count()
    }

    /// What is known about each key that has a counter, in no order.
    pub(super) fn estimates(&self) -> impl Iterator<Item = Estimate> {
        self.0.iter().map(|(counted, counter)| Estimate {
            key: counted.key.clone(),
            count: counter.estimated_count(),
            error: counter.associated_error().min(counter.estimated_count()),
            since: counted.since,
        })
    }
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sketch").field("count", &self.0.count()).finish_non_exhaustive()
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.key.fingerprint() == other.key.fingerprint()
    }
}

impl Eq for Counted {}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.fingerprint().hash(state);
    }
}
