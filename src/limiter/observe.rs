//! Tells the observer of a limiter what was decided.

use std::time::Duration;

use super::Limiter;
use super::observer::{
    AskedBy, DecidedBy, DecisionEvent, Outcome, PenaltyBan, TrialKind, TrialOutcome,
};
use super::routes::Route;
#[cfg(feature = "server")]
use crate::domain::policy::Policy;
use crate::domain::standing::Standing;
use crate::store::{Acquire, Acquired, Ban, Few, Trial, TrialAnswer};

/// What was decided, and how.
pub(super) struct Decided<'a> {
    pub(super) by: DecidedBy,
    pub(super) outcome: Outcome,
    pub(super) standings: &'a [Standing],
    pub(super) trials: &'a [TrialAnswer],
    pub(super) ban: Option<Ban>,
    pub(super) waited: Option<Duration>,
}

impl<'a> Decided<'a> {
    /// What was `acquired` for `asked`.
    pub(super) fn of(
        asked: &Acquire,
        acquired: &'a Acquired,
        by: DecidedBy,
        waited: Option<Duration>,
    ) -> Self {
        let outcome = match acquired.ban {
            Some(_) => Outcome::Banned,
            None if acquired.is_allowed(asked.count) => Outcome::Admitted,
            None => Outcome::Denied,
        };
        let Acquired { standings, trials, ban, .. } = acquired;
        Self { by, outcome, standings, trials, ban: *ban, waited }
    }
}

impl Limiter {
    /// Tells the observer of a request on which nobody counts.
    pub(super) fn observe_uncounted(&self, asked_by: &AskedBy, outcome: Outcome) {
        let (by, standings, trials) = (DecidedBy::Limiter, &[], &[]);
        let decided = Decided { by, outcome, standings, trials, ban: None, waited: None };
        self.observe(&Acquire::new(Vec::new(), 1), asked_by, &decided);
    }

    /// Tells the observer what was `decided` about `asked`, if there is an observer.
    pub(super) fn observe(&self, asked: &Acquire, asked_by: &AskedBy, decided: &Decided<'_>) {
        let observer = self.0.observer.as_ref().filter(|_| asked_by.is_observed);
        let Some(observer) = observer else { return };
        let trials = asked.trials.iter().zip(decided.trials);
        let trials: Few<_> =
            trials.map(|(trial, answer)| outcome_of(trial, asked, *answer)).collect();
        observer.on_decision(&DecisionEvent {
            door: asked_by.door,
            request_id: asked_by.request_id.as_deref(),
            route: asked_by.route.and_then(|route| self.0.routes.at(route)),
            route_index: asked_by.route,
            outcome: decided.outcome,
            decided_by: decided.by,
            charges: &asked.charges,
            standings: decided.standings,
            trials: &trials,
            ban: decided.ban.and_then(|ban| of_penalty(ban, asked)),
            is_peek: asked.count == 0,
            waited: decided.waited,
        });
    }

    /// All routes, by their indices.
    #[must_use]
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &Route> {
        self.0.routes.iter()
    }

    /// All policies as they are configured, in no order, each with whether an operator has switched it off.
    #[cfg(feature = "server")]
    pub(crate) fn all_policies(&self) -> impl Iterator<Item = (&Policy, bool)> {
        let table = self.0.overridden.load();
        self.0.variants.values().map(move |variants| {
            let policy: &Policy = variants.policy();
            (policy, table.as_ref().is_some_and(|table| table.is_off(policy)))
        })
    }
}

/// The `ban` that was answered to `asked`.
fn of_penalty(ban: Ban, asked: &Acquire) -> Option<PenaltyBan> {
    let charge = asked.penalties.get(ban.penalty)?.charges.start;
    Some(PenaltyBan { charge, lasts: ban.lasts, begins: ban.decided > 0 })
}

/// What `trial`, which is one of `asked`, decided.
fn outcome_of<'a>(trial: &'a Trial, asked: &'a Acquire, answer: TrialAnswer) -> TrialOutcome<'a> {
    let replaced = trial.replaces.as_ref().and_then(|it| asked.charges.get(it.start));
    let (kind, charge) = match replaced {
        Some(charge) => (TrialKind::Candidate, charge),
        None => (TrialKind::Shadow, &trial.charge),
    };
    let (policy, key) = (&charge.policy, &trial.charge.key);
    TrialOutcome { policy, key, kind, admits: answer.admitted == asked.count }
}
