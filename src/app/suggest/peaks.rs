//! How the busiest windows of clients are distributed: [`Peaks`].

use serde::Serialize;

/// The most requests of each client within one window, which is aligned to the Unix epoch: how many clients have
/// how many. So many in a hundred clients have at most the number of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Peaks {
    pub(crate) clients: u64,
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) p99_9: u64,
    pub(crate) max: u64,
}

impl Peaks {
    /// Of the peaks of all clients, the smallest first.
    pub(super) fn of(peaks: impl ExactSizeIterator<Item = u64>) -> Self {
        let peaks: Vec<u64> = peaks.collect();
        let at = |per_mille: usize| {
            let place = (peaks.len() * per_mille).div_ceil(1_000).max(1);
            peaks.get(place - 1).copied().unwrap_or(0)
        };
        Self {
            clients: peaks.len() as u64,
            p50: at(500),
            p90: at(900),
            p99: at(990),
            p99_9: at(999),
            max: at(1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_hundred_have_at_most_that() {
        let of = |peaks: std::ops::RangeInclusive<u32>| {
            Peaks::of(peaks.map(u64::from).collect::<Vec<_>>().into_iter())
        };
        let expected =
            Peaks { clients: 1_000, p50: 500, p90: 900, p99: 990, p99_9: 999, max: 1_000 };
        assert_eq!(of(1..=1_000), expected);
        assert_eq!(of(7..=7), Peaks { clients: 1, p50: 7, p90: 7, p99: 7, p99_9: 7, max: 7 });
        assert_eq!(of(1..=2).p50, 1);
        assert_eq!(Peaks::of([].into_iter()), Peaks::default());
    }
}
