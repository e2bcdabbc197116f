//! Answers for which the store need not be asked again: denials that hold until a known time, and gates
//! that were open a moment ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use self::answer_cache::{AnswerCache, CachedAnswer};
use self::reopened::Reopened;
use crate::domain::algorithm::Terms;
use crate::domain::clock::{Clock, Millis, millis};
use crate::domain::standing::{Retry, Standing};
use crate::store::{Acquire, Acquired, Ban, Fingerprint, Trial, TrialAnswer};

mod answer_cache;
mod reopened;

/// Remembers denials for as long as they are sure to hold, and open gates, both at most for `max_age`.
///
/// A remembered denial is exact, because a denied request charges nothing. Only time can end it, a refund, or an
/// operator's reset. Other processes notice the latter two after `max_age`. This process forgets a denial as soon as one
/// of its keys is given something back. The whole request is remembered: its keys, their terms and its cost, since only
/// together they determine when it is admitted.
///
/// Denials by a policy with a penalty are not remembered, because the store counts them. The ban that follows is.
///
/// A gate is open until somebody is charged. This process then forgets that it was open, and other
/// processes notice after `max_age`.
#[derive(Debug)]
pub(super) struct DenyCache {
    max_age: Millis,
    clock: Arc<dyn Clock>,
    denials: AnswerCache,
    open: AnswerCache,
    /// How often something was forgotten. The count goes up before anything is forgotten. So an answer that
    /// arrives meanwhile is either forgotten as well, or not remembered.
    forgotten: AtomicU32,
    reopened: Reopened,
}

/// What an answer is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A request: a check decides on it, and a peek reports exact numbers.
    Request,
    /// A gate: a peek tells whether it is open, and a check charges a client that should not have passed.
    Gate,
}

/// When the store was asked, for what purpose, and how often something had been forgotten or given back by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    at: Millis,
    forgotten: u32,
    reopened: u64,
    purpose: Purpose,
}

impl DenyCache {
    /// A cache of answers no older than `max_age`, by `clock`, which must not step back.
    pub(super) fn new(max_age: Duration, clock: Arc<dyn Clock>) -> Self {
        let max_age = millis(max_age);
        let answers = || AnswerCache::new(max_age);
        let (forgotten, reopened) = (AtomicU32::new(0), Reopened::default());
        Self { max_age, clock, denials: answers(), open: answers(), forgotten, reopened }
    }

    /// The answer to `asked`, if it is known.
    pub(super) fn answer(&self, asked: &Acquire, purpose: Purpose) -> Option<Acquired> {
        let is_gate = purpose == Purpose::Gate;
        let holds = |times| !self.reopened.is_any_since(times, keys(asked));
        let known = |answers: &AnswerCache| answers.get(|| fingerprint(asked), &*self.clock, holds);
        // A report is exact only if nothing remains: then no request can change any of its numbers.
        let is_exact = |(standings, _): &(Vec<Standing>, Option<Ban>)| {
            asked.count > 0 || is_gate || standings.iter().all(|it| it.remaining == 0)
        };
        let mut answer = known(&self.denials).filter(is_exact);
        if is_gate && answer.is_none() {
            if asked.count == 0 {
                answer = known(&self.open);
            } else {
                self.forget_open(asked);
            }
        }
        answer.map(|(standings, ban)| Acquired {
            trials: denied(asked),
            ban,
            ..Acquired::new(0, standings)
        })
    }

    /// The moment, for when the store has answered. It is to be taken before the store is asked.
    pub(super) fn moment(&self, purpose: Purpose) -> Moment {
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        Moment { at: self.clock.now(), forgotten, reopened: self.reopened.times(), purpose }
    }

    /// Forgets that a gate is open, because it was charged. The answer to that charge may still be
    /// remembered, since it is not older.
    pub(super) fn charged(&self, asked: &Acquire, moment: &mut Moment) {
        if moment.purpose == Purpose::Gate && asked.count > 0 {
            self.forget_open(asked);
            moment.forgotten = moment.forgotten.wrapping_add(1);
        }
    }

    fn forget_open(&self, asked: &Acquire) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.open.forget(fingerprint(asked));
    }

    /// Remembers what the store `acquired` for `asked`: that the next request like it is denied, if the
    /// denial `is_final`, or that the gate is open.
    pub(super) fn remember(
        &self,
        asked: &Acquire,
        moment: Moment,
        acquired: &Acquired,
        is_final: impl FnOnce() -> bool,
    ) {
        let retry = acquired.standings.iter().fold(Retry::Now, |wait, it| wait.later(it.retry));
        // A candidate must be asked as soon as it may admit what the policy in force denies.
        let candidates = asked.trials.iter().zip(&acquired.trials);
        let candidates = candidates.filter(|(trial, _)| trial.replaces.is_some());
        // By then, other processes have used or given back what they had leased.
        let leased = asked.charges.iter().filter_map(|charge| charge.policy.lease());
        let max_age = leased.fold(self.max_age, Millis::min);
        let holds = |wait: Millis| {
            let waits = candidates.map(|(_, answer)| match answer.retry {
                Retry::Now => 0,
                Retry::After(wait) => wait,
                // Another request may end at any moment.
                Retry::WhenFreed => 0,
                Retry::Never => Millis::MAX,
            });
            waits.fold(wait.min(max_age), Millis::min)
        };
        let (answers, wait) = match retry {
            // Trials are not decided either, for as long as it lasts.
            _ if let Some(ban) = acquired.ban => (&self.denials, ban.lasts.min(self.max_age)),
            // The store has to count it.
            Retry::After(_) | Retry::Never if is_counted(asked, acquired) => return,
            Retry::Now if moment.purpose == Purpose::Gate => (&self.open, self.max_age),
            // Another request may end at any moment.
            Retry::Now | Retry::WhenFreed => return,
            _ if !is_final() => return,
            Retry::After(wait) => (&self.denials, holds(wait)),
            Retry::Never => (&self.denials, holds(self.max_age)),
        };
        // Counted from the question, since the store may have read its clock at any time after it.
        let holds_until = moment.at.saturating_add(wait);
        let (answered, standings) = (self.clock.now(), acquired.standings.clone());
        let Moment { reopened, .. } = moment;
        let known = CachedAnswer { holds_until, answered, reopened, standings, ban: acquired.ban };
        let is_current = || self.forgotten.load(Ordering::SeqCst) == moment.forgotten;
        answers.insert(fingerprint(asked), known, is_current);
    }

    /// Forgets what is remembered of `keys`, to which the store has given something back.
    pub(super) fn reopen(&self, keys: impl IntoIterator<Item = Fingerprint>) {
        self.reopened.note(keys);
    }

    /// Forgets everything, as when quotas were reset.
    pub(super) fn clear(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.denials.clear();
        self.open.clear();
    }
}

/// Whether a policy with a penalty is among those that deny: a client that goes on asking is banned.
fn is_counted(asked: &Acquire, acquired: &Acquired) -> bool {
    asked.penalties.iter().any(|it| it.denies(&acquired.standings))
}

/// The keys on which the answer to `asked` depends.
fn keys(asked: &Acquire) -> impl Iterator<Item = Fingerprint> {
    let trials = asked.trials.iter().map(|trial| &trial.charge);
    asked.charges.iter().chain(trials).map(|charge| charge.key.fingerprint())
}

/// The fingerprint of everything that the answer to `asked` depends on. That includes the terms, since
/// users of one key may have different plans, or change them. The count is left out, since a peek and a
/// check of the same request get the same verdict.
fn fingerprint(asked: &Acquire) -> Fingerprint {
    let charges = asked.charges.iter().map(|charge| {
        let Terms { units, window, burst } = charge.policy.terms();
        let key = charge.key.fingerprint().with(units).with(window.longest()).with(burst);
        key.with(charge.cost.units())
    });
    let all = charges.reduce(Fingerprint::then).unwrap_or_default();
    // A denial that holds for a request without trials may not hold for one with a candidate.
    let tried = asked.trials.iter().flat_map(Trial::charges);
    let trials = tried.map(|charge| {
        let Terms { units, burst, .. } = charge.policy.terms();
        charge.key.fingerprint().with(units).with(burst)
    });
    trials.fold(all, Fingerprint::then)
}

/// The answers to the trials of a request whose denial is remembered. It is remembered for no longer than every
/// candidate denies it as well.
fn denied(asked: &Acquire) -> Vec<TrialAnswer> {
    let unknown = |_| TrialAnswer::new(0, Retry::Never);
    asked.trials.iter().map(unknown).collect()
}

#[cfg(test)]
mod tests;
