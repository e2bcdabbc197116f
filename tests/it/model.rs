//! An independent model of the limiter, slow and obvious, to compare the stores with.
//!
//! It shares nothing with the library but types. Each key keeps the list of everything that was ever
//! charged to it, and every number is summed up from that list by the definition of the algorithm. There
//! is no formula for a wait: the model tries them out.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Once};

use tollgate::{Algorithm, Calendar, Policy, Retry, Standing};

use self::offender::Offender;
pub(crate) use self::offender::{Ban, Penalized};
use crate::histories::ZONES;

mod calendar;
mod offender;
mod refunds;
#[cfg(test)]
mod tests;

/// Every key of a store.
#[derive(Debug, Default)]
pub(crate) struct Model {
    histories: HashMap<String, History>,
    offenders: HashMap<String, Offender>,
}

/// A key that a request is charged to, the policy that counts it, and how many units it uses there.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) key: String,
    pub(crate) policy: Arc<Policy>,
    pub(crate) cost: u64,
}

/// A policy that is tried out: its charges, one for each of its quotas, and the indices of the charges in whose place it
/// is tried out, if there are such.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) charges: Vec<Charge>,
    pub(crate) replaces: Option<Range<usize>>,
}

/// How many requests passed, and where each policy stands afterwards, for one more like it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) admitted: u64,
    pub(crate) standings: Vec<Standing>,
}

/// What a policy that is tried out admits, and when one more request would pass it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrialOutcome {
    pub(crate) admitted: u64,
    pub(crate) retry: Retry,
}

impl Model {
    pub(crate) fn new() -> Self {
        static PREPARED: Once = Once::new();
        PREPARED.call_once(|| calendar::prepare(&ZONES));
        Self::default()
    }

    /// Decides `count` identical requests at `now` under all `charges`.
    ///
    /// Each passes only if every policy has room for it, and is then charged to every policy.
    /// A `count` of 0 is a peek, and changes nothing.
    pub(crate) fn acquire(&mut self, now: u64, charges: &[Charge], count: u64) -> Outcome {
        let keys: HashSet<&str> = charges.iter().map(|charge| charge.key.as_str()).collect();
        assert_eq!(keys.len(), charges.len(), "a request is charged to a key once: {charges:?}");
        let free = charges.iter().find(|charge| charge.cost == 0);
        assert!(free.is_none(), "a request costs at least 1 unit: {charges:?}");
        let (now, count) = (i128::from(now), i128::from(count));

        let mut admitted = count;
        let mut readings = Vec::new();
        for charge in charges {
            let reading = self.read(charge, now);
            let remaining = reading.history.remaining(reading.terms, now);
            admitted = admitted.min(remaining / i128::from(charge.cost));
            readings.push(reading);
        }

        let mut standings = Vec::new();
        for (charge, Reading { mut history, terms, astray }) in charges.iter().zip(readings) {
            let cost = i128::from(charge.cost);
            if admitted > 0 {
                history = history.charged(terms, now, admitted * cost);
            }
            standings.push(history.standing(terms, now, cost));
            if admitted > 0 || (astray && count > 0) {
                self.histories.insert(charge.key.clone(), history);
            }
        }
        Outcome { admitted: unsigned(admitted), standings }
    }

    /// Decides `count` requests one after another, and what each of `trials` admits of them. Clients that
    /// `penalized` says are banned are refused.
    pub(crate) fn acquire_with_trials(
        &mut self,
        now: u64,
        charges: &[Charge],
        trials: &[Tried],
        penalized: &[Penalized],
        count: u64,
    ) -> (Outcome, Vec<TrialOutcome>, Option<Ban>) {
        let (mut admitted, mut decided) = (0, 0);
        let mut by_trials = vec![0; trials.len()];
        for _ in 0..count {
            if self.ban(now, penalized, 0).is_some() {
                self.acquire_with_penalties(now, charges, penalized, 1);
                let tried = trials.iter().flat_map(|trial| &trial.charges);
                tried.for_each(|charge| self.put_right(charge, now.into()));
                continue;
            }
            decided += 1;
            let has_room = |charge: &Charge| {
                let Reading { history, terms, .. } = self.read(charge, now.into());
                history.remaining(terms, now.into()) >= i128::from(charge.cost)
            };
            let rooms: Vec<bool> = charges.iter().map(has_room).collect();
            let mut charged = Vec::new();
            for Tried { charges, replaces } in trials {
                let is_replaced =
                    |it: usize| replaces.as_ref().is_some_and(|all| all.contains(&it));
                let mut others = rooms.iter().enumerate().filter(|(it, _)| !is_replaced(*it));
                let admits = others.all(|(_, has_room)| *has_room) && charges.iter().all(has_room);
                charged.push(admits);
            }
            for ((admits, trial), sum) in charged.into_iter().zip(trials).zip(&mut by_trials) {
                if admits {
                    self.acquire(now, &trial.charges, 1);
                    *sum += 1;
                } else {
                    trial.charges.iter().for_each(|charge| self.put_right(charge, now.into()));
                }
            }
            admitted += self.acquire_with_penalties(now, charges, penalized, 1).0.admitted;
        }
        let ban = self.ban(now, penalized, decided);
        let Outcome { standings, .. } = self.acquire(now, charges, 0);
        let of_trial = |(trial, admitted): (&Tried, u64)| {
            let peek = self.acquire(now, &trial.charges, 0);
            let retry = peek.standings.iter().fold(Retry::Now, |all, it| all.later(it.retry));
            TrialOutcome { admitted, retry }
        };
        let by_trials = trials.iter().zip(by_trials).map(of_trial).collect();
        (Outcome { admitted, standings }, by_trials, ban)
    }

    /// Decides like [`acquire`](Self::acquire), but refuses clients that are banned, and bans those that a policy with a
    /// penalty denies too often. Denials are counted one after another.
    pub(crate) fn acquire_with_penalties(
        &mut self,
        now: u64,
        charges: &[Charge],
        penalized: &[Penalized],
        count: u64,
    ) -> (Outcome, Option<Ban>) {
        for it in penalized.iter().filter(|_| count > 0) {
            let offender = self.offenders.entry(it.key.clone()).or_default();
            offender.put_right(&it.penalty, now.into());
        }
        if let Some(ban) = self.ban(now, penalized, 0) {
            if count > 0 {
                charges.iter().for_each(|charge| self.put_right(charge, now.into()));
            }
            let Outcome { standings, .. } = self.acquire(now, charges, 0);
            return (Outcome { admitted: 0, standings }, Some(ban));
        }
        let outcome = self.acquire(now, charges, count);
        let denies = |it: &&Penalized| {
            outcome.standings[it.charges.clone()].iter().any(|it| it.retry != Retry::Now)
        };
        let denying: Vec<&Penalized> = penalized.iter().filter(denies).collect();
        let denied = if denying.is_empty() { 0 } else { count - outcome.admitted };
        for number in 1..=denied {
            for it in &denying {
                self.offenders.entry(it.key.clone()).or_default().denied(&it.penalty, now.into());
            }
            let ban = self.ban(now, penalized, outcome.admitted + number);
            if ban.is_some() {
                return (outcome, ban);
            }
        }
        (outcome, None)
    }

    /// The ban that lasts longest, which the last of so many requests began.
    fn ban(&self, now: u64, penalized: &[Penalized], decided: u64) -> Option<Ban> {
        let mut longest: Option<Ban> = None;
        for (penalty, it) in penalized.iter().enumerate() {
            let offender = self.offenders.get(&it.key);
            let lasts = offender.map_or(0, |offender| offender.banned_for(&it.penalty, now.into()));
            if lasts > longest.map_or(0, |ban| ban.lasts) {
                longest = Some(Ban { penalty, lasts, decided });
            }
        }
        longest
    }

    /// Writes again what a wrong clock wrote, as every request does that is charged or denied.
    fn put_right(&mut self, charge: &Charge, now: i128) {
        let Reading { history, astray, .. } = self.read(charge, now);
        if astray {
            self.histories.insert(charge.key.clone(), history);
        }
    }

    /// The history of a key as a request at `now` finds it, put right if it was astray.
    fn read(&self, charge: &Charge, now: i128) -> Reading {
        let terms = Terms::of(&charge.policy);
        let untouched = History { terms, uses: Vec::new() };
        let history = self.histories.get(&charge.key).cloned().unwrap_or(untouched);
        match history.stamp() {
            Some(stamp) if terms.is_astray(stamp, now) => {
                Reading { history: history.moved(terms, stamp, now), terms, astray: true }
            }
            _ => Reading { history, terms, astray: false },
        }
    }
}

/// What a request finds under a key.
struct Reading {
    history: History,
    terms: Terms,
    astray: bool,
}

/// The numbers of a policy, wide and signed: no sum or product of them overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    algorithm: Algorithm,
    units: i128,
    /// The length of a window; of a calendar's, no less than any.
    window: i128,
    calendar: Option<Calendar>,
}

impl Terms {
    fn of(policy: &Policy) -> Self {
        Self {
            algorithm: policy.algorithm(),
            units: policy.quota().units().into(),
            window: policy.quota().window().longest().into(),
            calendar: policy.quota().window().calendar(),
        }
    }

    /// Whether a wrong clock wrote what is of `stamp`: it is more than a window ahead.
    fn is_astray(&self, stamp: i128, now: i128) -> bool {
        match self.calendar {
            Some(_) => stamp >= self.end_of(self.end_of(self.window_holding(now))),
            None => stamp - now > self.window,
        }
    }

    /// The end of the window that begins at `begin`.
    fn end_of(&self, begin: i128) -> i128 {
        self.calendar.map_or(begin + self.window, |it| calendar::end_of_window(it, begin))
    }

    /// The most that can ever remain.
    fn capacity(&self) -> i128 {
        match self.algorithm {
            Algorithm::TokenBucket { burst } => burst.into(),
            _ => self.units,
        }
    }

    /// The beginning of the window that holds `instant`.
    fn window_holding(&self, instant: i128) -> i128 {
        if let Some(calendar) = self.calendar {
            return calendar::start_of_window(calendar, instant);
        }
        instant.div_euclid(self.window) * self.window
    }

    /// A number of units as a [`Use`] states it.
    fn amount(&self, units: i128) -> i128 {
        match self.algorithm {
            Algorithm::TokenBucket { .. } => units * self.window,
            _ => units,
        }
    }

    /// A wait, in milliseconds, after which every quota is whole again.
    ///
    /// A key is at most one window ahead of the clock, or else it is astray. Once the clock has
    /// caught up with it, a fixed window ends within one window, a log has forgotten everything
    /// after one, a sliding window after two. A bucket owes at most its burst, and pays back
    /// `units` per window.
    fn long_enough(&self) -> i128 {
        let catching_up = self.window;
        let paying_back = self.capacity() * self.window / self.units + 1;
        catching_up + paying_back + 2 * self.window
    }
}

/// Something charged.
#[derive(Clone, Copy, Debug)]
struct Use {
    /// The instant as of which it was charged.
    at: i128,
    /// How much: units, but for a token bucket in parts of a unit. There one unit is `window`
    /// parts, and `units` parts flow back in each millisecond, so that all parts are whole.
    amount: i128,
}

/// Everything charged to a key, oldest first, all under the same terms.
#[derive(Clone, Debug)]
struct History {
    terms: Terms,
    uses: Vec<Use>,
}

/// What a history says under its own terms: the definitions of the four algorithms.
impl History {
    /// The units that are left at `instant`.
    fn remaining_at(&self, instant: i128) -> i128 {
        let window = self.terms.window;
        let begin = self.terms.window_holding(instant);
        let used = match self.terms.algorithm {
            Algorithm::FixedWindow => self.charged_in_window(begin),
            Algorithm::SlidingWindow => {
                let still_covered = window - (instant - begin);
                let previous = self.charged_in_window(begin - window);
                self.charged_in_window(begin) + divide_up(previous * still_covered, window)
            }
            Algorithm::SlidingLog | Algorithm::InFlight => self.live_at(instant),
            Algorithm::TokenBucket { .. } => divide_up(self.owed_at(instant), window),
            other => no_model(other),
        };
        (self.terms.capacity() - used).max(0)
    }

    /// The units charged in the window that begins at `begin`.
    fn charged_in_window(&self, begin: i128) -> i128 {
        let window = begin..self.terms.end_of(begin);
        self.uses.iter().filter(|it| window.contains(&it.at)).map(|it| it.amount).sum()
    }

    /// The units in a log, or the slots, that are not yet a window old at `instant`.
    fn live_at(&self, instant: i128) -> i128 {
        let live = |it: &&Use| it.at + self.terms.window > instant;
        self.uses.iter().filter(live).map(|it| it.amount).sum()
    }

    /// The parts that are missing from a bucket at `instant`, having run through its whole life.
    fn owed_at(&self, instant: i128) -> i128 {
        let mut owed = 0;
        let mut last = self.uses.first().map_or(instant, |it| it.at);
        for it in &self.uses {
            owed = (owed - (it.at - last) * self.terms.units).max(0);
            owed += it.amount;
            last = it.at;
        }
        (owed - (instant - last) * self.terms.units).max(0)
    }
}

/// Clocks that step back.
impl History {
    /// The instant that a key does not go back behind: the last charge, or the beginning of its
    /// window where windows are counted.
    fn stamp(&self) -> Option<i128> {
        let last = self.uses.last()?.at;
        Some(match self.terms.algorithm {
            // Each slot is by itself, and an earlier one may have been taken later by the clock.
            Algorithm::InFlight => self.uses.iter().map(|it| it.at).max()?,
            Algorithm::FixedWindow | Algorithm::SlidingWindow => self.terms.window_holding(last),
            Algorithm::SlidingLog | Algorithm::TokenBucket { .. } => last,
            other => no_model(other),
        })
    }

    /// The instant as of which the key is read and charged at `now`: behind its stamp, time
    /// stands still.
    fn as_of(&self, now: i128) -> i128 {
        if self.terms.algorithm == Algorithm::InFlight {
            return now;
        }
        self.stamp().map_or(now, |stamp| stamp.max(now))
    }

    /// The history as if all that counted at `stamp`, by a clock that was wrong, were of `now`.
    fn moved(&self, terms: Terms, stamp: i128, now: i128) -> Self {
        let then = self.restated(terms, stamp);
        let begin = terms.window_holding(stamp);
        let uses = match terms.algorithm {
            Algorithm::FixedWindow => vec![Use { at: now, amount: then.charged_in_window(begin) }],
            Algorithm::SlidingWindow => vec![
                Use {
                    at: now - terms.window,
                    amount: then.charged_in_window(begin - terms.window),
                },
                Use { at: now, amount: then.charged_in_window(begin) },
            ],
            Algorithm::SlidingLog => vec![Use { at: now, amount: then.live_at(stamp) }],
            Algorithm::InFlight => {
                let is_wrong = |it: &Use| it.at - now > terms.window;
                let put_right = |it: Use| if is_wrong(&it) { Use { at: now, ..it } } else { it };
                self.without_ended(now).uses.into_iter().map(put_right).collect()
            }
            Algorithm::TokenBucket { .. } => vec![Use { at: now, amount: then.owed_at(stamp) }],
            other => no_model(other),
        };
        Self { terms, uses }
    }
}

/// Quotas whose units or burst change. Another window is another key.
impl History {
    /// The history as it counts at `instant` under `terms`: itself, unless they are other terms.
    fn restated(&self, terms: Terms, instant: i128) -> Self {
        assert_eq!(terms.window, self.terms.window, "a key has one window");
        let Some(stamp) = self.stamp().filter(|_| terms != self.terms) else {
            return Self { terms, uses: self.uses.clone() };
        };
        let uses = match terms.algorithm {
            // Neither window weighs more than the whole quota.
            Algorithm::SlidingWindow => {
                let begin = terms.window_holding(instant);
                let of_window =
                    |at: i128| Use { at, amount: self.charged_in_window(at).min(terms.units) };
                vec![of_window(begin - terms.window), of_window(begin)]
            }
            // A bucket owes no more than it holds.
            Algorithm::TokenBucket { .. } => {
                let owed = self.owed_at(stamp).min(terms.capacity() * terms.window);
                vec![Use { at: stamp, amount: owed }]
            }
            Algorithm::FixedWindow | Algorithm::SlidingLog | Algorithm::InFlight => {
                self.uses.clone()
            }
            other => no_model(other),
        };
        Self { terms, uses }
    }
}

/// What is asked of a history at `now`, be it ahead of the clock or under other terms.
impl History {
    /// The units that are left.
    fn remaining(&self, terms: Terms, now: i128) -> i128 {
        let instant = self.as_of(now);
        self.restated(terms, instant).remaining_at(instant)
    }

    /// The history with `units` more charged to it.
    fn charged(&self, terms: Terms, now: i128, units: i128) -> Self {
        let instant = self.as_of(now);
        let mut history = self.restated(terms, instant).without_ended(now);
        history.uses.push(Use { at: instant, amount: terms.amount(units) });
        history
    }

    /// The history without the slots that have ended at `now`: they are forgotten when others are taken.
    fn without_ended(&self, now: i128) -> Self {
        let mut history = self.clone();
        if self.terms.algorithm == Algorithm::InFlight {
            history.uses.retain(|it| it.at + self.terms.window > now);
        }
        history
    }

    /// Where the key stands for a request of `cost`.
    fn standing(&self, terms: Terms, now: i128, cost: i128) -> Standing {
        if terms.algorithm == Algorithm::InFlight {
            // Nobody knows when requests end.
            let remaining = self.remaining(terms, now);
            let retry = match remaining >= cost {
                true => Retry::Now,
                false if cost > terms.capacity() => Retry::Never,
                false => Retry::WhenFreed,
            };
            return Standing::new(unsigned(remaining), 0, retry);
        }
        let retry = if cost > terms.capacity() {
            Retry::Never
        } else {
            match self.wait_for(cost, terms, now) {
                0 => Retry::Now,
                wait => Retry::After(unsigned(wait)),
            }
        };
        Standing::new(
            unsigned(self.remaining(terms, now)),
            unsigned(self.wait_for(terms.capacity(), terms, now)),
            retry,
        )
    }

    /// The shortest wait after which `units` remain, if nothing is charged meanwhile.
    ///
    /// What remains never becomes less with time, so bisection finds it.
    fn wait_for(&self, units: i128, terms: Terms, now: i128) -> i128 {
        let is_enough = |wait: i128| self.remaining(terms, now + wait) >= units;
        if is_enough(0) {
            return 0;
        }
        let (mut too_short, mut enough) = (0, terms.long_enough());
        assert!(is_enough(enough), "{units} units never remain: {self:?} under {terms:?} at {now}");
        while enough - too_short > 1 {
            let middle = too_short + (enough - too_short) / 2;
            if is_enough(middle) {
                enough = middle;
            } else {
                too_short = middle;
            }
        }
        enough
    }
}

/// `dividend / divisor`, rounded up; neither is negative.
fn divide_up(dividend: i128, divisor: i128) -> i128 {
    (dividend + divisor - 1) / divisor
}

/// A number of the answer, which the types of the library hold unsigned.
fn no_model(algorithm: Algorithm) -> ! {
    panic!("write the model of {algorithm} first")
}

fn unsigned(number: i128) -> u64 {
    u64::try_from(number).expect("the numbers of an answer are small and not negative")
}
