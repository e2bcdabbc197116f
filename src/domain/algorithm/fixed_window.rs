//! Counts per window, aligned to the epoch. The quota is whole again at the end of the window.

use super::reading::{self, read_as_of};
use super::terms::Terms;
use crate::domain::clock::Millis;

/// Units used in the window that begins at `start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    start: Millis,
    used: u64,
}

/// A state as of the current window.
pub(super) struct Reading {
    terms: Terms,
    now: Millis,
    state: State,
}

impl State {
    pub(super) fn stamp(&self) -> Millis {
        self.start
    }

    pub(super) fn read(&self, terms: &Terms, now: Millis) -> Reading {
        let as_of = read_as_of(self.start, terms.window, now);
        let start = as_of - as_of % terms.window;
        // If the start is later than that of this window, a wrong clock wrote it.
        let used = if self.start >= start { self.used } else { 0 };
        Reading { terms: *terms, now, state: Self { start, used } }
    }

    pub(super) fn charge(&mut self, terms: &Terms, now: Millis, units: u64) -> Reading {
        let mut reading = self.read(terms, now);
        reading.state.used += units;
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
        let at = charged_at.unwrap_or(now);
        let start = at - at % terms.window;
        if self.start != start || now >= start + terms.window {
            return 0;
        }
        let given = units.min(self.used);
        self.used -= given;
        given
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.used == 0
    }
}

impl reading::Reading for Reading {
    fn remaining(&self) -> u64 {
        self.terms.units.saturating_sub(self.state.used)
    }

    fn reset_after(&self) -> Millis {
        match self.state.used {
            0 => 0,
            _ => self.wait_for(1),
        }
    }

    fn wait_for(&self, _cost: u64) -> Millis {
        self.state.start + self.terms.window - self.now
    }
}
