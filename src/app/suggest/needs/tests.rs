use proptest::prelude::*;

use super::*;
use crate::app::suggest::samples::{ALGORITHMS, counting, countings, requests};
use crate::app::suggest::trial::refused_by_limiter;
use crate::domain::clock::Millis;
use crate::domain::policy::KeySource;

fn need_of(algorithm: Algorithm, window: &str, times: &[Millis]) -> u64 {
    need(counting(algorithm, window), &times.iter().copied().collect())
}

#[test]
fn what_a_client_needs_depends_on_the_algorithm() {
    // Two requests late in one minute, three early in the next.
    let minute = 60_000 * 1_000;
    let times = [-500, -400, 0, 100, 200].map(|at| minute + at).map(|at| at.try_into().unwrap());
    let needs = ALGORITHMS.map(|algorithm| need_of(algorithm, "minute", &times));
    assert_eq!(needs, [3, 5, 5, 5]);
    // One each 30 seconds.
    let times: Vec<Millis> = (0..10).map(|number| 30_000 * number).collect();
    let needs = ALGORITHMS.map(|algorithm| need_of(algorithm, "minute", &times));
    // The window before weighs whole at the edge.
    assert_eq!(needs, [2, 3, 2, 2]);
}

#[test]
fn requests_a_whole_window_apart_are_not_in_one_window() {
    let needs =
        ALGORITHMS.map(|algorithm| need_of(algorithm, "second", &[5_000, 5_000, 6_000, 6_000]));
    assert_eq!(needs, [2, 4, 2, 2]);
}

#[test]
fn a_need_above_the_largest_quota_is_one_more_than_that() {
    let window = "300 days";
    for algorithm in ALGORITHMS.into_iter().skip(1) {
        let counting = counting(algorithm, window);
        let largest = counting.largest();
        assert!(largest < 400_000, "{algorithm}");
        for (requests, expected) in
            [(largest, largest), (largest + 1, largest + 1), (400_000, largest + 1)]
        {
            let times: Times = (0..requests).map(|_| 1_000).collect();
            assert_eq!(need(counting, &times), expected, "{algorithm}, {requests}");
        }
    }
}

#[test]
fn a_client_that_sends_nothing_needs_nothing() {
    for algorithm in ALGORITHMS {
        assert_eq!(need_of(algorithm, "minute", &[]), 0, "{algorithm}");
    }
}

proptest! {
    #[test]
    fn a_client_needs_the_smallest_quota_that_never_denies_it(
        counting in countings(),
        times in requests(),
    ) {
        let times: Times = times.into_iter().collect();
        let need = need(counting, &times);
        for units in 1..=times.len() + 1 {
            prop_assert_eq!(denies_any(counting, units, &times), units < need, "{}", units);
            prop_assert_eq!(denied(counting, units, &times) > 0, units < need, "{}", units);
        }
    }

    #[test]
    fn a_limiter_refuses_what_the_search_says(
        counting in countings(),
        clients in proptest::collection::vec(requests(), 1..5),
        units in 1..15_u64,
    ) {
        let traffic: Traffic = clients.into_iter().map(Times::from_iter).collect();
        let needs = Needs::of(counting, &traffic);
        let policy = counting.policy(units, KeySource::Ip).unwrap();
        let tried = refused_by_limiter(policy, &traffic).unwrap();
        prop_assert_eq!(needs.refused_by(units), tried);
    }
}
