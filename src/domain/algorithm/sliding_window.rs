//! The two-window counter: the units of this window, plus a part of the window before. The part is what a
//! full window that ends now still covers of it.

use super::reading::{self, read_as_of};
use super::terms::Terms;
use crate::domain::clock::Millis;

/// Units used in the window that begins at `start`, and in the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    start: Millis,
    previous: u64,
    current: u64,
}

/// A state as of the current window.
pub(super) struct Reading {
    terms: Terms,
    now: Millis,
    /// How many milliseconds of the window before are still covered.
    covered: Millis,
    state: State,
}

impl State {
    pub(super) fn stamp(&self) -> Millis {
        self.start
    }

    pub(super) fn read(&self, terms: &Terms, now: Millis) -> Reading {
        let window = terms.length();
        let as_of = read_as_of(self.start, window, now);
        let start = as_of - as_of % window;
        let (previous, current) = if self.start >= start {
            (self.previous, self.current)
        } else if self.start + window >= start {
            (self.current, 0)
        } else {
            (0, 0)
        };
        // Units that were used under a larger quota count at most as this whole quota. Otherwise they would
        // deny requests for longer than the two windows for which they are stored.
        let state =
            Self { start, previous: previous.min(terms.units), current: current.min(terms.units) };
        Reading { terms: *terms, now, covered: start + window - as_of, state }
    }

    pub(super) fn charge(&mut self, terms: &Terms, now: Millis, units: u64) -> Reading {
        let mut reading = self.read(terms, now);
        reading.state.current += units;
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
        let window = terms.length();
        let at = charged_at.unwrap_or(now);
        let start = at - at % window;
        // What was charged last may be of this window and of the one before it.
        let is_last = charged_at.is_none();
        let from_current = self.start == start || is_last && self.start + window == start;
        let from_previous = self.start == if is_last { start } else { start + window };
        let mut given = 0;
        if from_current && now < self.start + 2 * window {
            given = units.min(self.current);
            self.current -= given;
        }
        if from_previous && now < self.start + window {
            let more = (units - given).min(self.previous);
            self.previous -= more;
            given += more;
        }
        given
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.previous + self.current == 0
    }
}

impl Reading {
    /// How many milliseconds of a window with `used` units may be covered, so that they count at most
    /// `units`.
    fn cover_for(&self, units: u64, used: u64) -> Millis {
        units * self.terms.length() / used
    }
}

impl reading::Reading for Reading {
    fn remaining(&self) -> u64 {
        let weighed = (self.state.previous * self.covered).div_ceil(self.terms.length());
        self.terms.units.saturating_sub(self.state.current + weighed)
    }

    fn reset_after(&self) -> Millis {
        let end = self.state.start + self.terms.length();
        match self.state {
            State { current: 1.., .. } => end + self.terms.length() - self.now,
            State { previous: 1.., .. } => end - self.now,
            _ => 0,
        }
    }

    fn wait_for(&self, cost: u64) -> Millis {
        let State { start, previous, current } = self.state;
        let end = start + self.terms.length();
        let room = self.terms.units - cost;
        let opens = if current <= room {
            end - self.cover_for(room - current, previous)
        } else {
            end + self.terms.length() - self.cover_for(room, current)
        };
        opens - self.now
    }
}
