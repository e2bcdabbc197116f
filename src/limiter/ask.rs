//! What the store is asked about a request.

use std::ops::Range;
use std::sync::Arc;

use super::Limiter;
use super::check::Check;
use super::observer::AskedBy;
use super::overrides::OverrideTable;
use super::policies::Policies;
use super::variants::PolicyVariants;
use crate::domain::client::Client;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::standing::Retry;
use crate::store::{Acquire, Acquired, Charge, Key, PenaltyKey, Trial};

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
        let table = overridden.as_deref().map(|table| &**table);
        for variants in policies.0.iter().filter(|variants| !variants.is_off()) {
            if table.is_some_and(|table| table.is_off(variants.policy())) {
                continue;
            }
            if let Some((parts, key)) = self.parts(variants, table, client) {
                self.add(variants, parts, key, cost, &mut asked);
            }
        }
        asked
    }

    /// What `client` is charged under a policy, at least one variant of it, and the key of the first. `None` if the policy
    /// does not apply to the client. An operator may have given the client another quota in `table`.
    pub(super) fn parts<'a>(
        &self,
        variants: &'a PolicyVariants,
        table: Option<&'a OverrideTable>,
        client: &Client<'_>,
    ) -> Option<(&'a [Arc<Policy>], Key)> {
        let parts = variants.parts_of(client);
        let first = parts.first();
        let Some(table) = table else { return Some((parts, self.key(first?, client))) };
        let key = self.key(first.unwrap_or(variants.policy()), client);
        match table.boosted(variants.policy(), key.hash_tag()) {
            Some(boosted) => {
                let key = self.0.keyspace.key_of_tag(key.hash_tag(), boosted.first()?);
                Some((boosted, key))
            }
            None => first.map(|_| (parts, key)),
        }
    }

    /// Adds to `asked` what a client is charged under a policy, which is `parts`, with the key of the first. Adds what is
    /// tried out there as well. A peek tries out nothing.
    fn add(
        &self,
        variants: &PolicyVariants,
        parts: &[Arc<Policy>],
        key: Key,
        cost: Cost,
        asked: &mut Acquire,
    ) {
        let is_tried = asked.count > 0;
        if !variants.is_in_force(&key) {
            asked.trials.extend(is_tried.then(|| self.trial(parts, key, cost)).flatten());
            return;
        }
        let Some((first, further)) = parts.split_first() else { return };
        let charged = asked.charges.len()..asked.charges.len() + parts.len();
        let candidate = variants.candidate_of(parts);
        if let Some(tried) = candidate.first()
            && is_tried
        {
            let key = self.0.keyspace.key_of_tag(key.hash_tag(), tried);
            let trial = self.trial(candidate, key, cost);
            let replaces = Some(charged.clone());
            asked.trials.extend(trial.map(|trial| Trial { replaces, ..trial }));
        }
        asked.charges.push(Charge { key, policy: first.clone(), cost });
        for part in further {
            let charge = self.further(part, &asked.charges[charged.start].key, cost);
            asked.charges.push(charge);
        }
        if let Some(penalty) = self.penalty(charged, &asked.charges) {
            asked.penalties.push(penalty);
        }
    }

    /// Tries out all of `parts`, the first of which counts by `key`; `None` if there is none.
    fn trial(&self, parts: &[Arc<Policy>], key: Key, cost: Cost) -> Option<Trial> {
        let (first, further) = parts.split_first()?;
        let further = further.iter().map(|part| self.further(part, &key, cost)).collect();
        let charge = Charge { key, policy: first.clone(), cost };
        Some(Trial { further, ..Trial::new(charge, None) })
    }

    /// The charge of a further quota of a policy whose first quota counts by `first`.
    pub(super) fn further(&self, part: &Arc<Policy>, first: &Key, cost: Cost) -> Charge {
        let key = self.0.keyspace.key_of_tag(first.hash_tag(), part);
        Charge { key, policy: part.clone(), cost }
    }

    /// The penalty of the policy of the charges at the indices `of_policy`, if it has one.
    pub(super) fn penalty(
        &self,
        of_policy: Range<usize>,
        charges: &[Charge],
    ) -> Option<PenaltyKey> {
        let charge = charges.get(of_policy.start)?;
        let penalty = charge.policy.penalty()?;
        let key = self.0.keyspace.penalty_key(&charge.key, &charge.policy);
        Some(PenaltyKey::new(of_policy, *penalty, key))
    }

    /// Whether the next request like `asked` is denied as well. That is not sure if a policy denies because of
    /// units that the store may still refund.
    pub(super) fn is_final(&self, asked: &Acquire, acquired: &Acquired) -> bool {
        let standings = acquired.standings.iter().enumerate();
        let mut denying = standings.filter(|(_, standing)| standing.retry != Retry::Now);
        let is_never_refunded = |index: usize| {
            let policy = &asked.charges.get(index)?.policy;
            // If the slot of a policy is moving, all but the last of its quotas may be refunded as well.
            let next = asked.charges.get(index + 1);
            let is_last = next.is_none_or(|next| next.policy.name() != policy.name());
            Some(is_last && !self.0.variants.get(policy.name())?.may_be_given_back())
        };
        !self.0.store.may_give_back()
            || denying.all(|(index, _)| is_never_refunded(index) == Some(true))
    }
}
