//! What the store is asked about a request.

use super::Limiter;
use super::check::Check;
use super::observer::AskedBy;
use super::overrides::OverrideTable;
use super::variants::{Policies, PolicyVariants};
use crate::domain::client::Client;
use crate::domain::quota::Cost;
use crate::domain::standing::Retry;
use crate::store::{Acquire, Acquired, Charge, PenaltyKey, Trial};

impl Limiter {
    /// Decides one request of `client` at `cost` under `policies`, and charges it if every one of
    /// them admits.
    pub fn check(&self, policies: &Policies, cost: Cost, client: &Client<'_>) -> Check {
        self.ask(AskedBy::request(AskedBy::LIBRARY, None), policies, cost, 1, client)
    }

    /// Decides like [`check`](Self::check), but charges nothing: the decision says whether a check
    /// would be admitted, and where each policy stands.
    pub fn peek(&self, policies: &Policies, cost: Cost, client: &Client<'_>) -> Check {
        self.ask(AskedBy::request(AskedBy::LIBRARY, None), policies, cost, 0, client)
    }

    pub(super) fn ask(
        &self,
        asked_by: AskedBy,
        policies: &Policies,
        cost: Cost,
        count: u32,
        client: &Client<'_>,
    ) -> Check {
        Check::start(self, self.asked_for(policies, cost, count, client), asked_by)
    }

    /// What the store is asked about `count` requests of `client` at `cost` under `policies`.
    pub(super) fn asked_for(
        &self,
        policies: &Policies,
        cost: Cost,
        count: u32,
        client: &Client<'_>,
    ) -> Acquire {
        if let Some(plan) = client.plan() {
            self.0.plans.notice(plan);
        }
        let mut asked = Acquire::new(Vec::with_capacity(policies.0.len()), count);
        let overridden = self.0.overridden.load();
        for variants in policies.0.iter().filter(|variants| !variants.is_off()) {
            match overridden.as_deref() {
                None => self.add(variants, self.charge(variants, cost, client), client, &mut asked),
                Some(table) if table.is_off(variants.policy()) => {}
                Some(table) => {
                    let charge = self.boosted(table, self.charge(variants, cost, client), client);
                    self.add(variants, charge, client, &mut asked);
                }
            }
        }
        asked
    }

    /// What `client` is charged under a policy.
    pub(super) fn charge(
        &self,
        variants: &PolicyVariants,
        cost: Cost,
        client: &Client<'_>,
    ) -> Charge {
        let policy = variants.policy_of(client);
        Charge { key: self.key(policy, client), policy: policy.clone(), cost }
    }

    /// The same, with the quota that an operator gave the client, if there is one.
    pub(super) fn boosted(
        &self,
        table: &OverrideTable,
        charge: Charge,
        client: &Client<'_>,
    ) -> Charge {
        match table.boosted(&charge.policy, charge.key.hash_tag()) {
            Some(policy) => {
                Charge { key: self.key(policy, client), policy: policy.clone(), ..charge }
            }
            None => charge,
        }
    }

    /// Adds to `asked` what `client` is `charged` under a policy, and what is tried out there. A peek tries out nothing.
    fn add(
        &self,
        variants: &PolicyVariants,
        charged: Charge,
        client: &Client<'_>,
        asked: &mut Acquire,
    ) {
        let is_tried = asked.count > 0;
        if !variants.is_in_force(&charged.key) {
            asked.trials.extend(is_tried.then(|| Trial::new(charged, None)));
            return;
        }
        if let Some(candidate) = variants.candidate_of(&charged.policy).filter(|_| is_tried) {
            let key = self.key(candidate, client);
            let candidate = Charge { key, policy: candidate.clone(), cost: charged.cost };
            asked.trials.push(Trial::new(candidate, Some(asked.charges.len())));
        }
        asked.penalties.extend(self.penalty(asked.charges.len(), &charged));
        asked.charges.push(charged);
    }

    /// The penalty of the policy of a charge, which is the one of this index.
    pub(super) fn penalty(&self, index: usize, charge: &Charge) -> Option<PenaltyKey> {
        let penalty = charge.policy.penalty()?;
        let key = self.0.keyspace.penalty_key(&charge.key, &charge.policy);
        Some(PenaltyKey::new(index, *penalty, key))
    }

    /// Whether the next request like `asked` is denied as well. That is not sure if a policy denies because of
    /// units that the store may still refund.
    pub(super) fn is_final(&self, asked: &Acquire, acquired: &Acquired) -> bool {
        let denying = asked.charges.iter().zip(&acquired.standings);
        let mut denying = denying.filter(|(_, standing)| standing.retry != Retry::Now);
        let variants = |charge: &Charge| self.0.variants.get(charge.policy.name());
        !self.0.store.may_give_back()
            || denying.all(|(charge, _)| {
                variants(charge).is_some_and(|variants| !variants.may_be_given_back())
            })
    }
}
