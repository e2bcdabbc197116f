//! What a client could send that uses everything a quota admits: [`Abuse`].

use serde::Serialize;

use super::counting::Counting;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;

const DAY: Millis = 86_400_000;

/// The most requests of one client that a quota admits. A span as long as a window has the instant at which it
/// begins, and not the one at which it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Abuse {
    /// In one instant.
    pub(crate) at_once: u64,
    /// In any span as long as the window.
    pub(crate) in_any_window: u64,
    /// In any span of 24 hours.
    pub(crate) in_any_day: u64,
}

impl Abuse {
    /// What a quota of `units` admits.
    pub(super) fn of(counting: Counting, units: u64) -> Self {
        let window = counting.window();
        let within = |span| most_within(counting.algorithm, units, window, span);
        Self { at_once: within(1), in_any_window: within(window), in_any_day: within(DAY) }
    }
}

/// The most that is admitted within `span` milliseconds, of which there is at least one.
fn most_within(algorithm: Algorithm, units: u64, window: Millis, span: Millis) -> u64 {
    match algorithm {
        // The span begins with the last millisecond of a window.
        Algorithm::FixedWindow => units.saturating_mul(1 + (span - 1).div_ceil(window)),
        Algorithm::SlidingWindow => most_of_sliding_windows(units, window, span),
        Algorithm::SlidingLog => units.saturating_mul(span.div_ceil(window)),
        // A whole bucket, and what is refilled after the first millisecond.
        Algorithm::TokenBucket { .. } => {
            let refilled = u128::from(units) * u128::from(span - 1) / u128::from(window);
            units.saturating_add(u64::try_from(refilled).unwrap_or(u64::MAX))
        }
        // Any number of requests may begin and end within it.
        Algorithm::InFlight => u64::MAX,
    }
}

/// Requests come in the last millisecond of each window, when the window before counts least. The last window is not
/// whole.
fn most_of_sliding_windows(units: u64, window: Millis, span: Millis) -> u64 {
    let weighed = |used: u64, covered: Millis| (used * covered).div_ceil(window);
    let (whole, rest) = ((span - 1) / window, (span - 1) % window);
    let mut used = units;
    let mut sum = units;
    for _ in 0..whole {
        used = units - weighed(used, 1);
        sum = sum.saturating_add(used);
    }
    match rest {
        0 => sum,
        _ => sum.saturating_add(units - weighed(used, window - (rest - 1))),
    }
}

#[cfg(test)]
mod tests;
