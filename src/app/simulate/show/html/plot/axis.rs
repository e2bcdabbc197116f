//! An axis of counts or of times, with ticks at round ones.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use crate::app::simulate::show::times::{DAY, TimeForm, YEAR};
use crate::app::simulate::show::words::short;
use crate::domain::clock::Millis;

/// An axis has about so many ticks at most.
const TICKS_OF_COUNTS: u64 = 4;
const TICKS_OF_TIMES: u64 = 8;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;

/// The steps between ticks of times that are less than many days apart.
const STEPS: [Millis; 21] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];

/// What an axis shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Counts,
    /// Times, with a tick at each multiple of `step` in ms; less than a year of them, or more.
    Times {
        step: Millis,
        is_long: bool,
    },
}

impl Scale {
    /// What stands at a tick.
    pub(super) fn label(self, tick: u64) -> String {
        match self {
            Self::Counts => short(tick),
            Self::Times { is_long: true, .. } => TimeForm::Day.of(tick),
            Self::Times { step: DAY.., .. } => TimeForm::DayOfYear.of(tick),
            Self::Times { .. } if tick.is_multiple_of(DAY) => TimeForm::DayOfYear.of(tick),
            Self::Times { step: MINUTE.., .. } => TimeForm::Minute.of(tick),
            Self::Times { .. } => TimeForm::Second.of(tick),
        }
    }
}

/// An axis of whole numbers.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    range: Range<u64>,
    ticks: Vec<u64>,
    scale: Scale,
}

impl Axis {
    /// From 0 to `most`, or a round number above it.
    pub(super) fn of_counts(most: u64) -> Self {
        let most = most.max(1);
        let step = round(most.div_ceil(TICKS_OF_COUNTS));
        let end = most.div_ceil(step).saturating_mul(step);
        Self { ticks: ticks(&(0..end), step), range: 0..end, scale: Scale::Counts }
    }

    /// From `first` to `last`.
    pub(super) fn of_times(first: Millis, last: Millis) -> Self {
        let range = first..last;
        let length = last.saturating_sub(first);
        let step = STEPS.into_iter().find(|step| length / step <= TICKS_OF_TIMES);
        let step = step
            .unwrap_or_else(|| round((length / TICKS_OF_TIMES).div_ceil(DAY)).saturating_mul(DAY));
        let scale = Scale::Times { step, is_long: length > YEAR };
        Self { ticks: ticks(&range, step), range, scale }
    }

    pub(super) fn scale(&self) -> Scale {
        self.scale
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = u64;

    fn map(&self, value: &u64, (begin, end): (i32, i32)) -> i32 {
        let length = self.range.end.saturating_sub(self.range.start).max(1);
        let along = value.saturating_sub(self.range.start).min(length);
        let pixels = i128::from(end) - i128::from(begin);
        let offset = i128::from(along) * pixels / i128::from(length);
        i32::try_from(i128::from(begin) + offset).unwrap_or(end)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<u64> {
        // There are no light lines between those of the ticks.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<u64> {
        self.range.clone()
    }
}

/// The multiples of `step` in `range` and at its end.
fn ticks(range: &Range<u64>, step: u64) -> Vec<u64> {
    let first = range.start.checked_next_multiple_of(step);
    let ticks = std::iter::successors(first, |tick| tick.checked_add(step));
    ticks.take_while(|tick| *tick <= range.end).collect()
}

/// The next of 1, 2, 5, 10, 20, 50 and so on.
fn round(number: u64) -> u64 {
    let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
    let mut rounds = powers.flat_map(|power| [1, 2, 5].map(|it| power.saturating_mul(it)));
    rounds.find(|it| *it >= number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
