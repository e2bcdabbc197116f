//! The store's answers, kept for a while in bounded memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::clock::{Clock, Millis};
use crate::domain::standing::{Retry, Standing};
use crate::store::{Ban, BuildFingerprintHasher, Fingerprint};

/// The most answers that are kept. Beyond that, the store is asked.
pub(super) const MAX_ANSWERS: usize = 65_536;

/// Enough shards that two threads rarely want the same lock.
const SHARDS: usize = 16;

/// Answers, by the fingerprint of the request.
#[derive(Debug)]
pub(super) struct AnswerCache {
    max_age: Millis,
    /// From this time on, none of them holds; 0 once it has passed. So a look into an empty cache costs one load.
    none_from: AtomicU64,
    shards: [Mutex<Shard>; SHARDS],
}

/// One answer of the store.
#[derive(Debug)]
pub(super) struct CachedAnswer {
    /// Until when the answer may be given again.
    pub(super) holds_until: Millis,
    /// When it arrived. A client that waits from then on is not too early.
    pub(super) answered: Millis,
    /// How often anything had been given back when it was asked for.
    pub(super) reopened: u64,
    pub(super) standings: Vec<Standing>,
    /// The ban that denies the request.
    pub(super) ban: Option<Ban>,
}

/// Two generations of answers. The old one is dropped as a whole when all its answers have expired.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Fingerprint, CachedAnswer, BuildFingerprintHasher>,
    old: HashMap<Fingerprint, CachedAnswer, BuildFingerprintHasher>,
    since: Millis,
}

impl AnswerCache {
    /// Room for answers that hold no longer than `max_age`.
    pub(super) fn new(max_age: Millis) -> Self {
        Self { max_age, none_from: AtomicU64::new(0), shards: Default::default() }
    }

    /// Where the charges of the request of `fingerprint` stand now, and the ban of its client, if an answer to it still
    /// holds. Whether it `holds` is also asked by how often anything had been given back before it.
    pub(super) fn get(
        &self,
        fingerprint: impl FnOnce() -> Fingerprint,
        clock: &dyn Clock,
        holds: impl FnOnce(u64) -> bool,
    ) -> Option<(Vec<Standing>, Option<Ban>)> {
        let none_from = self.none_from.load(Ordering::Relaxed);
        if none_from == 0 {
            return None;
        }
        let now = clock.now();
        if now >= none_from {
            // If an answer has come meanwhile, it stays known.
            let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
            let _ = self.none_from.compare_exchange(none_from, 0, set, get);
            return None;
        }
        let fingerprint = fingerprint();
        let mut shard = self.lock(fingerprint);
        shard.age(now, self.max_age);
        let known = shard.young.get(&fingerprint).or_else(|| shard.old.get(&fingerprint));
        let known = known.filter(|it| now < it.holds_until && holds(it.reopened))?;
        let passed = now.saturating_sub(known.answered);
        let ban = known.ban.map(|ban| Ban {
            lasts: ban.lasts.saturating_sub(passed).max(1),
            // It was begun before.
            decided: 0,
            ..ban
        });
        Some((known.standings.iter().map(|standing| after(standing, passed)).collect(), ban))
    }

    /// Keeps the answer to the request of `fingerprint`, if it `is_current` once the shard is locked.
    pub(super) fn insert(
        &self,
        fingerprint: Fingerprint,
        known: CachedAnswer,
        is_current: impl FnOnce() -> bool,
    ) {
        let mut shard = self.lock(fingerprint);
        if !is_current() {
            return;
        }
        shard.age(known.answered, self.max_age);
        self.none_from.fetch_max(known.holds_until, Ordering::Relaxed);
        if shard.young.len() < MAX_ANSWERS / SHARDS / 2 || shard.young.contains_key(&fingerprint) {
            shard.young.insert(fingerprint, known);
        }
    }

    /// Forgets the answer to the request of `fingerprint`.
    pub(super) fn forget(&self, fingerprint: Fingerprint) {
        let mut shard = self.lock(fingerprint);
        shard.young.remove(&fingerprint);
        shard.old.remove(&fingerprint);
    }

    /// Forgets all answers.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            *lock(shard) = Shard::default();
        }
    }

    /// How many answers it keeps.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let held = |shard| {
            let shard = lock(shard);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(held).sum()
    }

    fn lock(&self, fingerprint: Fingerprint) -> MutexGuard<'_, Shard> {
        lock(&self.shards[fingerprint.shard(SHARDS)])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    fn age(&mut self, now: Millis, max_age: Millis) {
        if now >= self.since.saturating_add(max_age) {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
    }
}

/// Where a key stands after `passed` milliseconds in which nothing was charged.
fn after(standing: &Standing, passed: Millis) -> Standing {
    let retry = match standing.retry {
        // Only the store can admit a request, so the remembered wait never ends here.
        Retry::After(wait) => Retry::After(wait.saturating_sub(passed).max(1)),
        other => other,
    };
    Standing { reset_after: standing.reset_after.saturating_sub(passed), retry, ..*standing }
}
