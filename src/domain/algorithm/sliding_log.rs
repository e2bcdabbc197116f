//! Remembers every admitted request until it is a window old: exact over any window.

use std::collections::VecDeque;

use super::reading::{self, is_astray, read_as_of};
use super::terms::Terms;
use crate::domain::clock::Millis;

/// The admitted requests, oldest first. At most one entry per unit of the quota is live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    entries: VecDeque<Entry>,
}

/// The units used at one instant, and the total of the log up to and including them. So one subtraction
/// sums any part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    at: Millis,
    total: u64,
    units: u64,
}

/// The live part of a log.
pub(super) struct Reading<'log> {
    terms: Terms,
    now: Millis,
    as_of: Millis,
    entries: &'log VecDeque<Entry>,
    /// The index of the first live entry.
    live: usize,
    used: u64,
}

impl State {
    pub(super) fn stamp(&self) -> Millis {
        self.entries.back().map_or(0, |entry| entry.at)
    }

    pub(super) fn read(&self, terms: &Terms, now: Millis) -> Reading<'_> {
        let (stamp, window) = (self.stamp(), terms.length());
        let as_of = read_as_of(stamp, window, now);
        // Entries of a wrong clock are summed as of the time when they were written.
        let summed_as_of = as_of.max(stamp);
        let live = self.entries.partition_point(|entry| entry.at + window <= summed_as_of);
        let used = match (self.entries.get(live), self.entries.back()) {
            (Some(first), Some(last)) => last.total - first.total + first.units,
            _ => 0,
        };
        Reading { terms: *terms, now, as_of, entries: &self.entries, live, used }
    }

    pub(super) fn charge(&mut self, terms: &Terms, now: Millis, units: u64) -> Reading<'_> {
        let Reading { as_of, live, used, .. } = self.read(terms, now);
        if is_astray(self.stamp(), terms.length(), now) {
            // The times were wrong: all units count as used now.
            self.entries.clear();
            self.entries.push_back(Entry { at: now, total: used + units, units: used + units });
            return self.read(terms, now);
        }
        self.entries.drain(..live);
        match self.entries.back_mut() {
            Some(last) if last.at == as_of => {
                last.total += units;
                last.units += units;
            }
            last => {
                let total = last.map_or(0, |entry| entry.total) + units;
                self.entries.push_back(Entry { at: as_of, total, units });
            }
        }
        self.read(terms, now)
    }

    pub(super) fn refund(
        &mut self,
        terms: &Terms,
        now: Millis,
        units: u64,
        charged_at: Option<Millis>,
    ) -> u64 {
        let mut given = 0;
        for index in (0..self.entries.len()).rev() {
            let entry = self.entries[index];
            let is_asked_for = charged_at.is_none_or(|at| at == entry.at);
            let is_past = charged_at.is_some_and(|at| at > entry.at);
            if is_past || given == units || now >= entry.at + terms.length() {
                break;
            }
            if is_asked_for {
                given += self.take(index, units - given);
            }
        }
        given
    }

    /// Takes up to `units` from the entry at `index`, and returns how many. The totals of later entries include them.
    fn take(&mut self, index: usize, units: u64) -> u64 {
        let taken = units.min(self.entries[index].units);
        self.entries[index].units -= taken;
        self.entries.range_mut(index..).for_each(|entry| entry.total -= taken);
        if self.entries[index].units == 0 {
            self.entries.remove(index);
        }
        taken
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.entries.is_empty()
    }
}

impl reading::Reading for Reading<'_> {
    fn remaining(&self) -> u64 {
        self.terms.units.saturating_sub(self.used)
    }

    fn reset_after(&self) -> Millis {
        match self.entries.back() {
            Some(last) if self.used > 0 => last.at.min(self.as_of) + self.terms.length() - self.now,
            _ => 0,
        }
    }

    fn wait_for(&self, cost: u64) -> Millis {
        let Some(first) = self.entries.get(self.live) else { return 0 };
        // The entries up to this total, counted since the log began, must become a window old.
        let must_go = first.total - first.units + (self.used + cost - self.terms.units);
        let last_to_go = self.entries.partition_point(|entry| entry.total < must_go);
        let at = self.entries.get(last_to_go).map_or(self.as_of, |entry| entry.at);
        at.min(self.as_of) + self.terms.length() - self.now
    }
}
