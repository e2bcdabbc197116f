//! The observer of one snapshot's limiter.

use std::sync::{Arc, OnceLock};

use super::counts::{Counts, PolicyCounts, RouteCounts};
use super::kinds::{PolicyCount, RouteCount};
use super::no_key::tag_of_no_key;
use crate::domain::policy::{Policy, Rollout};
use crate::limiter::{
    AUTHENTICATION_DOOR, DecisionEvent, MetPolicy, Observer, Outcome, RefundEvent, Route,
};

/// A policy is near its limit when less than this part of its quota is left.
const NEAR: u64 = 10;

/// Counts what one snapshot decides. It knows where the counts of its policies and routes are, so that a request looks
/// up little.
#[derive(Debug)]
pub(crate) struct SnapshotObserver {
    counts: Arc<Counts>,
    /// By name.
    policies: Box<[Observed]>,
    /// By index.
    routes: Box<[OnceLock<Arc<RouteCounts>>]>,
}

/// A policy of the snapshot.
#[derive(Debug)]
struct Observed {
    name: Box<str>,
    counts: Arc<PolicyCounts>,
    /// The identity of requests that have nothing of what it counts by.
    no_key: Option<Box<str>>,
    /// Whether the configuration switches it off.
    is_off: bool,
    /// How many requests had met it when the snapshot was made.
    met_before: u64,
}

impl SnapshotObserver {
    /// The observer of a limiter with `policies` and so many routes.
    pub(crate) fn new<'a>(
        counts: Arc<Counts>,
        policies: impl IntoIterator<Item = &'a Policy>,
        routes: usize,
    ) -> Self {
        let observed = |policy: &Policy| {
            let counts = counts.policy(policy.name());
            let is_off = policy.rollout() == Rollout::Off;
            let (no_key, met_before) = (tag_of_no_key(policy), counts.met());
            Observed { name: policy.name().into(), counts, no_key, is_off, met_before }
        };
        let mut policies: Box<[Observed]> = policies.into_iter().map(observed).collect();
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        Self { policies, routes: (0..routes).map(|_| OnceLock::new()).collect(), counts }
    }

    /// The names of the policies that are not off, each with whether a request has met it under this snapshot.
    pub(crate) fn policies(&self) -> impl Iterator<Item = (&str, bool)> {
        let policies = self.policies.iter().filter(|it| !it.is_off);
        policies.map(|it| (&*it.name, it.counts.met() > it.met_before))
    }

    fn observed(&self, policy: &Policy) -> Option<&Observed> {
        let found = self.policies.binary_search_by(|it| (*it.name).cmp(policy.name()));
        Some(&self.policies[found.ok()?])
    }

    fn count_route(&self, event: &DecisionEvent<'_>) {
        let what = RouteCount::of(event.outcome);
        let slot = event.route_index.and_then(|index| self.routes.get(index));
        match slot.zip(event.route) {
            Some((slot, Route { pattern, .. })) => {
                slot.get_or_init(|| self.counts.route(pattern)).add(event.door, what);
            }
            None => self.counts.no_route().add(event.door, what),
        }
    }

    fn count_policy(&self, event: &DecisionEvent<'_>, met: &MetPolicy<'_>) {
        let MetPolicy { charge, charges, standings, .. } = met;
        let Some(Observed { counts, no_key, .. }) = self.observed(&charge.policy) else { return };
        counts.add(match event.outcome {
            Outcome::Undecided(_) => PolicyCount::Undecided,
            Outcome::Denied if met.is_closed() => PolicyCount::Denied,
            Outcome::Banned if event.ban.is_some_and(|ban| ban.charge == met.first) => {
                PolicyCount::Banned
            }
            Outcome::Denied | Outcome::Banned => PolicyCount::Spared,
            _ => PolicyCount::Admitted,
        });
        let mut stand = charges.iter().zip(*standings);
        if event.outcome == Outcome::Admitted
            && stand.any(|(it, standing)| standing.remaining < it.policy.terms().burst / NEAR)
        {
            counts.add(PolicyCount::NearLimit);
        }
        if no_key.as_deref() == Some(charge.key.hash_tag()) {
            counts.add(PolicyCount::NoKey);
        }
    }
}

impl Observer for SnapshotObserver {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        if event.is_peek {
            return;
        }
        // Wrong credentials are counted under a policy, but they are no requests of their own.
        if event.door != AUTHENTICATION_DOOR {
            self.count_route(event);
            self.counts.decided(event.decided_by);
        }
        for met in event.policies() {
            self.count_policy(event, &met);
        }
        for trial in event.trials {
            if let Some(Observed { counts, .. }) = self.observed(trial.policy) {
                let is_admitted = event.outcome == Outcome::Admitted;
                counts.add(PolicyCount::of_trial(trial.kind, is_admitted, trial.admits));
            }
        }
        if let Some(waited) = event.waited {
            self.counts.wait_times().observe_time(waited);
        }
    }

    fn on_refund(&self, event: &RefundEvent<'_>) {
        let Some(Observed { counts, .. }) = self.observed(event.policy) else { return };
        match event.units {
            // It was over before.
            Ok(0) => {}
            Ok(_) => counts.add(PolicyCount::GivenBack),
            Err(_) => counts.add(PolicyCount::NotGivenBack),
        }
    }
}

#[cfg(test)]
mod tests;
