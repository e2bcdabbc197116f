//! Refills steadily up to its burst: the generic cell rate algorithm (ITU-T I.371). Its theoretical arrival
//! time is kept exactly, as an instant and what was still to be refilled at that instant.

use super::reading::{self, read_as_of};
use super::terms::Terms;
use crate::domain::clock::Millis;
use crate::domain::quota::MAX_EXACT;

/// What was taken from the bucket and not yet refilled at `stamp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    stamp: Millis,
    /// In parts of a unit. A unit has as many parts as `window` has milliseconds, so a refill of `units`
    /// per window is exactly `units` parts per millisecond.
    debt: u64,
}

/// A state, refilled up to the time as of which it is read.
pub(super) struct Reading {
    terms: Terms,
    now: Millis,
    state: State,
}

impl State {
    pub(super) fn stamp(&self) -> Millis {
        self.stamp
    }

    pub(super) fn read(&self, terms: &Terms, now: Millis) -> Reading {
        let as_of = read_as_of(self.stamp, terms.length(), now);
        // After a change to a smaller burst, no more is missing than the bucket holds.
        let owed = self.debt.min(terms.burst * terms.length());
        let refilled = as_of.saturating_sub(self.stamp);
        let debt =
            if refilled >= owed.div_ceil(terms.units) { 0 } else { owed - refilled * terms.units };
        Reading { terms: *terms, now, state: Self { stamp: as_of, debt } }
    }

    pub(super) fn charge(&mut self, terms: &Terms, now: Millis, units: u64) -> Reading {
        let mut reading = self.read(terms, now);
        reading.state.debt += units * terms.length();
        *self = reading.state;
        reading
    }

    pub(super) fn refund(
        &mut self,
        terms: &Terms,
        now: Millis,
        units: u64,
        charged_at: Option<Millis>,
    ) -> u64 {
        let as_of = now.max(self.stamp);
        let charged = units.min(MAX_EXACT / terms.length()) * terms.length();
        let since = as_of.saturating_sub(charged_at.unwrap_or(as_of));
        // What has refilled since may have been used by other requests already. It stays used.
        if since >= charged.div_ceil(terms.units) {
            return 0;
        }
        let refilled = (as_of - self.stamp).min(self.debt.div_ceil(terms.units));
        let missing = self.debt.saturating_sub(refilled * terms.units);
        let given = missing.min(charged - since * terms.units);
        self.debt -= given;
        given.div_ceil(terms.length())
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.debt == 0
    }
}

impl Reading {
    /// The time until only `debt` is left.
    fn wait_until(&self, debt: u64) -> Millis {
        let refilled = self.state.debt.saturating_sub(debt).div_ceil(self.terms.units);
        self.state.stamp + refilled - self.now
    }
}

impl reading::Reading for Reading {
    fn remaining(&self) -> u64 {
        (self.terms.burst * self.terms.length() - self.state.debt) / self.terms.length()
    }

    fn reset_after(&self) -> Millis {
        match self.state.debt {
            0 => 0,
            _ => self.wait_until(0),
        }
    }

    fn wait_for(&self, cost: u64) -> Millis {
        self.wait_until((self.terms.burst - cost) * self.terms.length())
    }
}
