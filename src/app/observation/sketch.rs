//! Counts the most frequent of very many keys, in a fixed amount of memory: a [`Sketch`].

use std::collections::HashMap;

use crate::domain::clock::Millis;
use crate::store::{BuildFingerprintHasher, Fingerprint, Key};

/// Counts with a fixed number of counters, each for one key: Space-Saving, as Metwally, Agrawal and El Abbadi describe it
/// in "Efficient Computation of Frequent and Top-k Elements in Data Streams" (2005).
///
/// When all counters are in use, a key without one takes over the smallest. It then counts on from there, and the
/// number that it found is its error. So a key is missing only if it came less often than the smallest counter says.
///
/// Keys are found by their fingerprint, whose secret no client knows.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    most: usize,
    counters: Vec<Estimate>,
    /// No counter says less than this.
    smallest: u64,
    /// All counters before this place say more.
    passed: usize,
    /// The place of each key among the counters.
    places: HashMap<Fingerprint, usize, BuildFingerprintHasher>,
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
    /// A sketch of at most so many counters.
    pub(super) fn new(most: usize) -> Self {
        Self { most, counters: Vec::new(), smallest: 0, passed: 0, places: HashMap::default() }
    }

    /// Counts `key` once.
    pub(super) fn count(&mut self, key: &Key, now: Millis) {
        if let Some(place) = self.places.get(&key.fingerprint()) {
            self.counters[*place].count += 1;
            return;
        }
        let new = |error| Estimate { key: key.clone(), count: error + 1, error, since: now };
        if self.counters.len() < self.most {
            self.places.insert(key.fingerprint(), self.counters.len());
            self.counters.push(new(0));
            return;
        }
        if let Some(place) = self.find_smallest() {
            let counter = &mut self.counters[place];
            self.places.remove(&counter.key.fingerprint());
            self.places.insert(key.fingerprint(), place);
            *counter = new(counter.count);
        }
    }

    /// The place of the smallest counter. Counters only grow, so the search goes on from where the last one ended.
    fn find_smallest(&mut self) -> Option<usize> {
        loop {
            let rest = &self.counters[self.passed..];
            if let Some(more) = rest.iter().position(|it| it.count == self.smallest) {
                self.passed += more;
                return Some(self.passed);
            }
            self.smallest = self.counters.iter().map(|it| it.count).min()?;
            self.passed = 0;
        }
    }

    /// The counts of this sketch and of a later one with as many counters together.
    pub(super) fn with(&self, later: &Self) -> Self {
        let mut both: Vec<Estimate> = self
            .counters
            .iter()
            .map(|it| {
                let (count, error) = later.bounds_of(&it.key);
                Estimate { count: it.count + count, error: it.error + error, ..it.clone() }
            })
            .collect();
        let is_new = |it: &&Estimate| !self.places.contains_key(&it.key.fingerprint());
        both.extend(later.counters.iter().filter(is_new).map(|it| {
            let (count, error) = self.bounds_of(&it.key);
            Estimate { count: it.count + count, error: it.error + error, ..it.clone() }
        }));
        both.sort_by_key(|it| std::cmp::Reverse(it.count));
        both.truncate(self.most);
        let place = |(place, it): (usize, &Estimate)| (it.key.fingerprint(), place);
        let places = both.iter().enumerate().map(place).collect();
        Self { most: self.most, counters: both, smallest: 0, passed: 0, places }
    }

    /// How often `key` was counted at most.
    pub(super) fn count_of(&self, key: &Key) -> u64 {
        self.bounds_of(key).0
    }

    /// How many keys were counted, each as often as it came. That is exact: whoever takes over a counter counts on.
    pub(super) fn total(&self) -> u64 {
        self.counters.iter().map(|it| it.count).sum()
    }

    /// What is known about each key that has a counter, in no order.
    pub(super) fn estimates(&self) -> impl Iterator<Item = Estimate> {
        self.counters.iter().cloned()
    }

    /// How often `key` was counted at most, and how much lower the true count may be.
    fn bounds_of(&self, key: &Key) -> (u64, u64) {
        match self.places.get(&key.fingerprint()) {
            Some(place) => (self.counters[*place].count, self.counters[*place].error),
            // It came no more often than the smallest counter says, if it came at all.
            None if self.counters.len() == self.most => {
                let smallest = self.counters.iter().map(|it| it.count).min().unwrap_or(0);
                (smallest, smallest)
            }
            None => (0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::key::Identity;
    use crate::domain::policy::Policy;
    use crate::store::Keyspace;

    fn key(number: u32) -> Key {
        let policy = Policy::new("p", "1/day".parse().unwrap()).unwrap();
        Keyspace::new("t").key(&Identity::user(number.to_string()), &policy)
    }

    proptest! {
        #[test]
        fn the_true_count_is_within_the_error_and_no_frequent_key_is_missing(
            first in prop::collection::vec(0..40_u32, 0..400),
            second in prop::collection::vec(20..60_u32, 0..400),
        ) {
            let sketch_of = |numbers: &[u32]| {
                let mut sketch = Sketch::new(8);
                numbers.iter().for_each(|number| sketch.count(&key(*number / 5 * (number % 5)), 0));
                sketch
            };
            let mut truth: HashMap<String, u64> = HashMap::new();
            for number in first.iter().chain(&second) {
                *truth.entry(key(*number / 5 * (number % 5)).to_string()).or_default() += 1;
            }
            let both = sketch_of(&first).with(&sketch_of(&second));
            prop_assert!(both.counters.len() <= 8);
            for it in both.estimates() {
                let count = truth.get(it.key.as_str()).copied().unwrap_or(0);
                prop_assert!(it.count - it.error <= count && count <= it.count, "{it:?}: {count}");
            }
            let alone = sketch_of(&first);
            let total = first.len() as u64;
            prop_assert_eq!(alone.total(), total);
            let mut counts: HashMap<u32, u64> = HashMap::new();
            first.iter().for_each(|it| *counts.entry(it / 5 * (it % 5)).or_default() += 1);
            for (number, count) in counts {
                let key = key(number);
                prop_assert!(alone.count_of(&key) >= count);
                if count > total / 8 {
                    prop_assert!(alone.places.contains_key(&key.fingerprint()), "{count} of {total}");
                }
            }
        }
    }
}
