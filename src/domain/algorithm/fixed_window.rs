//! Counts per window, aligned to the epoch: the quota is whole again at the window's edge.

use super::{Terms, read_as_of};
use crate::domain::clock::Millis;

/// Units used in the window that begins at `start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    start: Millis,
    used: u64,
}

/// A state rolled to the window that counts now.
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
        // A later start than this window's is one that a wrong clock wrote.
        let used = if self.start >= start { self.used } else { 0 };
        Reading { terms: *terms, now, state: Self { start, used } }
    }

    pub(super) fn charge(&mut self, terms: &Terms, now: Millis, units: u64) -> Reading {
        let mut reading = self.read(terms, now);
        reading.state.used += units;
        *self = reading.state;
        reading
    }
}

impl super::Reading for Reading {
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
