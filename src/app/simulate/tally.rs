//! What is counted of a replay: a [`Recorder`] observes the limiter.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clients::{Clients, Counted};
use super::names::Names;
use super::report::{PolicyOutcome, Totals};
use super::timeline::TimelineTally;
use crate::domain::clock::{Clock as _, ManualClock, Millis};
use crate::domain::policy::{Policy, Rollout, Share};
use crate::domain::window::Window;
use crate::limiter::{DecisionEvent, MetPolicy, Observer, Outcome, TrialKind};
use crate::store::Key;

/// A client has come near its limit once less than this part of its quota is left.
const NEAR: u64 = 10;

/// Counts what a limiter decides by the time of the logs.
#[derive(Debug)]
pub(super) struct Recorder {
    clock: Arc<ManualClock>,
    names: Names,
    tally: Mutex<Tally>,
}

/// What is counted of a replay.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) totals: Totals,
    pub(super) policies: Vec<PolicyTally>,
    pub(super) timeline: TimelineTally,
}

/// What is counted of a policy.
#[derive(Debug)]
pub(super) struct PolicyTally {
    policy: Policy,
    /// `None` if it is in force.
    trial: Option<TrialKind>,
    requests: u64,
    denied: u64,
    clients: Clients,
    timeline: TimelineTally,
}

impl Recorder {
    pub(super) fn new(clock: Arc<ManualClock>, names: Names, policies: &[Policy]) -> Self {
        let policies = policies.iter().flat_map(PolicyTally::of).collect();
        let tally = Mutex::new(Tally { policies, ..Tally::default() });
        Self { clock, names, tally }
    }

    /// What it counted so far, which it then forgets.
    pub(super) fn take(&self) -> Tally {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recorder {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        if !event.is_peek {
            self.lock().count(self.clock.now(), event, &self.names);
        }
    }
}

impl Tally {
    fn count(&mut self, at: Millis, event: &DecisionEvent<'_>, names: &Names) {
        self.totals.requests += 1;
        let is_denied = event.outcome == Outcome::Denied;
        let of_outcome = match event.outcome {
            Outcome::Admitted => &mut self.totals.admitted,
            Outcome::Denied => &mut self.totals.denied,
            Outcome::Allowed => &mut self.totals.allowed,
            Outcome::Blocked => &mut self.totals.blocked,
            Outcome::Banned => &mut self.totals.banned,
            // A store in memory never fails.
            Outcome::Unlimited | Outcome::Undecided(_) => &mut self.totals.unlimited,
        };
        *of_outcome += 1;
        let is_refused = matches!(event.outcome, Outcome::Denied | Outcome::Banned);
        self.timeline.count(at, is_refused);
        // A banned client is refused before its policies count.
        if event.outcome == Outcome::Banned {
            return;
        }
        let violated = |policy: &Policy| {
            let is_its = |met: &MetPolicy<'_>| met.charge.policy.name() == policy.name();
            is_denied && event.policies().any(|met| is_its(&met) && met.is_closed())
        };
        for met in event.policies() {
            let (policy, key) = (&met.charge.policy, &met.charge.key);
            let mut stand = met.charges.iter().zip(met.standings);
            let counted = Counted {
                at,
                window: longest_window(met.charges.iter().map(|charge| &*charge.policy)),
                is_denied: is_denied && met.is_closed(),
                is_near: stand.any(|(it, standing)| {
                    standing.remaining < it.policy.terms().burst.div_ceil(NEAR)
                }),
            };
            self.count_policy(policy, None, key, counted, names);
        }
        for trial in event.trials {
            let window = longest_window([trial.policy]);
            // What is tried out admits nothing that another policy denies.
            let is_its_own = !is_denied || violated(trial.policy);
            let is_denied = !trial.admits && is_its_own;
            let counted = Counted { at, window, is_denied, is_near: false };
            self.count_policy(trial.policy, Some(trial.kind), trial.key, counted, names);
        }
    }

    fn count_policy(
        &mut self,
        policy: &Policy,
        trial: Option<TrialKind>,
        key: &Key,
        counted: Counted,
        names: &Names,
    ) {
        let is_its = |it: &&mut PolicyTally| it.trial == trial && it.policy.name() == policy.name();
        let Some(tally) = self.policies.iter_mut().find(is_its) else { return };
        tally.requests += 1;
        tally.denied += u64::from(counted.is_denied);
        tally.clients.count(key, counted, names);
        tally.timeline.count(counted.at, counted.is_denied);
    }

    /// Adds what `other` counted of other clients under the same policies.
    pub(super) fn add(&mut self, other: Self) {
        self.totals.add(&other.totals);
        self.timeline.add(other.timeline);
        for (policy, other) in self.policies.iter_mut().zip(other.policies) {
            policy.requests += other.requests;
            policy.denied += other.denied;
            policy.clients.add(other.clients);
            policy.timeline.add(other.timeline);
        }
    }
}

/// The longest window of the quotas that hold together. Limits of requests under way have none.
fn longest_window<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Window {
    let quotas = policies.into_iter().filter(|policy| policy.has_quotas());
    let windows = quotas.map(|policy| policy.quota().window());
    windows.max_by_key(|window| window.longest()).unwrap_or(Window::Fixed(1))
}

impl PolicyTally {
    /// What there is to count of `policy`: its own quota if it is in force for anybody, and what is tried out.
    fn of(policy: &Policy) -> impl Iterator<Item = Self> {
        let kinds: &[Option<TrialKind>] = match policy.rollout() {
            Rollout::Enforce { share, candidate } => match (share == Share::ALL, candidate) {
                (true, None) => &[None],
                (false, None) => &[None, Some(TrialKind::Shadow)],
                (true, Some(_)) => &[None, Some(TrialKind::Candidate)],
                (false, Some(_)) => &[None, Some(TrialKind::Shadow), Some(TrialKind::Candidate)],
            },
            Rollout::Shadow => &[Some(TrialKind::Shadow)],
            // An option of a later version that refuses nothing.
            _ => &[],
        };
        kinds.iter().map(|trial| Self {
            policy: policy.clone(),
            trial: *trial,
            requests: 0,
            denied: 0,
            clients: Clients::default(),
            timeline: TimelineTally::default(),
        })
    }

    /// What a report calls it.
    pub(super) fn name(&self) -> String {
        let name = self.policy.name();
        match self.trial {
            Some(TrialKind::Candidate) => format!("{name} (candidate)"),
            Some(TrialKind::Shadow) if self.policy.rollout() != Rollout::Shadow => {
                format!("{name} (shadow)")
            }
            _ => name.to_owned(),
        }
    }

    pub(super) fn report(&self) -> PolicyOutcome {
        let summary = self.clients.summary();
        let rollout = self.policy.rollout();
        let candidate = match self.trial {
            Some(TrialKind::Candidate) => rollout.candidate().cloned(),
            _ => None,
        };
        PolicyOutcome {
            quota: self.policy.limits_with(candidate.as_ref()),
            algorithm: self.policy.algorithm().name().to_owned(),
            key: self.policy.key().to_string(),
            shadow: self.trial.is_some(),
            requests: self.requests,
            denied: self.denied,
            clients: summary.clients,
            clients_denied: summary.clients_denied,
            clients_near: summary.clients_near,
            longest_closed_ms: summary.longest_closed.as_ref().map_or(0, |(length, _)| *length),
            denied_of_second: summary.denials_of(2),
            denied_of_tenth: summary.denials_of(10),
            denied_of_hundredth: summary.denials_of(100),
            denied_without_top_ten: summary.denied_without_top_ten(),
            longest_closed_client: summary.longest_closed.map(|(_, client)| client),
            worst: summary.worst,
            timeline: self.timeline.report(),
        }
    }
}
