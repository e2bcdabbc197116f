//! The store as a stand-in for another that is away: keys begin where they stood there, and what is
//! admitted is owed to it.

use std::sync::Arc;

use super::acquire::{UnderLock, untouched};
use super::crowding::Counted;
use super::{Fingerprint, MemoryStore, Shard};
use crate::domain::algorithm::State;
use crate::domain::clock::Millis;
use crate::domain::decision::Standing;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::store::{Acquire, Acquired, Charge, Key};

/// How many keys may owe something at most; what is admitted beyond them is not charged back.
pub(super) const MAX_DEBTS: usize = 131_072;

/// What was admitted here under one key, and is owed to the store that was away.
#[derive(Debug)]
pub(super) struct Debt {
    /// As that store counts it.
    charge: Charge,
    /// As it is counted here.
    share: Arc<Policy>,
    units: u64,
}

/// A request that the store which is away did not decide.
#[derive(Debug)]
pub(crate) struct FallbackRequest<'a, B> {
    /// What is asked here, under this process's shares.
    pub(crate) asked: &'a Acquire,
    /// The same as the other store counts it; `None` where nothing is owed to it.
    pub(crate) owed: Option<&'a Acquire>,
    /// What is known of the key of the charge at an index, by its name.
    pub(crate) known: B,
}

/// What the other store had counted of a key when it said so last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastKnown {
    /// The units of the share that it leaves no room for.
    pub(crate) used: u64,
    /// As of when.
    pub(crate) at: Millis,
}

impl MemoryStore {
    /// The time by which it counts.
    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Decides instead of the store that is away.
    pub(crate) fn acquire_as_fallback<B>(&self, request: &FallbackRequest<'_, B>) -> Acquired
    where
        B: Fn(usize, Fingerprint) -> Option<LastKnown>,
    {
        self.acquire_with(request.asked, request)
    }

    /// Hands out at most `most` debts, no more of each than its key still counts as used here: what
    /// a window has forgotten meanwhile is owed no longer.
    pub(crate) fn debts(&self, most: usize) -> Vec<Acquire> {
        let mut debts = Vec::new();
        for shard in 0..self.for_keys {
            let mut shard = self.lock(shard);
            while debts.len() < most && !shard.debts.is_empty() {
                let now = self.clock.now();
                let fingerprints: Vec<Fingerprint> =
                    shard.debts.keys().copied().take(most - debts.len()).collect();
                debts.extend(
                    fingerprints
                        .into_iter()
                        .filter_map(|fingerprint| shard.hand_out(fingerprint, now)),
                );
            }
        }
        debts
    }

    /// The debt of `key` was settled: the key begins anew, unless it owes something again.
    pub(crate) fn settled(&self, key: &Key) {
        let fingerprint = key.fingerprint();
        let mut shard = self.lock(self.home(fingerprint));
        if !shard.debts.contains_key(&fingerprint) {
            shard.entries.remove(&fingerprint);
        }
    }

    /// A debt of so many units was not taken: `charge` is owed on, under `share` here.
    pub(crate) fn owe_on(&self, charge: &Charge, share: &Arc<Policy>, units: u32) {
        let fingerprint = charge.key.fingerprint();
        self.lock(self.home(fingerprint)).owe(fingerprint, charge, share, units.into());
    }
}

impl<B: Fn(usize, Fingerprint) -> Option<LastKnown>> UnderLock for FallbackRequest<'_, B> {
    fn before_reading(
        &self,
        shard: &mut Shard,
        fingerprint: Fingerprint,
        index: usize,
        now: Millis,
    ) {
        if let Some(known) = (self.known)(index, fingerprint) {
            shard.begin(fingerprint, &self.asked.charges[index], known, now);
        }
    }

    /// No better than what the other store had left of the key. What is counted coarser is not owed.
    fn bound(&self, index: usize, now: Millis, cost: Cost, standing: Standing) -> Standing {
        let charge = &self.asked.charges[index];
        let known = (self.known)(index, charge.key.fingerprint());
        let own = known.map(|known| {
            begun(&charge.policy, known.used, known.at).standing(&charge.policy.terms(), now, cost)
        });
        own.filter(|own| own.remaining < standing.remaining).unwrap_or(standing)
    }

    fn after_charging(
        &self,
        shard: &mut Shard,
        fingerprint: Fingerprint,
        index: usize,
        units: u64,
    ) {
        if let Some(owed) = self.owed.filter(|_| units > 0) {
            shard.owe(fingerprint, &owed.charges[index], &self.asked.charges[index].policy, units);
        }
    }
}

impl Shard {
    /// Has a key begin with what is known of it and what it owes, where that leaves less than what
    /// is counted here: the other store may have gone on since.
    fn begin(&mut self, fingerprint: Fingerprint, charge: &Charge, known: LastKnown, now: Millis) {
        let terms = charge.policy.terms();
        let owed = self.debts.get(&fingerprint).map_or(0, |debt| debt.units);
        let state = begun(&charge.policy, known.used.saturating_add(owed), known.at);
        let begun = state.standing(&terms, now, Cost::ONE);
        let is_less = match self.standing(fingerprint, charge, now, Cost::ONE) {
            Some(here) => begun.remaining < here.remaining,
            None => {
                let own = Counted::own(&charge.key);
                begun.remaining < terms.burst
                    && self.entries.has_place(own, charge, [].into_iter(), now)
            }
        };
        if is_less {
            self.entries.insert(fingerprint, &charge.policy, state, now + begun.reset_after);
        }
    }

    fn owe(&mut self, fingerprint: Fingerprint, charge: &Charge, share: &Arc<Policy>, units: u64) {
        if let Some(debt) = self.debts.get_mut(&fingerprint) {
            debt.units = debt.units.saturating_add(units);
        } else if self.debts.len() < self.most_debts {
            let debt = Debt { charge: charge.clone(), share: share.clone(), units };
            self.debts.insert(fingerprint, debt);
        }
    }

    fn hand_out(&mut self, fingerprint: Fingerprint, now: Millis) -> Option<Acquire> {
        let mut debt = self.debts.remove(&fingerprint)?;
        let here = Charge { policy: debt.share.clone(), key: debt.charge.key.clone() };
        let standing = self.standing(fingerprint, &here, now, Cost::ONE);
        let remaining = standing.unwrap_or_else(|| untouched(&here, now, Cost::ONE)).remaining;
        let used = here.policy.terms().burst.saturating_sub(remaining);
        debt.units = debt.units.min(used);
        if debt.units == 0 {
            return None;
        }
        let charges = vec![debt.charge.clone()];
        let count = u32::try_from(debt.units).unwrap_or(u32::MAX);
        debt.units -= u64::from(count);
        if debt.units > 0 {
            self.debts.insert(fingerprint, debt);
        }
        Some(Acquire { charges, cost: Cost::ONE, count })
    }
}

/// The state of a key of which so much was used at once.
fn begun(share: &Policy, used: u64, at: Millis) -> State {
    let terms = share.terms();
    let mut state = State::untouched(share.algorithm());
    state.charge(&terms, at, used.min(terms.burst), Cost::ONE);
    state
}

#[cfg(test)]
mod tests;
