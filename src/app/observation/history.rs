//! What was counted over the last hour, by the minute, for people who look rather than query.
//!
//! Requests are counted elsewhere, and once. This compares those counts from time to time, so it costs a request nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counts::Counts;
use super::kinds::PolicyCount;
use crate::domain::clock::{Clock, Millis};
use crate::store::HistogramCounts;

/// How many minutes are kept, the present one among them.
pub(crate) const MINUTES: usize = 60;

const MINUTE: Millis = 60_000;

/// What is counted of a policy, by [`PolicyCount`].
type Row = [u64; PolicyCount::ALL.len()];

/// What was counted over the last hour.
#[derive(Debug)]
pub(crate) struct History {
    clock: Arc<dyn Clock>,
    counts: Arc<Counts>,
    since: Millis,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// In order; minutes in which nothing was looked at are absent.
    minutes: VecDeque<Minute>,
    /// What had been counted at the last look.
    policies: BTreeMap<String, Row>,
    waits: HistogramCounts,
}

#[derive(Debug)]
struct Minute {
    number: u64,
    policies: BTreeMap<String, Row>,
    /// How many waits were within each bound, and then those above all bounds.
    waits: Vec<u64>,
}

/// The last hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastHour {
    /// When the first of its minutes began, in milliseconds since the Unix epoch.
    pub(crate) begins: Millis,
    policies: BTreeMap<String, Vec<Row>>,
    /// Half of the decisions of the last five minutes that waited for the store did so for no longer, in microseconds;
    /// `None` if none did.
    pub(crate) wait_p50: Option<u64>,
    /// The same of 99 in a hundred.
    pub(crate) wait_p99: Option<u64>,
}

impl History {
    /// Begins now, by a clock that people read.
    pub(crate) fn new(counts: Arc<Counts>, clock: Arc<dyn Clock>) -> Self {
        let state =
            State { minutes: VecDeque::new(), policies: counted(&counts), waits: counts.waits() };
        Self { since: clock.now(), clock, counts, state: Mutex::new(state) }
    }

    /// When it began, in milliseconds since the Unix epoch.
    pub(crate) fn since(&self) -> Millis {
        self.since
    }

    /// Adds what was counted since the last look to the present minute. It is to be called more often than once a
    /// minute.
    pub(crate) fn look(&self) {
        let (now, policies, waits) = (self.clock.now(), counted(&self.counts), self.counts.waits());
        self.state().add(now / MINUTE, policies, waits);
    }

    /// The last hour, up to now.
    pub(crate) fn last_hour(&self) -> LastHour {
        self.look();
        self.state().last_hour(self.clock.now() / MINUTE)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, number: u64, policies: BTreeMap<String, Row>, waits: HistogramCounts) {
        // A clock that steps back adds to the last minute.
        let is_new = self.minutes.back().is_none_or(|last| last.number < number);
        if is_new {
            let waits = vec![0; waits.buckets.len() + 1];
            self.minutes.push_back(Minute { number, policies: BTreeMap::new(), waits });
            self.minutes.retain(|it| it.number + MINUTES as u64 > number);
        }
        let Some(minute) = self.minutes.back_mut() else { return };
        for (name, row) in &policies {
            let before = self.policies.get(name).copied().unwrap_or_default();
            if *row != before {
                let sums = minute.policies.entry(name.clone()).or_default();
                for ((sum, now), before) in sums.iter_mut().zip(row).zip(before) {
                    *sum += now.saturating_sub(before);
                }
            }
        }
        let (now, before) = (in_bounds(&waits), in_bounds(&self.waits));
        for ((sum, now), before) in minute.waits.iter_mut().zip(now).zip(before) {
            *sum += now.saturating_sub(before);
        }
        (self.policies, self.waits) = (policies, waits);
    }

    fn last_hour(&self, now: u64) -> LastHour {
        let last = self.minutes.back().map_or(now, |it| it.number.max(now));
        let first = (last + 1).saturating_sub(MINUTES as u64);
        let mut policies: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for minute in self.minutes.iter().filter(|it| it.number >= first) {
            let Ok(index) = usize::try_from(minute.number - first) else { continue };
            for (name, row) in &minute.policies {
                let empty = || vec![Row::default(); MINUTES];
                policies.entry(name.clone()).or_insert_with(empty)[index] = *row;
            }
        }
        let recent = self.minutes.iter().filter(|it| it.number + 5 > last);
        let mut waits = vec![0; self.waits.buckets.len() + 1];
        for minute in recent {
            waits.iter_mut().zip(&minute.waits).for_each(|(sum, more)| *sum += more);
        }
        let quantile = |percent| quantile(&waits, &self.waits, percent);
        LastHour {
            begins: first * MINUTE,
            policies,
            wait_p50: quantile(50),
            wait_p99: quantile(99),
        }
    }
}

impl LastHour {
    /// What was counted of a policy in each minute; the last one is not over.
    pub(crate) fn minutes(&self, policy: &str, what: PolicyCount) -> Vec<u64> {
        match self.policies.get(policy) {
            Some(rows) => rows.iter().map(|row| row[what as usize]).collect(),
            None => vec![0; MINUTES],
        }
    }

    /// What was counted of a policy in all of its minutes.
    pub(crate) fn total(&self, policy: &str, what: PolicyCount) -> u64 {
        let rows = self.policies.get(policy).into_iter().flatten();
        rows.map(|row| row[what as usize]).sum()
    }
}

fn counted(counts: &Counts) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for what in PolicyCount::ALL {
        for (name, count) in counts.policies(what) {
            rows.entry(name).or_default()[what as usize] = count;
        }
    }
    rows
}

fn in_bounds(counts: &HistogramCounts) -> impl Iterator<Item = u64> {
    counts.buckets.iter().map(|(_, count)| *count).chain([counts.above])
}

/// The bound that so many in a hundred of `counts` do not exceed; the highest bound where it is above all of them.
fn quantile(counts: &[u64], bounds: &HistogramCounts, percent: u64) -> Option<u64> {
    let all: u64 = counts.iter().sum();
    let wanted = (all * percent).div_ceil(100);
    let mut sum = 0;
    let mut bounds = bounds.buckets.iter().map(|(bound, _)| *bound);
    let reached = counts.iter().zip(bounds.clone()).find(|(count, _)| {
        sum += **count;
        sum >= wanted
    });
    if all == 0 { None } else { reached.map(|(_, bound)| bound).or(bounds.next_back()) }
}

#[cfg(test)]
mod tests;
