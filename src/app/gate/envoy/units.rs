//! Windows as Envoy names them. A month has 30 days there, and a year 365.

use super::messages::{RateLimitOverride, RateLimitUnit, Unit};
use crate::domain::clock::Millis;
use crate::domain::quota::Quota;

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

/// The unit that is as long as `window`, if there is one.
pub(super) fn unit_of(window: Millis) -> Option<Unit> {
    WINDOWS.iter().find(|(length, _)| *length == window).map(|(_, unit)| *unit)
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
    let units = |quota: Quota, window: Millis| u128::from(quota.units()) * u128::from(window);
    if units(one, other.window()) <= units(other, one.window()) { one } else { other }
}
