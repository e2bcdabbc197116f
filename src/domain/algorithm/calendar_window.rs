//! Counts per window of a calendar. A state is that of a fixed window, and only which window it is read in differs.
//!
//! A window of a clock that steps back is the present one or the next. Time then stands still in the next one until the
//! clock has caught up, as it does in windows of one length.

use std::ops::Range;

use crate::domain::calendar::Calendar;
use crate::domain::clock::Millis;

/// The window in which a state is read whose window began at `start`.
pub(super) fn read_in(start: Millis, calendar: Calendar, now: Millis) -> Range<Millis> {
    let windows = calendar.windows(now);
    if windows.next().contains(&start) { windows.next() } else { windows.this() }
}

/// Whether a wrong clock wrote the state: its window began after the end of the next one.
pub(super) fn is_astray(start: Millis, calendar: Calendar, now: Millis) -> bool {
    start >= calendar.windows(now).next().end
}

#[cfg(test)]
mod tests;
