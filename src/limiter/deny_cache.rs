//! Requests that are known to be denied until a known time: the store need not repeat it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::algorithm::Terms;
use crate::clock::{Clock, Millis};
use crate::decision::{Retry, Standing};
use crate::store::{Acquire, Acquired, BuildNameHasher, Name};

/// How many denials it remembers at most; beyond that the store is asked.
const MAX_DENIALS: usize = 65_536;

/// So many that threads seldom meet.
const SHARDS: usize = 16;

/// Denials, for as long as they surely hold.
///
/// It is exact because a denied request charges nothing: only time can open the gate, or an
/// operator's reset, which other processes see when what they remember is too old. Remembered is
/// the whole request, its keys, their terms and its cost, since only together do they say when it
/// is admitted.
#[derive(Debug)]
pub(super) struct DenyCache {
    max_age: Millis,
    clock: Arc<dyn Clock>,
    /// From when on none of them holds: where nobody is denied, nobody pays for a look either.
    none_from: AtomicU64,
    shards: [Mutex<Denials>; SHARDS],
}

/// Two generations, so that the old go all at once when they have outlived their age.
#[derive(Debug, Default)]
struct Denials {
    young: HashMap<Name, Denial, BuildNameHasher>,
    old: HashMap<Name, Denial, BuildNameHasher>,
    since: Millis,
}

#[derive(Debug)]
struct Denial {
    /// Until then it holds, wherever between question and answer the store read its clock.
    holds_until: Millis,
    /// As of the answer: who waits from then on is not early.
    answered: Millis,
    standings: Vec<Standing>,
}

impl DenyCache {
    /// A cache of denials no older than `max_age`, by `clock`, which must not step back.
    pub(super) fn new(max_age: Duration, clock: Arc<dyn Clock>) -> Self {
        let max_age = Millis::try_from(max_age.as_millis()).unwrap_or(Millis::MAX);
        Self { max_age, clock, none_from: AtomicU64::new(0), shards: Default::default() }
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The denial of `asked`, if one is known that still holds.
    pub(super) fn denial(&self, asked: &Acquire, now: Millis) -> Option<Acquired> {
        if asked.count == 0 || now >= self.none_from.load(Ordering::Relaxed) {
            return None;
        }
        let name = name(asked);
        let mut denials = self.lock(name);
        denials.age(now, self.max_age);
        let denial = denials.get(name).filter(|it| now < it.holds_until)?;
        let passed = now.saturating_sub(denial.answered);
        let standings = denial.standings.iter().map(|standing| after(standing, passed)).collect();
        Some(Acquired { admitted: 0, standings })
    }

    /// Remembers what the store answered, if that is a denial, to what it was asked at `asked_at`.
    pub(super) fn remember(&self, asked: &Acquire, asked_at: Millis, acquired: &Acquired) {
        if acquired.admitted > 0 || asked.count == 0 {
            return;
        }
        let retry = acquired.standings.iter().fold(Retry::Now, |wait, it| wait.later(it.retry));
        let wait = match retry {
            Retry::Now => return,
            Retry::After(wait) => wait.min(self.max_age),
            Retry::Never => self.max_age,
        };
        let answered = self.clock.now();
        let standings = acquired.standings.clone();
        let holds_until = asked_at + wait;
        let name = name(asked);
        let mut denials = self.lock(name);
        denials.age(answered, self.max_age);
        denials.insert(name, Denial { holds_until, answered, standings });
        self.none_from.fetch_max(holds_until, Ordering::Relaxed);
    }

    /// Forgets everything, as when quotas were reset.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            *lock(shard) = Denials::default();
        }
    }

    fn lock(&self, name: Name) -> MutexGuard<'_, Denials> {
        lock(&self.shards[name.shard(SHARDS)])
    }
}

fn lock(shard: &Mutex<Denials>) -> MutexGuard<'_, Denials> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `asked` is remembered by: everything that a denial depends on. The terms are of it, since
/// users of one key may have plans of their own, or change them.
fn name(asked: &Acquire) -> Name {
    let charges = asked.charges.iter().map(|charge| {
        let Terms { units, window, burst } = charge.policy.terms();
        charge.key.name().with(units).with(window).with(burst)
    });
    let all = charges.reduce(Name::then).unwrap_or_default();
    all.with(asked.cost.units())
}

impl Denials {
    fn get(&self, name: Name) -> Option<&Denial> {
        self.young.get(&name).or_else(|| self.old.get(&name))
    }

    fn insert(&mut self, name: Name, denial: Denial) {
        if self.young.len() < MAX_DENIALS / SHARDS / 2 || self.young.contains_key(&name) {
            self.young.insert(name, denial);
        }
    }

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

#[cfg(test)]
mod tests;
