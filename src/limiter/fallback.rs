//! Counting in this process while the store is away.
//!
//! A process counts against its share of each quota, and each key begins where it last stood in the store.
//! What is admitted is a debt, which is charged to the store when it is back.
//!
//! All processes have equal shares of what remained. So if all lose the store, together they admit what
//! remained, and the outage costs no client a request. But a process cannot tell whether it alone has
//! lost the store. If it has, it admits its share on top of what the others admit in the store: `k` such
//! processes of `n` add `k / n` of what remained. No rule within one process can lower that and still
//! hand out all of what remained if every process loses the store.

use std::cell::LazyCell;
use std::num::NonZeroU64;
use std::sync::Arc;

use self::last_known::LastKnownTable;
use self::shares::Shares;
use crate::domain::policy::{OnStoreFailure, Policy};
use crate::store::{
    Acquire, Acquired, Answer, Charge, Debtor, FallbackRequest, Fingerprint, Key, LastKnown,
    MemoryStore, Refund, Refunded, Store, StoreError, StoreErrorKind,
};

mod last_known;
mod shares;

/// The memory store that counts in place of the store, and what is known of the store.
#[derive(Debug)]
pub(super) struct Fallback {
    local: Arc<MemoryStore>,
    last_known: Arc<LastKnownTable>,
    shares: Shares,
}

impl Fallback {
    /// A fallback that counts in `local`, against one of `instances` shares of each of `policies`.
    pub(super) fn new<'a>(
        local: Arc<MemoryStore>,
        instances: NonZeroU64,
        policies: impl IntoIterator<Item = &'a Arc<Policy>, IntoIter: Clone>,
    ) -> Self {
        let policies = policies.into_iter();
        let counted = policies.clone().filter(|it| it.on_store_failure() == OnStoreFailure::Local);
        local.prepare(&counted.cloned().collect::<Vec<_>>());
        Self { local, last_known: Arc::default(), shares: Shares::new(instances, policies) }
    }

    /// The same, which also knows what `previous` knows of the store.
    pub(super) fn succeed(self, previous: &Self) -> Self {
        Self { last_known: previous.last_known.clone(), ..self }
    }

    /// Learns where the keys of `asked` stand in the store, as far as they would be counted here, and who is banned.
    pub(super) fn learn(&self, asked: &Acquire, acquired: &Acquired) {
        let now = LazyCell::new(|| self.local.now());
        for (charge, standing) in asked.charges.iter().zip(&acquired.standings) {
            let is_local = charge.policy.on_store_failure() == OnStoreFailure::Local;
            // What is under way there is not under way here.
            if is_local && !charge.is_in_flight() {
                let fingerprint = charge.key.fingerprint();
                self.last_known.learn(fingerprint, &charge.policy.terms(), standing, *now);
            }
        }
        if let Some(ban) = acquired.ban
            && let Some(penalty) = asked.penalties.get(ban.penalty)
        {
            self.local.learn_ban(penalty, ban.lasts);
        }
    }

    /// Decides `asked` after the store failed with `cause`. It returns what was asked here, under this
    /// process's shares, and the answer. If the store may have charged the request, nothing is owed to
    /// it.
    pub(super) fn decide(&self, asked: &Acquire, cause: StoreErrorKind) -> (Acquire, Acquired) {
        let shared =
            |charge: &Charge| Charge { policy: self.shares.of(&charge.policy), ..charge.clone() };
        let here = asked.charges.iter().map(shared).collect();
        // Trials wait for the store. Denials are counted here meanwhile.
        let penalties = asked.penalties.clone();
        let here = Acquire { penalties, ..Acquire::new(here, asked.count) };
        let owed = (!cause.may_have_charged()).then_some(asked);
        let known =
            |index: usize, fingerprint| self.known(fingerprint, &asked.charges[index].policy);
        let acquired =
            self.local.acquire_as_fallback(&FallbackRequest { asked: &here, owed, known });
        (here, acquired)
    }

    /// The store that counts here.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.local.clone()
    }

    /// Gives back what was counted here, and so is not owed either.
    pub(super) fn refund(&self, refunds: Vec<Refund>) -> Answer<Vec<Refunded>> {
        self.local.refund(refunds)
    }

    pub(super) fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        keys.iter().for_each(|key| self.last_known.forget(key.fingerprint()));
        self.local.reset(keys)
    }

    /// How much of this process's share of `policy` counts as used, so that its part of what remained when
    /// the store last told is left. `None` if the whole share is left, or if nothing is known.
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
                // It learns before it forgets the key, so that a request at this moment finds one of the
                // two.
                self.learn(debt, acquired);
                self.local.settled(&charge.key);
            }
            // A debt is never sent twice. What was counted here stays counted.
            Err(error) if error.kind().may_have_charged() => {}
            Err(_) => self.local.owe_again(charge, &self.shares.of(&charge.policy), debt.count),
        }
    }
}

#[cfg(test)]
mod tests;
