//! How many units in which time: [`Quota`], and the [`Cost`] of one request.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use self::meant::{Mistake, meant};
pub use self::quotas::{ClientQuota, Quotas, QuotasError};
use crate::domain::calendar::{Calendar, CalendarUnit, Zone};
use crate::domain::clock::Millis;
use crate::domain::window::Window;

mod calendar;
mod meant;
mod quotas;

/// The largest number in any decision, 2^53 - 1. Lua computes with doubles, which are exact up to there.
pub const MAX_EXACT: u64 = (1 << 53) - 1;

/// The longest window, 366 days in milliseconds.
pub const MAX_WINDOW: Millis = 366 * DAY;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;
const WEEK: Millis = 7 * DAY;

/// The units of a window, longest first: a window is printed in the largest unit that divides it.
const WINDOW_UNITS: [WindowUnit; 5] = [
    WindowUnit { name: "week", letter: "w", short: "week", length: WEEK },
    WindowUnit { name: "day", letter: "d", short: "day", length: DAY },
    WindowUnit { name: "hour", letter: "h", short: "hr", length: HOUR },
    WindowUnit { name: "minute", letter: "m", short: "min", length: MINUTE },
    WindowUnit { name: "second", letter: "s", short: "sec", length: SECOND },
];

/// A unit of windows, in all the words that quotas may have for it.
struct WindowUnit {
    name: &'static str,
    letter: &'static str,
    short: &'static str,
    length: Millis,
}

impl WindowUnit {
    /// Whether `word`, which is in lower case, names it. A letter has no plural: `ms` would be read as minutes.
    fn is_named(&self, word: &str) -> bool {
        let one = word.strip_suffix('s').unwrap_or(word);
        word == self.letter || [self.name, self.short].iter().any(|it| word == *it || one == *it)
    }
}

/// Units allowed per window, as in `10/minute`.
///
/// ```
/// use tollgate::Quota;
///
/// let quota: Quota = "5/2 seconds".parse()?;
/// assert_eq!((quota.units(), quota.window().fixed()), (5, Some(2_000)));
/// assert_eq!("100 per hour".parse::<Quota>()?.to_string(), "100/hour");
/// assert_eq!("100/30s".parse::<Quota>()?.to_string(), "100/30 seconds");
/// assert!("1000/month".parse::<Quota>()?.window().calendar().is_some());
/// assert!("ten a minute".parse::<Quota>().is_err());
/// # Ok::<(), tollgate::QuotaError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    units: NonZeroU64,
    window: Window,
}

impl Quota {
    /// A quota of `units` per `window` milliseconds.
    ///
    /// # Errors
    /// If `units` is 0 or above 2^53 - 1, or if `window` is not a whole number of seconds between one
    /// second and 366 days.
    pub fn new(units: u64, window: Millis) -> Result<Self, QuotaError> {
        Self::checked(units, Window::Fixed(window))
            .map_err(|problem| QuotaError { input: format!("{units}/{window} ms"), problem })
    }

    /// The units allowed per window, at least 1.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units.get()
    }

    /// The window. If all windows have one length, it is a whole number of seconds.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }

    /// The length of the window in the largest unit that divides it, and the name of that unit.
    pub(crate) fn window_in_units(&self) -> (u64, &'static str) {
        let window = match self.window {
            Window::Fixed(length) => length,
            Window::Calendar(calendar) => return (1, calendar.unit().name()),
        };
        let unit = WINDOW_UNITS.iter().find(|unit| window.is_multiple_of(unit.length));
        unit.map_or((window / SECOND, "second"), |unit| (window / unit.length, unit.name))
    }

    /// The window as a part of a name, as in `hour` or `2-hours`. Quotas that hold together have different ones.
    pub(crate) fn window_label(&self) -> String {
        match self.window_in_units() {
            (1, name) => name.to_owned(),
            (number, name) => format!("{number}-{name}s"),
        }
    }

    /// One of `parts` equal parts, rounded up to whole units.
    #[must_use]
    pub fn share_of(self, parts: NonZeroU64) -> Self {
        let units = self.units.get().div_ceil(parts.get());
        Self { units: NonZeroU64::new(units).unwrap_or(NonZeroU64::MIN), ..self }
    }

    fn checked(units: u64, window: Window) -> Result<Self, QuotaProblem> {
        let units = NonZeroU64::new(units).ok_or(QuotaProblem::NoUnits)?;
        if units.get() > MAX_EXACT {
            return Err(QuotaProblem::TooManyUnits);
        }
        match window {
            Window::Fixed(0) => Err(QuotaProblem::NoWindow),
            Window::Fixed(length) if length % SECOND != 0 => Err(QuotaProblem::PartOfASecond),
            Window::Fixed(length) if length > MAX_WINDOW => Err(QuotaProblem::WindowTooLong),
            _ => Ok(Self { units, window }),
        }
    }
}

impl FromStr for Quota {
    type Err = QuotaError;

    /// Reads `10/minute`, `100 per hour`, `5/2 seconds`, `10/m` or `100/30s`, in upper or lower case.
    fn from_str(input: &str) -> Result<Self, QuotaError> {
        parse(input).map_err(|problem| QuotaError { input: input.to_owned(), problem })
    }
}

fn parse(input: &str) -> Result<Quota, QuotaProblem> {
    let input = input.trim().to_ascii_lowercase();
    let (units, window) = match input.split_once('/') {
        Some(halves) => halves,
        None => input.split_once(" per ").ok_or(QuotaProblem::NotAQuota)?,
    };
    let (units, window) = (units.trim_end(), window.trim_start());
    match (parse_number(units), parse_window(window)) {
        (Ok(units), Ok(window)) => Quota::checked(units, window),
        (units_read, window_read) => {
            let meant =
                meant(units, window, window_read.ok()).and_then(|(mistake, units, window)| {
                    Some(QuotaProblem::Meant(mistake, Quota::checked(units, window).ok()?))
                });
            let problem = units_read.err().or(window_read.err());
            Err(meant.or(problem).unwrap_or(QuotaProblem::NotAQuota))
        }
    }
}

fn parse_window(text: &str) -> Result<Window, QuotaProblem> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, name) = text.split_at(digits);
    let number = if number.is_empty() { 1 } else { parse_number(number)? };
    if number == 0 {
        return Err(QuotaProblem::NoWindow);
    }
    let name = name.trim_start();
    if let Some(window) = calendar_window(number, name) {
        return window;
    }
    let unit = WINDOW_UNITS.iter().find(|unit| unit.is_named(name));
    let length = unit.ok_or(QuotaProblem::UnknownUnit)?.length;
    number.checked_mul(length).map(Window::Fixed).ok_or(QuotaProblem::WindowTooLong)
}

/// The window of `number` units called `name`, if only the calendar knows how long they are.
fn calendar_window(number: u64, name: &str) -> Option<Result<Window, QuotaProblem>> {
    let unit = match name {
        "month" | "months" => CalendarUnit::Month,
        "year" | "years" => CalendarUnit::Year,
        _ => return None,
    };
    let is_one = number == 1 && name == unit.name();
    let window = || Window::Calendar(Calendar::new(unit, Zone::utc()));
    Some(if is_one { Ok(window()) } else { Err(QuotaProblem::SeveralOfACalendar) })
}

fn parse_number(text: &str) -> Result<u64, QuotaProblem> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(QuotaProblem::NotAQuota);
    }
    text.parse().map_err(|_| QuotaProblem::TooManyUnits)
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.window_in_units() {
            (1, name) => write!(f, "{}/{name}", self.units),
            (number, name) => write!(f, "{}/{number} {name}s", self.units),
        }
    }
}

/// A text, or a pair of numbers, that is not a [`Quota`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaError {
    input: String,
    problem: QuotaProblem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QuotaProblem {
    NotAQuota,
    NoUnits,
    TooManyUnits,
    NoWindow,
    UnknownUnit,
    PartOfASecond,
    WindowTooLong,
    SeveralOfACalendar,
    /// It is written otherwise, and this is probably meant.
    Meant(Mistake, Quota),
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a quota: ", self.input)?;
        match self.problem {
            QuotaProblem::Meant(mistake, meant) => {
                return write!(f, "{}, write \"{meant}\"", mistake.expected());
            }
            QuotaProblem::NotAQuota => f.write_str("expected units per window"),
            QuotaProblem::NoUnits => {
                f.write_str("it must allow at least 1 unit (access.block refuses clients)")
            }
            QuotaProblem::TooManyUnits => write!(f, "it may allow at most {MAX_EXACT} units"),
            QuotaProblem::NoWindow => f.write_str("its window must last at least 1 second"),
            QuotaProblem::UnknownUnit => {
                f.write_str(
                    "its window must be in seconds, minutes, hours, days or weeks, or one month or year",
                )
            }
            QuotaProblem::PartOfASecond => f.write_str("its window must be in whole seconds"),
            QuotaProblem::WindowTooLong => f.write_str("its window may last at most 366 days"),
            QuotaProblem::SeveralOfACalendar => {
                f.write_str(
                    "a month and a year end by the calendar, one at a time, and longer windows are in days",
                )
            }
        }?;
        f.write_str(", as in \"10/minute\", \"100 per hour\" or \"5/2 seconds\"")
    }
}

impl std::error::Error for QuotaError {}

/// How many units of a quota one request uses, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(NonZeroU64);

impl Cost {
    /// The cost of an ordinary request.
    pub const ONE: Self = Self(NonZeroU64::MIN);

    /// A cost of `units`; `None` if that is 0 or above 2^53 - 1.
    #[must_use]
    pub fn new(units: u64) -> Option<Self> {
        NonZeroU64::new(units).filter(|units| units.get() <= MAX_EXACT).map(Self)
    }

    /// The units.
    #[must_use]
    pub fn units(self) -> u64 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests;
