//! Windows as Envoy names them. A month that it asks for has 30 days, and a year 365.

use super::messages::{RateLimitOverride, RateLimitUnit, Unit};
use crate::domain::calendar::CalendarUnit;
use crate::domain::clock::Millis;
use crate::domain::quota::Quota;
use crate::domain::window::Window;

const SECOND: Millis = 1_000;
const DAY: Millis = 86_400 * SECOND;

const WINDOWS: [(Millis, Unit); 7] = [
    (SECOND, Unit::Second),
    (60 * SECOND, Unit::Minute),
    (3_600 * SECOND, Unit::Hour),
    (DAY, Unit::Day),
    (7 * DAY, Unit::Week),
    (30 * DAY, Unit::Month),
    (365 * DAY, Unit::Year),
];

/// The unit that is as long as `window`, or that of its calendar, if there is one.
pub(super) fn unit_of(window: Window) -> Option<Unit> {
    let length = match window {
        Window::Fixed(length) => length,
        Window::Calendar(calendar) => match calendar.unit() {
            CalendarUnit::Day => return Some(Unit::Day),
            CalendarUnit::Week(_) => return Some(Unit::Week),
            CalendarUnit::Month => return Some(Unit::Month),
            CalendarUnit::Year => return Some(Unit::Year),
        },
    };
    WINDOWS.iter().find(|(it, _)| *it == length).map(|(_, unit)| *unit)
}

/// The quota that Envoy asks for; `None` if it is none.
pub(super) fn quota_of(limit: &RateLimitOverride) -> Option<Quota> {
    let unit = match limit.unit() {
        RateLimitUnit::Unknown => return None,
        RateLimitUnit::Second => Unit::Second,
        RateLimitUnit::Minute => Unit::Minute,
        RateLimitUnit::Hour => Unit::Hour,
        RateLimitUnit::Day => Unit::Day,
        RateLimitUnit::Month => Unit::Month,
        RateLimitUnit::Year => Unit::Year,
    };
    let (window, _) = WINDOWS.iter().find(|(_, it)| *it == unit)?;
    Quota::new(limit.requests_per_unit.into(), *window).ok()
}

/// The lower of two quotas, by their units in the same time.
pub(super) fn lower(one: Quota, other: Quota) -> Quota {
    let units =
        |quota: Quota, of: Quota| u128::from(quota.units()) * u128::from(of.window().longest());
    if units(one, other) <= units(other, one) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(text: &str) -> Quota {
        text.parse().expect(text)
    }

    #[test]
    fn a_window_has_the_unit_that_is_as_long() {
        for (window, unit) in [
            ("1/second", Some(Unit::Second)),
            ("1/60 seconds", Some(Unit::Minute)),
            ("1/hour", Some(Unit::Hour)),
            ("1/24 hours", Some(Unit::Day)),
            ("1/week", Some(Unit::Week)),
            ("1/30 days", Some(Unit::Month)),
            ("1/365 days", Some(Unit::Year)),
            ("1/30 seconds", None),
            ("1/366 days", None),
            ("1/month", Some(Unit::Month)),
            ("1/year", Some(Unit::Year)),
        ] {
            assert_eq!(unit_of(quota(window).window()), unit, "{window}");
        }
    }

    #[test]
    fn the_lower_of_two_quotas_is_that_of_fewer_units_in_the_same_time() {
        for (one, other) in [
            ("10/minute", "11/minute"),
            ("599/hour", "10/minute"),
            ("10/minute", "601/hour"),
            ("1/365 days", "9007199254740991/second"),
        ] {
            let (one, other) = (quota(one), quota(other));
            assert_eq!((lower(one, other), lower(other, one)), (one, one));
        }
    }

    #[test]
    fn a_limit_without_requests_or_unit_is_no_quota() {
        let limit =
            |requests_per_unit, unit| quota_of(&RateLimitOverride { requests_per_unit, unit });
        assert_eq!(limit(7, 2), Some(quota("7/minute")));
        assert_eq!(limit(7, 5), Some(quota("7/30 days")));
        for (requests, unit) in [(0, 2), (7, 0), (7, 99), (7, -1)] {
            assert_eq!(limit(requests, unit), None, "{requests} by {unit}");
        }
    }
}
