//! The memory store in place of another store that is away: keys begin where they stood there, and what is
//! admitted is owed to it.

use std::sync::Arc;

use super::acquire::{UnderLock, untouched};
use super::crowding::Counted;
use super::shard::Shard;
use super::shards::MemoryStore;
use crate::domain::algorithm::State;
use crate::domain::clock::Millis;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::standing::Standing;
use crate::store::{Acquire, Acquired, Charge, Fingerprint, Key};

/// A request that the store could not decide because it is away.
#[derive(Debug)]
pub(crate) struct FallbackRequest<'a, B> {
    /// What is asked here, under this process's shares of the quotas.
    pub(crate) asked: &'a Acquire,
    /// The same as the other store counts it; `None` if nothing is owed to it.
    pub(crate) owed: Option<&'a Acquire>,
    /// Finds what is known of a key, by the index of its charge and its fingerprint.
    pub(crate) known: B,
}

/// How many units of a quota a key had used, when a store last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastKnown {
    /// The units, of the whole quota or of this process's share of it.
    pub(crate) used: u64,
    /// When the store told.
    pub(crate) at: Millis,
}

impl MemoryStore {
    /// The time by which it counts.
    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Decides in place of the store that is away.
    pub(crate) fn acquire_as_fallback<B>(&self, request: &FallbackRequest<'_, B>) -> Acquired
    where
        B: Fn(usize, Fingerprint) -> Option<LastKnown>,
    {
        self.acquire_with(request.asked, request)
    }

    /// Hands out at most `most` debts. Each is no more than its key still counts as used here: units of a
    /// window that has ended are owed no longer.
    pub(crate) fn debts(&self, most: usize) -> Vec<Acquire> {
        let mut debts = Vec::new();
        for shard in 0..self.key_shards {
            let mut shard = self.lock(shard);
            while debts.len() < most && !shard.debts.is_empty() {
                let now = self.clock.now();
                let keys = shard.debts.some_keys(most - debts.len());
                debts.extend(keys.into_iter().filter_map(|key| shard.hand_out(key, now)));
            }
        }
        debts
    }

    /// Forgets `key`, whose debt was settled, unless it owes something again.
    pub(crate) fn settled(&self, key: &Key) {
        let fingerprint = key.fingerprint();
        let mut shard = self.lock(self.shard_of_key(fingerprint));
        if !shard.debts.has(&fingerprint) {
            shard.entries.remove(&fingerprint);
        }
    }

    /// Takes back a debt of `units` that the store did not accept: `charge` as the store counts it, under
    /// `share` here.
    pub(crate) fn owe_again(&self, charge: &Charge, share: &Arc<Policy>, units: u32) {
        let fingerprint = charge.key.fingerprint();
        let mut shard = self.lock(self.shard_of_key(fingerprint));
        shard.debts.add(fingerprint, charge, share, units.into());
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

    /// Limits the standing of a coarser count to what the other store had left of the key itself. Charges
    /// to a coarser count are not owed.
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
        let charge = &self.asked.charges[index];
        // What is under way here is not under way there.
        if let Some(owed) = self.owed.filter(|_| units > 0 && !charge.is_in_flight()) {
            let share = &charge.policy;
            shard.debts.add(fingerprint, &owed.charges[index], share, units);
        }
    }
}

impl Shard {
    /// Replaces a key's entry with what is known of it and what it owes, if that leaves less than the entry
    /// does: the other store may have counted on since.
    fn begin(&mut self, fingerprint: Fingerprint, charge: &Charge, known: LastKnown, now: Millis) {
        let terms = charge.policy.terms();
        let owed = self.debts.units(&fingerprint);
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

    /// Takes the debt of a key, as far as one call to the store can carry it; `None` if the key owes
    /// nothing any more.
    fn hand_out(&mut self, fingerprint: Fingerprint, now: Millis) -> Option<Acquire> {
        let mut debt = self.debts.take(&fingerprint)?;
        let here = Charge::new(debt.share.clone(), debt.charge.key.clone());
        let standing = self.standing(fingerprint, &here, now, Cost::ONE);
        let remaining = standing.unwrap_or_else(|| untouched(&here, now, Cost::ONE)).remaining;
        let used = here.policy.terms().burst.saturating_sub(remaining);
        debt.units = debt.units.min(used);
        if debt.units == 0 {
            return None;
        }
        // What is owed are units, whatever the requests cost.
        let charges = vec![debt.charge.clone().with_cost(Cost::ONE)];
        let count = u32::try_from(debt.units).unwrap_or(u32::MAX);
        debt.units -= u64::from(count);
        if debt.units > 0 {
            self.debts.put_back(fingerprint, debt);
        }
        Some(Acquire::new(charges, count))
    }
}

/// The state of a key of which `used` units were used at one instant.
fn begun(share: &Policy, used: u64, at: Millis) -> State {
    let terms = share.terms();
    let mut state = State::untouched(share.algorithm());
    state.charge(&terms, at, used.min(terms.burst), Cost::ONE);
    state
}

#[cfg(test)]
mod tests;
