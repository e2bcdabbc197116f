use super::*;
use crate::app::suggest::samples::{ALGORITHMS, counting};
use crate::domain::algorithm::{State, Terms};
use crate::domain::quota::Cost;
use crate::domain::standing::Retry;
use crate::domain::window::Window;

/// The most that any client gets within `span`, if it tries every number of requests in each millisecond.
fn most_of_all_ways(algorithm: Algorithm, units: u64, window: Millis, span: Millis) -> u64 {
    let terms = Terms { units, window: Window::Fixed(window), burst: units };
    let starts = (0..window).map(|at| 10 * window + at);
    let best = |start| best_from(&State::untouched(algorithm), &terms, start, start + span);
    starts.map(best).max().unwrap_or(0)
}

fn best_from(state: &State, terms: &Terms, now: Millis, end: Millis) -> u64 {
    if now == end {
        return 0;
    }
    let mut state = state.clone();
    let mut sent = 0;
    let mut best = best_from(&state, terms, now + 1, end);
    while state.standing(terms, now, Cost::ONE).retry == Retry::Now {
        state.charge(terms, now, 1, Cost::ONE);
        sent += 1;
        best = best.max(sent + best_from(&state, terms, now + 1, end));
    }
    best
}

#[test]
fn an_abuser_gets_so_much_and_no_more() {
    for algorithm in ALGORITHMS {
        for units in 1..=3 {
            for window in 2..=4 {
                for span in 1..=8 {
                    assert_eq!(
                        most_within(algorithm, units, window, span),
                        most_of_all_ways(algorithm, units, window, span),
                        "{algorithm}: {units} per {window} within {span}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_abuser_of_sixty_a_minute_gets() {
    let of = |algorithm| {
        let abuse = Abuse::of(counting(algorithm, "minute"), 60);
        [abuse.at_once, abuse.in_any_window, abuse.in_any_day]
    };
    let expected = [
        // A day that begins in a window has one window more.
        [60, 120, 60 * 1_441],
        // All but one unit fit into the last millisecond of a window.
        [60, 119, 60 + 59 * 1_440],
        [60, 60, 60 * 1_440],
        [60, 119, 60 + 60 * 1_440 - 1],
    ];
    assert_eq!(ALGORITHMS.map(of), expected);
}

#[test]
fn a_day_in_a_window_of_a_week_is_less_than_the_window() {
    let of = |algorithm| {
        let abuse = Abuse::of(counting(algorithm, "week"), 70);
        [abuse.in_any_window, abuse.in_any_day]
    };
    assert_eq!(ALGORITHMS.map(of), [[140, 140], [139, 79], [70, 70], [139, 79]]);
}

#[test]
fn large_quotas_do_not_overflow() {
    for algorithm in ALGORITHMS {
        let counting = counting(algorithm, "second");
        let abuse = Abuse::of(counting, counting.largest());
        assert!(abuse.in_any_day >= abuse.in_any_window && abuse.at_once == counting.largest());
    }
}
