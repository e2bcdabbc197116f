//! A histogram with fixed bounds, which threads fill without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds for how long something takes, in microseconds: from what a server on this host takes, to what no request
/// should wait.
pub(crate) const MICROS: &[u64] = &[
    50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000,
    100_000, 1_000_000,
];

/// Counts values by the first of its bounds that they do not exceed.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for values above all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a [`Histogram`] has counted.
#[cfg(any(feature = "server", test))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HistogramCounts {
    /// Each bound, with the values that do not exceed it and exceed the bound before.
    pub(crate) buckets: Vec<(u64, u64)>,
    /// The values above all bounds.
    pub(crate) above: u64,
    /// The sum of all values.
    pub(crate) sum: u64,
}

impl Histogram {
    /// A histogram with these `bounds`, which rise.
    pub(crate) fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a value.
    pub(crate) fn observe(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a length of time, in microseconds.
    pub(crate) fn observe_time(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX >> 16));
    }

    /// What it has counted.
    #[cfg(any(feature = "server", test))]
    pub(crate) fn counts(&self) -> HistogramCounts {
        let mut counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets = self.bounds.iter().copied().zip(&mut counts).collect();
        let above = counts.next().unwrap_or_default();
        HistogramCounts { buckets, above, sum: self.sum.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_counted_once_at_the_first_bound_that_it_does_not_exceed() {
        let histogram = Histogram::new(&[1, 10]);
        [0, 1, 2, 10, 11, 500].into_iter().for_each(|value| histogram.observe(value));
        let expected = HistogramCounts { buckets: vec![(1, 2), (10, 2)], above: 2, sum: 524 };
        assert_eq!(histogram.counts(), expected);
    }
}
