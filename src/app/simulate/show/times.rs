//! Times in UTC.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::domain::clock::Millis;

/// A day, in ms.
pub(super) const DAY: Millis = 86_400_000;

/// A year, in ms, or a day less.
pub(super) const YEAR: Millis = 365 * DAY;

/// How much of a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// `2026-11-26 10:00:05`.
    Full,
    /// `2026-11-26`.
    Day,
    /// `11-26`.
    DayOfYear,
    /// `11-26 10:00`.
    DayAndMinute,
    /// `10:00:05`.
    Second,
    /// `10:00`.
    Minute,
}

impl TimeForm {
    /// The shortest form that tells times between `first` and `last` apart, where both are known to the reader.
    pub(super) fn between(first: Millis, last: Millis) -> Self {
        match last.saturating_sub(first) {
            _ if first / DAY == last / DAY => Self::Second,
            0..YEAR => Self::DayAndMinute,
            _ => Self::Day,
        }
    }

    /// `at`, in ms since the epoch, in UTC. A time after the year 9999 stays a number.
    pub(super) fn of(self, at: Millis) -> String {
        let seconds = i64::try_from(at / 1_000).ok();
        let time = seconds.and_then(|it| OffsetDateTime::from_unix_timestamp(it).ok());
        let text = time.and_then(|time| time.format(self.description()).ok());
        text.unwrap_or_else(|| format!("{at} ms"))
    }

    fn description(self) -> &'static [BorrowedFormatItem<'static>] {
        match self {
            Self::Full => format_description!("[year]-[month]-[day] [hour]:[minute]:[second]"),
            Self::Day => format_description!("[year]-[month]-[day]"),
            Self::DayOfYear => format_description!("[month]-[day]"),
            Self::DayAndMinute => format_description!("[month]-[day] [hour]:[minute]"),
            Self::Second => format_description!("[hour]:[minute]:[second]"),
            Self::Minute => format_description!("[hour]:[minute]"),
        }
    }
}

#[cfg(test)]
mod tests;
