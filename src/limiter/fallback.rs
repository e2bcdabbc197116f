//! Counting in this process while the store is away: with this process's share of each quota, from
//! where keys stood last, and on account.
//!
//! The share of what remained is an equal one, so that processes which all lose the store admit
//! together what remained, and no client is refused for the outage. A process cannot tell whether it
//! lost the store alone. If it did, its share comes on top of what the others admit in the store: `k`
//! such processes of `n` add `k / n` of what remained. No rule of one process alone lowers that and
//! still hands out what remained where all lose the store.

use std::num::NonZeroU64;
use std::sync::Arc;

use self::last_known::LastKnownTable;
use self::shares::Shares;
use crate::domain::policy::{OnStoreFailure, Policy};
use crate::store::{
    Acquire, Acquired, Answer, Charge, Debtor, FallbackRequest, Fingerprint, Key, LastKnown,
    MemoryStore, Store as _, StoreError, StoreErrorKind,
};

mod last_known;
mod shares;

/// The memory store that stands in, and what it knows of the other.
#[derive(Debug)]
pub(super) struct Fallback {
    local: Arc<MemoryStore>,
    last_known: LastKnownTable,
    shares: Shares,
}

impl Fallback {
    /// Counts in `local`, with the share of one of `instances` in each of `policies`.
    pub(super) fn new<'a>(
        local: Arc<MemoryStore>,
        instances: NonZeroU64,
        policies: impl IntoIterator<Item = &'a Arc<Policy>, IntoIter: Clone>,
    ) -> Self {
        let policies = policies.into_iter();
        let counted = policies.clone().filter(|it| it.on_store_failure() == OnStoreFailure::Local);
        local.prepare(&counted.cloned().collect::<Vec<_>>());
        Self {
            local,
            last_known: LastKnownTable::default(),
            shares: Shares::new(instances, policies),
        }
    }

    /// Learns where the keys of `charges` stand in the store: those that would be counted here.
    pub(super) fn learn(&self, charges: &[Charge], acquired: &Acquired) {
        let now = self.local.now();
        for (charge, standing) in charges.iter().zip(&acquired.standings) {
            if charge.policy.on_store_failure() == OnStoreFailure::Local {
                self.last_known.learn(
                    charge.key.fingerprint(),
                    &charge.policy.terms(),
                    standing,
                    now,
                );
            }
        }
    }

    /// Decides `asked` because the store failed by `cause`: what was asked here instead, under this
    /// process's shares, and what came of it. What that store may have charged is not owed to it
    /// once more.
    pub(super) fn decide(&self, asked: &Acquire, cause: StoreErrorKind) -> (Acquire, Acquired) {
        let shared = |charge: &Charge| Charge {
            policy: self.shares.of(&charge.policy).clone(),
            key: charge.key.clone(),
        };
        let here = Acquire { charges: asked.charges.iter().map(shared).collect(), ..*asked };
        let owed = (!cause.may_have_charged()).then_some(asked);
        let known =
            |index: usize, fingerprint| self.known(fingerprint, &asked.charges[index].policy);
        let acquired =
            self.local.acquire_as_fallback(&FallbackRequest { asked: &here, owed, known });
        (here, acquired)
    }

    pub(super) fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        keys.iter().for_each(|key| self.last_known.forget(key.fingerprint()));
        self.local.reset(keys)
    }

    /// What the store left of this process's share of `policy` when it was asked about the key
    /// of `fingerprint` last: this process's part of what remained. `None` where that is all, or
    /// nothing is known.
    fn known(&self, fingerprint: Fingerprint, policy: &Arc<Policy>) -> Option<LastKnown> {
        let last_known = self.last_known.of(fingerprint)?;
        let remaining = policy.terms().burst.saturating_sub(last_known.used);
        let left = remaining.div_ceil(self.shares.instances().get());
        let used = self.shares.of(policy).terms().burst.saturating_sub(left);
        (used > 0).then_some(LastKnown { used, at: last_known.at })
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
            Err(_) => self.local.owe_on(charge, self.shares.of(&charge.policy), debt.count),
        }
    }
}

#[cfg(test)]
mod tests;
