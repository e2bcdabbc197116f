use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::app::access_log::request::{Head, LoggedRequest};

fn request(began_at: Millis) -> LoggedRequest {
    LoggedRequest::new(Arc::from([]), Head { began_at, ..Head::default() })
}

fn times(requests: &[LoggedRequest]) -> Vec<Millis> {
    requests.iter().map(LoggedRequest::began_at).collect()
}

#[test]
fn one_that_is_later_than_the_window_gets_the_time_of_the_one_before_it() {
    let mut window = Window::default();
    let late: Vec<bool> = [20_000, 30_000, 40_000, 30_001, 29_999, 30_000]
        .into_iter()
        .map(|at| window.push(request(at), at))
        .collect();
    assert_eq!(late, [false, false, false, false, true, false]);
    assert_eq!(times(&window.finish()), [20_000, 30_000, 30_000, 30_000, 30_001, 40_000]);
}

#[test]
fn what_stays_is_sorted_in_with_what_comes() {
    let mut window = Window::default();
    for at in [11_000, 10_000, 25_000, 24_000] {
        window.push(request(at), at);
    }
    assert_eq!(times(&window.release()), [10_000, 11_000]);
    assert!(window.push(request(14_999), 14_999));
    assert!(!window.push(request(15_000), 15_000));
    // Nothing stays between the one before it and the window.
    assert_eq!(times(&window.finish()), [11_000, 15_000, 24_000, 25_000]);
}

#[test]
fn requests_of_the_same_time_stay_in_the_order_of_their_lines() {
    let mut window = Window::default();
    for number in 0..1_000_u16 {
        let began_at = 20_000 + Millis::from(number % 3);
        let head = Head { began_at, status: Some(number), ..Head::default() };
        window.push(LoggedRequest::new(Arc::from([]), head), began_at);
    }
    let found = window.finish();
    assert!(found.is_sorted_by_key(|it| (it.began_at(), it.status())));
}

#[test]
fn a_window_that_is_full_lets_half_of_its_requests_go_and_takes_no_earlier_ones() {
    let mut window = Window::of(4);
    for at in [10_004, 10_003, 10_002, 10_001] {
        assert!(!window.is_due());
        window.push(request(at), at);
    }
    assert!(window.is_due());
    assert_eq!(times(&window.release()), [10_001, 10_002]);
    assert!(window.push(request(10_001), 10_001));
    assert!(!window.push(request(10_002), 10_002));
    assert_eq!(times(&window.finish()), [10_002, 10_002, 10_003, 10_004]);
}

proptest! {
    #[test]
    fn time_never_goes_back_and_nothing_is_lost(
        steps in prop::collection::vec((0_u64..40_000, 0_u64..15_000, prop::bool::weighted(0.2)), 0..200),
    ) {
        let mut window = Window::default();
        let mut found = Vec::new();
        for (at, duration, is_release) in &steps {
            window.push(request(at.saturating_sub(*duration)), *at);
            if *is_release {
                found.extend(window.release());
            }
        }
        found.extend(window.finish());
        prop_assert_eq!(found.len(), steps.len());
        prop_assert!(times(&found).is_sorted());
    }

    #[test]
    fn within_the_window_every_request_keeps_its_time(
        times_back in prop::collection::vec(0_u64..=LENGTH, 1..200),
    ) {
        let mut window = Window::default();
        let mut expected = Vec::new();
        let mut found = Vec::new();
        for (index, back) in (0..).zip(&times_back) {
            let at = 100_000 + index * 700;
            expected.push(at - back);
            prop_assert!(!window.push(request(at - back), at));
            if index % 5 == 0 {
                found.extend(window.release());
            }
        }
        found.extend(window.finish());
        expected.sort_unstable();
        prop_assert_eq!(times(&found), expected);
    }
}
