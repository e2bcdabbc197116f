//! Counting in this process while the store is away: with this process's share of each quota, from
//! where keys stood last, and on account.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use super::Rule;
use super::seeds::Seeds;
use crate::policy::Policy;
use crate::store::{
    Acquire, Acquired, Answer, Charge, Debtor, Instead, Key, Known, MemoryStore, Store as _,
    StoreError, StoreErrorKind,
};

/// The memory store that stands in, and what it knows of the other.
#[derive(Debug)]
pub(super) struct Fallback {
    local: Arc<MemoryStore>,
    seeds: Seeds,
    instances: NonZeroU64,
    /// By the names of the policies.
    shares: HashMap<String, Arc<Policy>>,
}

impl Fallback {
    pub(super) fn new(
        local: Arc<MemoryStore>,
        instances: NonZeroU64,
        rules: &HashMap<String, Rule>,
    ) -> Self {
        let shares = rules.iter().map(|(name, rule)| (name.clone(), rule.share.clone())).collect();
        Self { local, seeds: Seeds::default(), instances, shares }
    }

    /// Learns where the keys of `charges` stand in the store.
    pub(super) fn learn(&self, charges: &[Charge], acquired: &Acquired) {
        let now = self.local.now();
        for (charge, standing) in charges.iter().zip(&acquired.standings) {
            self.seeds.learn(&charge.key, &charge.policy.terms(), standing, now);
        }
    }

    /// Decides `asked`, which is under this process's shares of `policies`, because the store failed
    /// by `cause`. What that store may have charged is not owed to it once more.
    pub(super) fn decide(
        &self,
        asked: &Acquire,
        policies: &[Arc<Policy>],
        cause: StoreErrorKind,
    ) -> Result<Acquired, StoreError> {
        let owed = (!cause.may_have_charged()).then_some(policies);
        let known = |index: usize| {
            let charge = asked.charges.get(index)?;
            self.known(policies.get(index)?, &charge.policy, &charge.key)
        };
        self.local.stand_in(&Instead { asked, owed, known })
    }

    pub(super) fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        keys.iter().for_each(|key| self.seeds.forget(key));
        self.local.reset(keys)
    }

    /// What the store left of this process's `share` when it was asked about `key` last: this
    /// process's part of what remained. `None` where that is all, or nothing is known.
    fn known(&self, policy: &Policy, share: &Policy, key: &Key) -> Option<Known> {
        let seed = self.seeds.of(key)?;
        let remaining = policy.terms().burst.saturating_sub(seed.used);
        let left = remaining.div_ceil(self.instances.get());
        let used = share.terms().burst.saturating_sub(left);
        (used > 0).then_some(Known { used, at: seed.at })
    }
}

impl Debtor for Fallback {
    fn debts(&self, most: usize) -> Vec<Acquire> {
        self.local.debts(most)
    }

    fn settled(&self, debt: &Acquire, answer: &Result<Acquired, StoreError>) {
        let Some(charge) = debt.charges.first() else { return };
        match answer {
            Ok(acquired) => {
                // First, so that a request of this moment finds one of the two.
                self.learn(&debt.charges, acquired);
                self.local.settled(&charge.key);
            }
            // Never sent twice. What was counted here stays counted.
            Err(error) if error.kind().may_have_charged() => {}
            Err(_) => {
                if let Some(share) = self.shares.get(charge.policy.name()) {
                    self.local.owe_on(debt, share);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
