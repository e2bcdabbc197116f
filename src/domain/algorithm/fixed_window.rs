//! Counts per window: aligned to the epoch, or by the calendar. The quota is whole again at the end of the window.

use super::calendar_window;
use super::reading::{self, is_astray, read_as_of};
use super::terms::Terms;
use crate::domain::clock::Millis;
use crate::domain::window::Window;

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
    end: Millis,
}

impl State {
    /// When the state was written, if a wrong clock wrote it.
    pub(super) fn astray(&self, window: Window, now: Millis) -> Option<Millis> {
        let is_astray = match window {
            Window::Fixed(length) => is_astray(self.start, length, now),
            Window::Calendar(calendar) => calendar_window::is_astray(self.start, calendar, now),
        };
        is_astray.then_some(self.start)
    }

    pub(super) fn read(&self, terms: &Terms, now: Millis) -> Reading {
        let window = match terms.window {
            Window::Fixed(length) => {
                let as_of = read_as_of(self.start, length, now);
                terms.window.holding(as_of)
            }
            Window::Calendar(calendar) => calendar_window::read_in(self.start, calendar, now),
        };
        // If the start is later than that of this window, a wrong clock wrote it.
        let used = if self.start >= window.start { self.used } else { 0 };
        let state = Self { start: window.start, used };
        Reading { terms: *terms, now, state, end: window.end }
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
        let window = terms.window.holding(charged_at.unwrap_or(now));
        if self.start != window.start || now >= window.end {
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
        self.end - self.now
    }
}
