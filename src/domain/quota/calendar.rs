//! Quotas for windows that end when the calendar says so.

use super::{DAY, Quota, QuotaError, WEEK};
use crate::domain::calendar::{Calendar, CalendarUnit, Weekday, Zone};
use crate::domain::window::Window;

impl Quota {
    /// A quota of `units` per window of `calendar`.
    ///
    /// ```
    /// use tollgate::{Calendar, CalendarUnit, Quota};
    ///
    /// let calendar = Calendar::new(CalendarUnit::Month, "Europe/Berlin".parse()?);
    /// let quota = Quota::by_calendar(1_000, calendar)?;
    /// assert_eq!(quota.to_string(), "1000/month");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `units` is 0 or above 2^53 - 1.
    pub fn by_calendar(units: u64, calendar: Calendar) -> Result<Self, QuotaError> {
        let unit = calendar.unit().name();
        Self::checked(units, Window::Calendar(calendar))
            .map_err(|problem| QuotaError { input: format!("{units}/{unit}"), problem })
    }

    /// A quota of `units` in the same window.
    ///
    /// # Errors
    /// If `units` is 0 or above 2^53 - 1.
    #[cfg(feature = "server")]
    pub(crate) fn with_units(self, units: u64) -> Result<Self, QuotaError> {
        match self.window {
            Window::Fixed(length) => Self::new(units, length),
            Window::Calendar(calendar) => Self::by_calendar(units, calendar),
        }
    }

    /// The same quota as it counts in `zone`: days, weeks, months and years end when the calendar there says so. Other
    /// windows stay as they are.
    #[must_use]
    pub fn in_zone(self, zone: Zone, week_begins: Weekday) -> Self {
        let unit = match self.window {
            Window::Fixed(DAY) => CalendarUnit::Day,
            Window::Fixed(WEEK) => CalendarUnit::Week(week_begins),
            Window::Fixed(_) => return self,
            Window::Calendar(calendar) => match calendar.unit() {
                CalendarUnit::Week(_) => CalendarUnit::Week(week_begins),
                unit => unit,
            },
        };
        Self { window: Window::Calendar(Calendar::new(unit, zone)), ..self }
    }
}
