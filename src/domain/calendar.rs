//! Windows that end when the calendar of a place says so: a [`Calendar`].
//!
//! A window begins at the first instant at which the local date has reached its first day. So it begins at local
//! midnight, or at the first instant after a gap that skips midnight. If the clocks go back over midnight, it has begun
//! at the first of the two. A window of which no instant is left, such as a day that a place skipped when it changed
//! its side of the date line, does not exist.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::ptr;
use std::sync::{LazyLock, Mutex, PoisonError, RwLock};

pub use self::unit::{CalendarUnit, UnknownWeekday, Weekday};
#[cfg(feature = "redis")]
pub(crate) use self::windows::STARTS;
pub(crate) use self::windows::Windows;
pub use self::zone::{UnknownZone, Zone};
use crate::domain::clock::Millis;

mod unit;
mod windows;
mod zone;

const DAY: Millis = 86_400_000;

/// Successive windows of days, weeks, months or years in the calendar of one time zone. It is cheap to copy.
#[derive(Clone, Copy)]
pub struct Calendar(&'static Kept);

/// What there is once for each unit and zone. There are a few hundred zones, so it is never given up.
struct Kept {
    unit: CalendarUnit,
    zone: Zone,
    code: Box<str>,
    /// Those around the time that was asked for last. Nearly every call asks for the same.
    recent: RwLock<Windows>,
}

static ALL: LazyLock<Mutex<HashMap<(CalendarUnit, Zone), Calendar>>> =
    LazyLock::new(Mutex::default);

impl Calendar {
    /// The windows of `unit` in `zone`.
    #[must_use]
    pub fn new(unit: CalendarUnit, zone: Zone) -> Self {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry((unit, zone)).or_insert_with(|| {
            let code = format!("{}{zone}", unit.code()).into();
            let recent = RwLock::new(Windows::around(0, unit, zone));
            Self(Box::leak(Box::new(Kept { unit, zone, code, recent })))
        })
    }

    /// The calendar whose [`code`](Self::code) is this.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        let (unit, zone) = CalendarUnit::split_code(code)?;
        let zone: Zone = zone.parse().ok()?;
        // A name has one spelling in codes.
        Some(Self::new(unit, zone)).filter(|it| it.code() == code)
    }

    /// The unit of its windows.
    #[must_use]
    pub fn unit(self) -> CalendarUnit {
        self.0.unit
    }

    /// Its time zone.
    #[must_use]
    pub fn zone(self) -> Zone {
        self.0.zone
    }

    /// The unit and the zone as keys name them, as in `mEurope/Berlin` and `w1UTC`.
    pub(crate) fn code(self) -> &'static str {
        &self.0.code
    }

    /// The window that holds `at`, from its first millisecond to the first one after it.
    #[must_use]
    pub fn window(self, at: Millis) -> Range<Millis> {
        self.windows(at).this()
    }

    /// No window lasts longer, in milliseconds. It allows for a change of the zone's side of the date line.
    #[must_use]
    pub fn longest(self) -> Millis {
        let days = match self.0.unit {
            CalendarUnit::Day => 1,
            CalendarUnit::Week(_) => 7,
            CalendarUnit::Month => 31,
            CalendarUnit::Year => 366,
        };
        (days + 1) * DAY
    }

    /// The window that holds `at`, with the one before it and those after it.
    pub(crate) fn windows(self, at: Millis) -> Windows {
        let Kept { unit, zone, recent, .. } = self.0;
        let known = *recent.read().unwrap_or_else(PoisonError::into_inner);
        if known.this().contains(&at) {
            return known;
        }
        let windows = Windows::around(at, *unit, *zone);
        *recent.write().unwrap_or_else(PoisonError::into_inner) = windows;
        windows
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl Eq for Calendar {}

impl Hash for Calendar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(self.0, state);
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calendar").field(&self.0.unit).field(&self.0.zone).finish()
    }
}

#[cfg(test)]
mod tests;
