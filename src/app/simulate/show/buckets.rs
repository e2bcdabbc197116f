//! The buckets of a timeline, for a chart that has room for so many.

use crate::app::simulate::report::Timeline;
use crate::domain::clock::Millis;

/// `timeline` in at most `most` buckets: as many of its own as needed are joined to one, or some more if the last
/// bucket is whole by that.
pub(super) fn at_most(timeline: &Timeline, most: usize) -> Timeline {
    let number = timeline.requests.len();
    let least = number.div_ceil(most.max(1)).max(1);
    let joined = (least..=least + least / 2).find(|it| number.is_multiple_of(*it)).unwrap_or(least);
    let requests = join(&timeline.requests, joined);
    let mut denied = join(&timeline.denied, joined);
    denied.resize(requests.len(), 0);
    let factor = u64::try_from(joined).unwrap_or(u64::MAX);
    Timeline { start: timeline.start, step: timeline.step.saturating_mul(factor), requests, denied }
}

fn join(counts: &[u64], number: usize) -> Vec<u64> {
    let sum = |counts: &[u64]| counts.iter().fold(0, |sum: u64, it| sum.saturating_add(*it));
    counts.chunks(number).map(sum).collect()
}

/// Whether two timelines show the same.
pub(super) fn are_equal(one: &Timeline, other: &Timeline) -> bool {
    let parts = |it: &Timeline| (it.start, it.step);
    parts(one) == parts(other) && one.requests == other.requests && one.denied == other.denied
}

/// When the bucket of this number begins. That of the number of buckets is when the last one ends.
pub(super) fn start(timeline: &Timeline, number: usize) -> Millis {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    timeline.start.saturating_add(timeline.step.saturating_mul(number))
}

/// When the last bucket ends.
pub(super) fn end(timeline: &Timeline) -> Millis {
    start(timeline, timeline.requests.len())
}

/// The most in any bucket.
pub(super) fn most(counts: &[u64]) -> u64 {
    counts.iter().copied().max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
