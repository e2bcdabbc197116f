use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::{self, Date};

/// The unit of a window by the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CalendarUnit {
    /// From one midnight to the next.
    Day,
    /// Seven days, the first of which is this one.
    Week(Weekday),
    /// From the first day of a month to the last.
    Month,
    /// From the first of January to the end of December.
    Year,
}

impl CalendarUnit {
    /// Its name, as in a quota: `day`, `week`, `month` or `year`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week(_) => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// As keys name it: `d`, `m` or `y`, or `w` with the number of the day, of which Monday is the first.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Day => "d",
            Self::Week(first) => first.code(),
            Self::Month => "m",
            Self::Year => "y",
        }
    }

    /// The unit that `code` begins with, and the rest of the text.
    pub(super) fn split_code(code: &str) -> Option<(Self, &str)> {
        let weeks = Weekday::ALL.into_iter().map(Self::Week);
        let mut units = [Self::Day, Self::Month, Self::Year].into_iter().chain(weeks);
        units.find_map(|unit| Some((unit, code.strip_prefix(unit.code())?)))
    }

    /// The first day of the window that holds `date`.
    pub(super) fn first_day(self, date: Date) -> Option<Date> {
        match self {
            Self::Day => Some(date),
            Self::Week(first) => {
                let days = date.weekday().since(first.of_jiff());
                date.checked_sub(i64::from(days).days()).ok()
            }
            Self::Month => Some(date.first_of_month()),
            Self::Year => Some(date.first_of_year()),
        }
    }

    /// The first day of the window before the one that begins on `first`.
    pub(super) fn before(self, first: Date) -> Option<Date> {
        self.first_day(first.yesterday().ok()?)
    }

    /// The first day of the window after the one that begins on `first`.
    pub(super) fn after(self, first: Date) -> Option<Date> {
        match self {
            Self::Day => first.tomorrow(),
            Self::Week(_) => first.checked_add(7.days()),
            Self::Month => first.last_of_month().tomorrow(),
            Self::Year => first.last_of_year().tomorrow(),
        }
        .ok()
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Weekday {
    #[default]
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Monday => "w1",
            Self::Tuesday => "w2",
            Self::Wednesday => "w3",
            Self::Thursday => "w4",
            Self::Friday => "w5",
            Self::Saturday => "w6",
            Self::Sunday => "w7",
        }
    }

    fn of_jiff(self) -> civil::Weekday {
        match self {
            Self::Monday => civil::Weekday::Monday,
            Self::Tuesday => civil::Weekday::Tuesday,
            Self::Wednesday => civil::Weekday::Wednesday,
            Self::Thursday => civil::Weekday::Thursday,
            Self::Friday => civil::Weekday::Friday,
            Self::Saturday => civil::Weekday::Saturday,
            Self::Sunday => civil::Weekday::Sunday,
        }
    }
}

impl FromStr for Weekday {
    type Err = UnknownWeekday;

    /// Reads an English name, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, UnknownWeekday> {
        let is_its = |day: &Self| day.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(is_its).ok_or_else(|| UnknownWeekday(text.to_owned()))
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no [`Weekday`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWeekday(String);

impl fmt::Display for UnknownWeekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a day of the week: expected one as in \"monday\" or \"sunday\"",
            self.0
        )
    }
}

impl std::error::Error for UnknownWeekday {}
