//! What would happen to a request and why, for operators. Nothing is charged.

use std::future::Future;
use std::sync::Arc;

use super::incoming::Incoming;
use super::policies::Policies;
use super::variants::PolicyVariants;
use super::{Access, Limiter, QuotaSource, Route, check};
use crate::domain::banned::Banned;
use crate::domain::client::Client;
use crate::domain::policy::{Policy, Rollout};
use crate::domain::quota::Cost;
use crate::domain::standing::{Retry, Standing};
use crate::store::{Acquire, Charge, Key, StoreError};

/// What would happen to a request now. [`Limiter::explain`] makes it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What would become of the request.
    pub verdict: Verdict,
    /// The route that it takes; `None` without one, or if the request brings policies of its own.
    pub route: Option<Route>,
    /// What it costs.
    pub cost: Cost,
    /// What the access lists say of its client.
    pub access: Access,
    /// The ban that refuses it, by an operator or by a penalty, if there is one.
    pub banned: Option<Banned>,
    /// The policies that it meets, and after them those at which its route only peeks.
    pub policies: Vec<ExplainedPolicy>,
    /// The policies that it does not meet, in the order of their names.
    pub unmet: Vec<Arc<Policy>>,
    /// Why the store could not be asked where the client stands.
    pub unknown: Option<StoreError>,
}

/// What would become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It passes uncounted: the application skips it, it has no route, or no policy of its route is in force.
    Unlimited,
    /// It passes uncounted: its client is on the list of those who may.
    Allowed,
    /// It is refused: its client is blocked by an access list.
    Blocked,
    /// It is refused: its client is banned.
    Banned,
    /// Every policy admits it.
    Admitted,
    /// A policy denies it.
    Denied,
    /// Nobody knows, because the store could not be asked. Each policy says what holds until it can.
    Unknown,
}

/// A policy as a request meets it. One that has several quotas for the client is there once for each of them.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExplainedPolicy {
    /// The policy, with the quota that holds for the client.
    pub policy: Arc<Policy>,
    /// Where that quota comes from.
    pub source: QuotaSource,
    /// Whose quota the request uses: the identity as it stands between the braces of its keys.
    pub key: Box<str>,
    /// What the policy does with the request.
    pub role: PolicyRole,
    /// Where the client stands, for a request of this cost; `None` if that is not known, or if the policy does not count.
    pub standing: Option<Standing>,
}

/// What a policy does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyRole {
    /// It admits or denies the request.
    InForce,
    /// It is tried out: it denies nobody.
    Shadow,
    /// It is tried out, because the client is not in the share for which it is in force.
    OutsideShare,
    /// The configuration has switched it off.
    Off,
    /// An operator has switched it off.
    Disabled,
    /// The route only shows where the client stands.
    Peeked,
    /// It does not apply to the client, whose quota is unlimited.
    Unlimited,
}

impl PolicyRole {
    /// Whether the policy counts requests at all.
    fn counts(self) -> bool {
        !matches!(self, Self::Off | Self::Disabled | Self::Unlimited)
    }
}

impl Limiter {
    /// Explains what would happen to `request` now. The store is asked once, and nothing is charged.
    pub fn explain<I: Incoming>(&self, request: &I) -> impl Future<Output = Explanation> + use<I> {
        let owed = if self.skips(request) { None } else { self.owed(request) };
        let index = owed.as_ref().and_then(|owed| owed.route);
        let route = index.and_then(|index| self.0.routes.at(index)).cloned();
        let cost = owed.as_ref().map_or(Cost::ONE, |owed| owed.cost);
        let policies = owed.as_ref().map(|owed| owed.policies);
        let peek = owed.as_ref().and_then(|owed| owed.peek);
        let (mut explanation, charges) = self.with_client(request, index, |client| {
            let mut met = self.explained(policies, None, cost, client);
            met.extend(self.explained(peek, Some(PolicyRole::Peeked), cost, client));
            let (policies, charges): (Vec<_>, Vec<_>) = met.into_iter().unzip();
            let is_met = |variants: &&Arc<PolicyVariants>| {
                policies.iter().any(|it| it.policy.name() == variants.policy().name())
            };
            let unmet = self.0.variants.values().filter(|it| !is_met(it));
            let mut unmet: Vec<_> = unmet.map(|it| it.policy().clone()).collect();
            unmet.sort_by(|one, other| one.name().cmp(other.name()));
            let explanation = Explanation {
                verdict: Verdict::Unlimited,
                route,
                cost,
                access: self.access(client),
                banned: self.banned(owed.as_ref().map(|owed| owed.policies), client),
                policies,
                unmet,
                unknown: None,
            };
            (explanation, charges)
        });
        let limiter = self.clone();
        async move {
            let in_force = explanation.policies.iter().map(|it| it.role == PolicyRole::InForce);
            let charges = charges.into_iter().zip(in_force);
            let charges = charges.filter_map(|(charge, is_in_force)| Some((charge?, is_in_force)));
            let (charges, in_force): (Vec<Charge>, Vec<bool>) = charges.unzip();
            let mut asked = Acquire::new(charges, 0);
            let is_same = |one: &Charge, other: &Charge| one.policy.name() == other.policy.name();
            let mut next = 0;
            for of_policy in asked.charges.chunk_by(is_same) {
                let indices = next..next + of_policy.len();
                next = indices.end;
                let is_in_force = in_force.get(indices.start) == Some(&true);
                let penalty = limiter.penalty(indices, &asked.charges);
                asked.penalties.extend(penalty.filter(|_| is_in_force));
            }
            if !asked.charges.is_empty() {
                match limiter.peek_at(&asked).await {
                    Ok(acquired) => {
                        let ban = acquired.ban.and_then(|ban| check::banned(&asked, ban));
                        explanation.banned_by_penalty(ban);
                        explanation.stands(acquired.standings);
                    }
                    Err(error) => explanation.unknown = Some(error),
                }
            }
            explanation.verdict = explanation.judged();
            explanation
        }
    }

    /// Each of `policies` as `client` meets it, and what the store is to be asked. They have `role`, or the one that
    /// their rollout gives them.
    fn explained(
        &self,
        policies: Option<&Policies>,
        role: Option<PolicyRole>,
        cost: Cost,
        client: &Client<'_>,
    ) -> Vec<(ExplainedPolicy, Option<Charge>)> {
        let policies = policies.into_iter().flat_map(|policies| policies.0.iter());
        let table = self.0.overridden.load();
        let table = table.as_deref().map(|table| &**table);
        let mut explained = Vec::new();
        for variants in policies {
            let source = variants.special_of(client).map_or(QuotaSource::Policy, |(it, _)| it);
            let Some((parts, first)) = self.parts(variants, table, client) else {
                let key = self.key(variants.policy(), client);
                let role = match self.role(variants, &key) {
                    own if !own.counts() => own,
                    _ => PolicyRole::Unlimited,
                };
                explained.push((ExplainedPolicy::of(variants.policy(), source, &key, role), None));
                continue;
            };
            let is_boosted =
                table.is_some_and(|it| it.boosted(variants.policy(), first.hash_tag()).is_some());
            let source = if is_boosted { QuotaSource::Boost } else { source };
            let role = match self.role(variants, &first) {
                own if !own.counts() => own,
                own => role.unwrap_or(own),
            };
            for part in parts {
                let charge = self.further(part, &first, cost);
                // Quotas of clients leave the limit of requests under way as it is.
                let source = if part.has_quotas() { source } else { QuotaSource::Policy };
                let policy = ExplainedPolicy::of(part, source, &first, role);
                explained.push((policy, role.counts().then_some(charge)));
            }
        }
        explained
    }

    fn role(&self, variants: &PolicyVariants, key: &Key) -> PolicyRole {
        let is_disabled = || {
            let table = self.0.overridden.load();
            table.is_some_and(|table| table.is_off(variants.policy()))
        };
        match variants.policy().rollout() {
            Rollout::Off => PolicyRole::Off,
            _ if is_disabled() => PolicyRole::Disabled,
            _ if variants.is_in_force(key) => PolicyRole::InForce,
            Rollout::Shadow => PolicyRole::Shadow,
            Rollout::Enforce { .. } => PolicyRole::OutsideShare,
        }
    }
}

impl Explanation {
    /// Takes in where the client stands under the policies that count.
    fn stands(&mut self, standings: Vec<Standing>) {
        let counting = self.policies.iter_mut().filter(|it| it.role.counts());
        for (policy, standing) in counting.zip(standings) {
            policy.standing = Some(standing);
        }
    }

    /// Takes in the ban by a penalty. Who passes unchecked does not meet it.
    fn banned_by_penalty(&mut self, ban: Option<Banned>) {
        if self.access == Access::Limited && self.banned.is_none() {
            self.banned = ban;
        }
    }

    fn judged(&self) -> Verdict {
        let mut in_force = self.policies.iter().filter(|it| it.role == PolicyRole::InForce);
        match self.access {
            Access::Blocked => Verdict::Blocked,
            _ if self.banned.is_some() => Verdict::Banned,
            Access::Allowed => Verdict::Allowed,
            Access::Limited if in_force.clone().next().is_none() => Verdict::Unlimited,
            Access::Limited if self.unknown.is_some() => Verdict::Unknown,
            Access::Limited if in_force.all(ExplainedPolicy::admits) => Verdict::Admitted,
            Access::Limited => Verdict::Denied,
        }
    }
}

impl ExplainedPolicy {
    fn of(policy: &Arc<Policy>, source: QuotaSource, key: &Key, role: PolicyRole) -> Self {
        let (policy, key) = (policy.clone(), key.hash_tag().into());
        Self { policy, source, key, role, standing: None }
    }

    /// Whether the client has enough of its quota left.
    #[must_use]
    pub fn admits(&self) -> bool {
        self.standing.is_some_and(|standing| standing.retry == Retry::Now)
    }
}
