//! The keys of which this process holds leases, or may soon.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chunk::BUSY;
use super::counts::Counters;
use super::holding::Holding;
use crate::domain::algorithm::Terms;
use crate::domain::clock::Millis;
use crate::store::{BuildFingerprintHasher, Charge, Fingerprint};

/// Enough shards that two threads rarely want the same lock. A lock is held for a few loads and stores.
const SHARDS: usize = 64;

/// The most keys of a shard that may be leased. Others ask the store.
const MOST_KEYS: usize = 64;

/// How many requests came lately is counted for so many groups of keys in a shard.
const GROUPS: usize = 256;

/// What is held, by the fingerprint of the key and of the terms of its policy.
#[derive(Debug)]
pub(super) struct LeaseTable(Box<[Mutex<Shard>]>);

#[derive(Debug)]
pub(super) struct Shard {
    holdings: HashMap<Fingerprint, Holding, BuildFingerprintHasher>,
    /// The requests for other keys, so that memory is bounded and rare keys have no part in it.
    groups: Box<[Group]>,
}

/// The requests for a group of keys since a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    since: Millis,
    requests: u64,
}

impl Default for LeaseTable {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl Default for Shard {
    fn default() -> Self {
        let groups = vec![Group::default(); GROUPS].into_boxed_slice();
        Self { holdings: HashMap::default(), groups }
    }
}

impl LeaseTable {
    /// Calls `then` with the holding of a key that requests ask for; not for a rare one.
    pub(super) fn of_request<T>(
        &self,
        fingerprint: Fingerprint,
        charge: &Charge,
        lease: Millis,
        now: Millis,
        counters: impl FnOnce() -> Arc<Counters>,
        then: impl FnOnce(&mut Holding) -> T,
    ) -> Option<T> {
        let mut shard = self.lock(fingerprint);
        if let Some(holding) = shard.holdings.get_mut(&fingerprint) {
            return Some(then(holding));
        }
        if shard.is_busy(fingerprint, lease, now) && shard.has_room(now) {
            let charge = Charge::new(charge.policy.clone(), charge.key.clone());
            let holding = Holding::new(charge, lease, counters());
            return Some(then(shard.holdings.entry(fingerprint).or_insert(holding)));
        }
        None
    }

    /// Calls `then` with the holding of `fingerprint`, if there is one.
    pub(super) fn with<T>(
        &self,
        fingerprint: Fingerprint,
        then: impl FnOnce(&mut Holding) -> T,
    ) -> Option<T> {
        self.lock(fingerprint).holdings.get_mut(&fingerprint).map(then)
    }

    /// Calls `then` with every holding, and forgets those for which it returns false.
    pub(super) fn retain(&self, mut then: impl FnMut(&mut Holding) -> bool) {
        for shard in &self.0 {
            lock(shard).holdings.retain(|_, holding| then(holding));
        }
    }

    fn lock(&self, fingerprint: Fingerprint) -> MutexGuard<'_, Shard> {
        lock(&self.0[fingerprint.shard(SHARDS)])
    }
}

/// What the leases of a charge are found by. They are of one policy alone, since the terms of another may differ.
pub(super) fn fingerprint(charge: &Charge) -> Fingerprint {
    let Terms { units, window, burst } = charge.policy.terms();
    charge.key.fingerprint().with(units).with(window.longest()).with(burst)
}

impl Shard {
    /// Counts a request for a key without leases. Returns whether many came for its group of keys.
    fn is_busy(&mut self, fingerprint: Fingerprint, lease: Millis, now: Millis) -> bool {
        let (group, _) = fingerprint.slot(GROUPS);
        let group = &mut self.groups[group];
        if now.saturating_sub(group.since) >= lease {
            *group = Group { since: now, requests: 0 };
        }
        group.requests += 1;
        group.requests >= BUSY
    }

    fn has_room(&mut self, now: Millis) -> bool {
        if self.holdings.len() >= MOST_KEYS {
            self.holdings.retain(|_, holding| !holding.is_over(now));
        }
        self.holdings.len() < MOST_KEYS
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
