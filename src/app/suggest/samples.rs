//! Requests and quotas for tests.

use proptest::prelude::*;

use super::counting::Counting;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;

/// Every algorithm. The burst is as large as the quota, whatever it says here.
pub(super) const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::FixedWindow,
    Algorithm::SlidingWindow,
    Algorithm::SlidingLog,
    Algorithm::TokenBucket { burst: 1 },
];

/// The edge of a window that is not the first one.
const EDGE: Millis = 1_790_000_000_000;

/// How the quotas of a window such as `minute` count.
pub(super) fn counting(algorithm: Algorithm, window: &str) -> Counting {
    Counting { algorithm, window: window.parse().expect(window) }
}

/// How the quotas of short windows count.
pub(super) fn countings() -> impl Strategy<Value = Counting> {
    let window = (1..5_u64).prop_map(|seconds| format!("{seconds} seconds"));
    (prop::sample::select(&ALGORITHMS), window)
        .prop_map(|(algorithm, window)| counting(algorithm, &window))
}

/// The times of a client's requests. Many are as far apart as windows are long, or parts of them.
pub(super) fn requests() -> impl Strategy<Value = Vec<Millis>> {
    let part_of_a_window = prop::sample::select(&[250, 500, 1_000, 2_000, 3_000]);
    let step = prop_oneof![Just(0), 0..50_u64, part_of_a_window, 0..1_200_u64, 0..5_000_u64];
    let start = prop_oneof![Just(EDGE), Just(EDGE + 123)];
    (start, proptest::collection::vec(step, 1..40)).prop_map(|(start, steps)| {
        let mut now = start;
        let add = |step: Millis| {
            now += step;
            now
        };
        steps.into_iter().map(add).collect()
    })
}
