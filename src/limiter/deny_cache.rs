//! What the store need not be asked again: requests that are known to be denied until a known time,
//! and gates that were open a moment ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use self::answer_cache::{AnswerCache, CachedAnswer};
use crate::domain::algorithm::Terms;
use crate::domain::clock::{Clock, Millis, millis};
use crate::domain::decision::{Retry, Standing};
use crate::store::{Acquire, Acquired, Fingerprint};

mod answer_cache;

/// Denials for as long as they surely hold, and open gates for as short a time.
///
/// A denial is exact because a denied request charges nothing: only time can open the gate, or an
/// operator's reset, which other processes see when what they remember is too old. Remembered is
/// the whole request, its keys, their terms and its cost, since only together do they say when it
/// is admitted.
///
/// That a gate is open is true until somebody is charged: this process forgets it then, and another
/// one learns of it when what it remembers is too old.
#[derive(Debug)]
pub(super) struct DenyCache {
    max_age: Millis,
    clock: Arc<dyn Clock>,
    denials: AnswerCache,
    open: AnswerCache,
    /// How often something was forgotten. It is counted first and forgotten then, so that an answer
    /// that was on its way meanwhile is either found or not remembered.
    forgotten: AtomicU32,
}

/// What an answer is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A request: a check decides on it, a peek reports exact numbers.
    Request,
    /// A gate: a peek says whether it is open, and a check charges who should not have passed.
    Gate,
}

/// When the store was asked, what for, and how often something had been forgotten by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    at: Millis,
    forgotten: u32,
    purpose: Purpose,
}

impl DenyCache {
    /// A cache of what is no older than `max_age`, by `clock`, which must not step back.
    pub(super) fn new(max_age: Duration, clock: Arc<dyn Clock>) -> Self {
        let max_age = millis(max_age);
        let answers = || AnswerCache::new(max_age);
        let forgotten = AtomicU32::new(0);
        Self { max_age, clock, denials: answers(), open: answers(), forgotten }
    }

    /// What is known to be the answer to `asked`; or else the moment at which the store is asked.
    pub(super) fn answer(&self, asked: &Acquire, purpose: Purpose) -> Result<Acquired, Moment> {
        let at = self.clock.now();
        let is_gate = purpose == Purpose::Gate;
        let known = |answers: &AnswerCache| answers.get(|| fingerprint(asked), at);
        // A report is exact where nothing remains: then nobody can change any of its numbers.
        let is_exact = |standings: &Vec<Standing>| {
            asked.count > 0 || is_gate || standings.iter().all(|it| it.remaining == 0)
        };
        let mut standings = known(&self.denials).filter(is_exact);
        if is_gate && standings.is_none() {
            if asked.count == 0 {
                standings = known(&self.open);
            } else {
                self.forget_open(asked);
            }
        }
        let moment = || Moment { at, forgotten: self.forgotten.load(Ordering::SeqCst), purpose };
        standings.map(|standings| Acquired { admitted: 0, standings }).ok_or_else(moment)
    }

    /// Forgets that a gate is open which was charged. What the same answer says may be remembered
    /// all the same: it is not older.
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

    /// Remembers what the store answered to what it was asked at that moment: that the next request
    /// like it is denied, where that `is_final`, or that the gate is open.
    pub(super) fn remember(
        &self,
        asked: &Acquire,
        moment: Moment,
        acquired: &Acquired,
        is_final: impl FnOnce() -> bool,
    ) {
        let retry = acquired.standings.iter().fold(Retry::Now, |wait, it| wait.later(it.retry));
        let (answers, wait) = match retry {
            Retry::Now if moment.purpose == Purpose::Gate => (&self.open, self.max_age),
            Retry::Now => return,
            _ if !is_final() => return,
            Retry::After(wait) => (&self.denials, wait.min(self.max_age)),
            Retry::Never => (&self.denials, self.max_age),
        };
        // Wherever between question and answer the store read its clock.
        let holds_until = moment.at.saturating_add(wait);
        let (answered, standings) = (self.clock.now(), acquired.standings.clone());
        let known = CachedAnswer { holds_until, answered, standings };
        let is_current = || self.forgotten.load(Ordering::SeqCst) == moment.forgotten;
        answers.insert(fingerprint(asked), known, is_current);
    }

    /// Forgets everything, as when quotas were reset.
    pub(super) fn clear(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.denials.clear();
        self.open.clear();
    }
}

/// What `asked` is remembered by: everything that the answer depends on. The terms are of it, since
/// users of one key may have plans of their own, or change them. Whether it charges is not: a check
/// is denied where a peek says so.
fn fingerprint(asked: &Acquire) -> Fingerprint {
    let charges = asked.charges.iter().map(|charge| {
        let Terms { units, window, burst } = charge.policy.terms();
        charge.key.fingerprint().with(units).with(window).with(burst)
    });
    let all = charges.reduce(Fingerprint::then).unwrap_or_default();
    all.with(asked.cost.units())
}

#[cfg(test)]
mod tests;
