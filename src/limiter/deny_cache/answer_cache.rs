//! AnswerCache of the store that are kept for a while, in bounded room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::clock::Millis;
use crate::domain::decision::{Retry, Standing};
use crate::store::{BuildFingerprintHasher, Fingerprint};

/// How many answers are kept at most; beyond that the store is asked.
pub(super) const MAX_ANSWERS: usize = 65_536;

/// So many that threads seldom meet.
const SHARDS: usize = 16;

/// AnswerCache, each by the name of its question.
#[derive(Debug)]
pub(super) struct AnswerCache {
    max_age: Millis,
    /// From when on none of them holds: where there is none, nobody pays for a look either.
    none_from: AtomicU64,
    shards: [Mutex<Shard>; SHARDS],
}

/// What the store answered.
#[derive(Debug)]
pub(super) struct CachedAnswer {
    /// Until then the answer is given again.
    pub(super) holds_until: Millis,
    /// When it arrived: who waits from then on is not early.
    pub(super) answered: Millis,
    pub(super) standings: Vec<Standing>,
}

/// Two generations, so that the old go all at once when they have outlived their age.
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

    /// Where the charges of the question of `fingerprint` stand at `now`, if an answer to it still
    /// holds.
    pub(super) fn get(
        &self,
        fingerprint: impl FnOnce() -> Fingerprint,
        now: Millis,
    ) -> Option<Vec<Standing>> {
        if now >= self.none_from.load(Ordering::Relaxed) {
            return None;
        }
        let fingerprint = fingerprint();
        let mut shard = self.lock(fingerprint);
        shard.age(now, self.max_age);
        let known = shard.young.get(&fingerprint).or_else(|| shard.old.get(&fingerprint));
        let known = known.filter(|it| now < it.holds_until)?;
        let passed = now.saturating_sub(known.answered);
        Some(known.standings.iter().map(|standing| after(standing, passed)).collect())
    }

    /// Keeps the answer to the question of `fingerprint`, if that `is_current` when nobody else can look
    /// for it.
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

    /// Forgets the answer to the question of `fingerprint`.
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

/// Where a key stands when `passed` has passed and nothing was charged.
fn after(standing: &Standing, passed: Millis) -> Standing {
    let retry = match standing.retry {
        // The store alone says that the gate is open: a request that it would admit asks it.
        Retry::After(wait) => Retry::After(wait.saturating_sub(passed).max(1)),
        other => other,
    };
    Standing { reset_after: standing.reset_after.saturating_sub(passed), retry, ..*standing }
}
