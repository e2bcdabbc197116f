use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;

use super::unit::CalendarUnit;
use super::zone::Zone;
use crate::domain::clock::Millis;

/// How many starts of windows are known together.
pub(crate) const STARTS: usize = 5;

/// When there is no further window: dates end with the year 9999. No time is so late, since times are exact.
const NEVER: Millis = 1 << 53;

/// The window that holds some instant, the one before it, and the two after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    /// When they begin, and when the last of them ends. No window begins before the epoch.
    starts: [Millis; STARTS],
}

impl Windows {
    pub(super) fn around(at: Millis, unit: CalendarUnit, zone: Zone) -> Self {
        let start = |first: Date| {
            let start = zone.start_of(first).map_or(i64::MAX, Timestamp::as_millisecond);
            u64::try_from(start.max(0)).unwrap_or(NEVER).min(NEVER)
        };
        let instant = i64::try_from(at).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        let today = zone.local(instant.unwrap_or(Timestamp::MAX)).date();
        let mut first = unit.first_day(today).unwrap_or(today);
        // If the clocks have gone back over midnight, the next window has begun before.
        while let Some(next) = unit.after(first).filter(|next| start(*next) <= at) {
            first = next;
        }
        let this = start(first);
        // A window that does not exist begins when the next one does.
        let before = std::iter::successors(unit.before(first), |it| unit.before(*it));
        let before = before.map(start).find(|start| *start < this || this == 0).unwrap_or(this);
        let mut starts = [before, this, NEVER, NEVER, NEVER];
        let mut later = std::iter::successors(unit.after(first), |it| unit.after(*it)).map(start);
        let mut last = this;
        for next in &mut starts[2..] {
            last = later.find(|start| *start > last).unwrap_or(NEVER);
            *next = last;
        }
        Self { starts }
    }

    /// The window that holds the instant.
    pub(crate) fn this(&self) -> Range<Millis> {
        self.starts[1]..self.starts[2]
    }

    /// The window after it.
    pub(crate) fn next(&self) -> Range<Millis> {
        self.starts[2]..self.starts[3]
    }

    /// When the window before it begins, when each of the three after that does, and when the last of them ends.
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn starts(&self) -> [Millis; STARTS] {
        self.starts
    }
}
