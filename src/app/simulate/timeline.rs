//! Counts in the course of time, in as many buckets as a chart can show.

use super::report::Timeline;
use crate::domain::clock::Millis;

/// The most buckets; with more the step grows.
const MOST_BUCKETS: usize = 120;

/// The lengths of buckets in seconds. Each is a multiple of the one before it, so that buckets can be joined.
const STEPS: [u64; 16] = [
    1,
    5,
    15,
    60,
    300,
    900,
    3_600,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    864_000,
    2_592_000,
    31_104_000,
    311_040_000,
];

/// Requests and denials in the course of time.
#[derive(Clone, Debug, Default)]
pub(super) struct TimelineTally {
    /// The index of the step.
    step: usize,
    /// The number of the first bucket since the epoch.
    first: u64,
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    requests: u64,
    denied: u64,
}

impl TimelineTally {
    /// Counts a request at `now`, which is not before the first one.
    pub(super) fn count(&mut self, now: Millis, is_denied: bool) {
        if self.buckets.is_empty() {
            self.first = now / self.step();
        }
        let at = loop {
            let at = (now / self.step()).saturating_sub(self.first);
            match usize::try_from(at) {
                Ok(at) if at < MOST_BUCKETS => break at,
                _ if self.step + 1 < STEPS.len() => self.widen(),
                _ => break MOST_BUCKETS - 1,
            }
        };
        let bucket = Bucket { requests: 1, denied: is_denied.into() };
        add_at(&mut self.buckets, at as u64, bucket);
    }

    /// Adds what `other` counted.
    pub(super) fn add(&mut self, mut other: Self) {
        if other.buckets.is_empty() {
            return;
        }
        if self.buckets.is_empty() {
            *self = other;
            return;
        }
        while self.step < other.step {
            self.widen();
        }
        while other.step < self.step {
            other.widen();
        }
        let span = |one: &Self, other: &Self| {
            let (first, last) = (one.first.min(other.first), one.last().max(other.last()));
            usize::try_from(last - first).unwrap_or(usize::MAX)
        };
        while span(self, &other) >= MOST_BUCKETS && self.step + 1 < STEPS.len() {
            self.widen();
            other.widen();
        }
        let first = self.first.min(other.first);
        let mut buckets = Vec::new();
        for tally in [&*self, &other] {
            for (number, bucket) in (tally.first - first..).zip(&tally.buckets) {
                add_at(&mut buckets, number, *bucket);
            }
        }
        (self.first, self.buckets) = (first, buckets);
    }

    /// What was counted.
    pub(super) fn report(&self) -> Timeline {
        Timeline {
            start: self.first * self.step(),
            step: self.step(),
            requests: self.buckets.iter().map(|bucket| bucket.requests).collect(),
            denied: self.buckets.iter().map(|bucket| bucket.denied).collect(),
        }
    }

    fn step(&self) -> Millis {
        STEPS[self.step] * 1_000
    }

    /// Joins buckets to those of the next step.
    fn widen(&mut self) {
        let factor = STEPS[self.step + 1] / STEPS[self.step];
        let (first, old) = (self.first, std::mem::take(&mut self.buckets));
        self.step += 1;
        self.first = first / factor;
        for (number, bucket) in (first..).zip(old) {
            add_at(&mut self.buckets, number / factor - self.first, bucket);
        }
    }

    /// The number of the last bucket since the epoch.
    fn last(&self) -> u64 {
        (self.first + self.buckets.len() as u64).saturating_sub(1)
    }
}

/// Adds `bucket` to the one of `buckets` at `at`, or to the last one that may be there.
fn add_at(buckets: &mut Vec<Bucket>, at: u64, bucket: Bucket) {
    let at = usize::try_from(at).unwrap_or(MOST_BUCKETS).min(MOST_BUCKETS - 1);
    if at >= buckets.len() {
        buckets.resize(at + 1, Bucket::default());
    }
    buckets[at].requests += bucket.requests;
    buckets[at].denied += bucket.denied;
}

#[cfg(test)]
mod tests;
