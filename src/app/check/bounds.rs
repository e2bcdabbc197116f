//! How many units one policy admits at most while another counts them. From this a check knows that a quota is
//! never the reason of a denial.
//!
//! All bounds are upper bounds, so nothing that may deny is called unreachable. They hold for requests of any cost,
//! while the store answers.

use crate::domain::algorithm::Algorithm;
use crate::domain::calendar::CalendarUnit;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::window::Window;

/// The most units that `other` ever has in its count, if all of them passed under `first`: `None` if the count
/// may reach any number.
///
/// For a token bucket it is what is missing from the bucket at most.
pub(super) fn most_counted(first: &Policy, other: &Policy) -> Option<u64> {
    let (terms, counted_by) = (first.terms(), other.terms());
    let units = u128::from(terms.units);
    let (Window::Fixed(window), Window::Fixed(length)) = (terms.window, counted_by.window) else {
        let most = units * most_nested(terms.window, counted_by.window)?;
        return Some(u64::try_from(most).unwrap_or(u64::MAX));
    };
    let burst = u128::from(terms.burst);
    let (window, length) = (u128::from(window), u128::from(length));
    let refills_as_fast = units * length <= u128::from(counted_by.units) * window;
    let most = match (first.algorithm(), other.algorithm()) {
        // How many requests pass, and how many are under way at once, says nothing of each other.
        (Algorithm::InFlight, _) | (_, Algorithm::InFlight) => return None,
        (_, Algorithm::TokenBucket { .. }) if !refills_as_fast => return None,
        // Two windows of a fixed or sliding window may meet in one instant, and one full log.
        (Algorithm::FixedWindow | Algorithm::SlidingWindow, Algorithm::TokenBucket { .. }) => {
            2 * units
        }
        (Algorithm::SlidingLog, Algorithm::TokenBucket { .. }) => units,
        (Algorithm::TokenBucket { .. }, Algorithm::TokenBucket { .. }) => burst,
        (first, Algorithm::FixedWindow) => most_within(first, units, burst, window, length, true),
        (first, Algorithm::SlidingLog) => most_within(first, units, burst, window, length, false),
        (first, Algorithm::SlidingWindow) => {
            // The window before, and what the present one may have before that one has slid out.
            let before = most_within(first, units, burst, window, length, true);
            before
                + match first {
                    Algorithm::TokenBucket { .. } => 1,
                    Algorithm::SlidingLog => units,
                    _ if length.is_multiple_of(window) => units,
                    _ => 2 * units,
                }
        }
    };
    Some(u64::try_from(most).unwrap_or(u64::MAX))
}

/// How many windows of `first` are in one of `other` at most, if each of them is in a single one of `other`. At least
/// one of the two ends when the calendar says so.
fn most_nested(first: Window, other: Window) -> Option<u128> {
    if first == other {
        return Some(1);
    }
    let (first, other) = (first.calendar()?, other.calendar()?);
    let number = match (first.unit(), other.unit()) {
        (CalendarUnit::Day, CalendarUnit::Week(_)) => 7,
        (CalendarUnit::Day, CalendarUnit::Month) => 31,
        (CalendarUnit::Day, CalendarUnit::Year) => 366,
        (CalendarUnit::Month, CalendarUnit::Year) => 12,
        _ => return None,
    };
    (first.zone() == other.zone()).then_some(number)
}

/// The most units that are admitted within `length` successive milliseconds. If they are `aligned`, they begin at a
/// multiple of `length`.
fn most_within(
    algorithm: Algorithm,
    units: u128,
    burst: u128,
    window: u128,
    length: u128,
    aligned: bool,
) -> u128 {
    match algorithm {
        Algorithm::TokenBucket { .. } => burst + (length - 1) * units / window,
        Algorithm::SlidingLog => units * length.div_ceil(window),
        // Both admit at most the quota in each of their windows.
        _ if aligned && length.is_multiple_of(window) => units * (length / window),
        _ => units * (1 + (length - 1).div_ceil(window)),
    }
}

/// Whether all requests that `other` counts together are counted together by `first` as well.
pub(super) fn counts_together(first: &Policy, other: &Policy) -> bool {
    let same_addresses = first.ipv6_prefix() == other.ipv6_prefix();
    let parts = other.key().parts();
    let is_one = |part| parts.iter().any(|other| counts_part(part, other, same_addresses));
    first.key().parts().iter().all(is_one)
}

/// Whether all requests with the same `other` have the same `first`, where both are parts of keys.
fn counts_part(first: &KeySource, other: &KeySource, same_addresses: bool) -> bool {
    match (first, other) {
        (KeySource::Global, _) => true,
        // Clients without a user share one count of the first.
        (KeySource::User, KeySource::UserOrIp) => true,
        (KeySource::Ip, KeySource::Ip) | (KeySource::UserOrIp, KeySource::UserOrIp) => {
            same_addresses
        }
        (first, other) => first == other,
    }
}

#[cfg(test)]
mod tests;
