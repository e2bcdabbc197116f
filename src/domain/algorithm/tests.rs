use proptest::prelude::*;

use super::*;
use crate::domain::standing::Retry;

const MINUTE: Millis = 60_000;

fn policy(quota: &str, algorithm: &str) -> (State, Terms) {
    let quota: Quota = quota.parse().expect(quota);
    let algorithm = Algorithm::named(algorithm, quota).expect(algorithm);
    (State::untouched(algorithm), algorithm.terms(quota))
}

fn cost(units: u64) -> Cost {
    Cost::new(units).expect("a cost")
}

#[test]
fn a_fixed_window_opens_at_its_edge() {
    let (mut state, terms) = policy("10/minute", "fixed-window");
    state.charge(&terms, 3 * MINUTE + 59_000, 10, Cost::ONE);
    let standing = |now| state.standing(&terms, now, Cost::ONE);
    let closed = Standing { remaining: 0, reset_after: 1_000, retry: Retry::After(1_000) };
    assert_eq!(standing(3 * MINUTE + 59_000), closed);
    assert_eq!(standing(4 * MINUTE - 1).retry, Retry::After(1));
    let whole = Standing { remaining: 10, reset_after: 0, retry: Retry::Now };
    assert_eq!(standing(4 * MINUTE), whole);
}

#[test]
fn a_sliding_window_weighs_the_window_before() {
    let (mut state, terms) = policy("10/minute", "sliding-window");
    state.charge(&terms, 59_000, 10, Cost::ONE);
    // 45 s into the next window, a quarter of the one before is covered: 2.5 units, rounded up.
    assert_eq!(state.standing(&terms, MINUTE + 45_000, Cost::ONE).remaining, 7);
    // One unit fits when a tenth of it has slid out.
    assert_eq!(state.standing(&terms, MINUTE, Cost::ONE).retry, Retry::After(6_000));
    // All of it has when both windows are over.
    assert_eq!(state.standing(&terms, MINUTE, cost(10)).retry, Retry::After(MINUTE));
    assert_eq!(state.standing(&terms, 59_000, Cost::ONE).reset_after, MINUTE + 1_000);
}

#[test]
fn a_sliding_log_gives_units_back_as_they_were_used() {
    let (mut state, terms) = policy("10/minute", "sliding-log");
    state.charge(&terms, 1_000, 4, Cost::ONE);
    state.charge(&terms, 31_000, 6, Cost::ONE);
    assert_eq!(state.standing(&terms, 31_000, Cost::ONE).retry, Retry::After(30_000));
    assert_eq!(state.standing(&terms, 31_000, cost(4)).retry, Retry::After(30_000));
    assert_eq!(state.standing(&terms, 31_000, cost(5)).retry, Retry::After(MINUTE));
    assert_eq!(state.standing(&terms, 61_000, Cost::ONE).remaining, 4);
    assert_eq!(state.standing(&terms, 61_000, Cost::ONE).reset_after, 30_000);
}

#[test]
fn a_token_bucket_refills_steadily() {
    let (mut state, terms) = policy("10/minute", "token-bucket");
    state.charge(&terms, 0, 10, Cost::ONE);
    assert_eq!(state.standing(&terms, 0, Cost::ONE).retry, Retry::After(6_000));
    assert_eq!(state.standing(&terms, 5_999, Cost::ONE).remaining, 0);
    assert_eq!(state.standing(&terms, 6_000, Cost::ONE).remaining, 1);
    assert_eq!(state.standing(&terms, 0, Cost::ONE).reset_after, MINUTE);
}

#[test]
fn a_burst_saves_up_more_or_less_than_the_quota() {
    let (_, terms) = policy("10/minute", "token-bucket");
    for burst in [1, 25] {
        let terms = Terms { burst, ..terms };
        let state = State::untouched(Algorithm::TokenBucket { burst });
        assert_eq!(state.standing(&terms, 0, cost(burst)).remaining, burst);
        assert_eq!(state.standing(&terms, 0, cost(burst + 1)).retry, Retry::Never);
    }
}

#[test]
fn a_clock_that_steps_back_stands_still_up_to_a_window() {
    for algorithm in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
        let (mut state, terms) = policy("10/minute", algorithm);
        state.charge(&terms, 10 * MINUTE, 10, Cost::ONE);
        let there = state.standing(&terms, 10 * MINUTE, Cost::ONE);
        let back = state.standing(&terms, 10 * MINUTE - 1, Cost::ONE);
        assert_eq!(back.remaining, 0, "{algorithm} mints at the edge");
        let (Retry::After(there), Retry::After(back)) = (there.retry, back.retry) else {
            panic!("{algorithm}: {there:?}, {back:?}");
        };
        assert_eq!(back, there + 1, "{algorithm}");
    }
}

#[test]
fn a_state_from_a_wrong_clock_is_read_as_of_now() {
    for algorithm in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
        let (mut state, terms) = policy("10/minute", algorithm);
        state.charge(&terms, 1_000 * MINUTE, 10, Cost::ONE);
        let now = 10 * MINUTE;
        assert!(state.is_astray(&terms, now));
        let promised = state.standing(&terms, now, Cost::ONE);
        let Retry::After(wait) = promised.retry else { panic!("{algorithm} mints: {promised:?}") };
        state.charge(&terms, now, 0, Cost::ONE);
        assert!(!state.is_astray(&terms, now));
        assert_eq!(state.standing(&terms, now, Cost::ONE), promised, "{algorithm}");
        assert_eq!(state.standing(&terms, now + wait, Cost::ONE).retry, Retry::Now);
        assert!(wait <= 2 * MINUTE, "{algorithm} locks out for {wait} ms");
    }
}

#[test]
fn a_lowered_quota_closes_for_no_longer_than_one_that_was_just_used_up() {
    for algorithm in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
        let (mut state, terms) = policy("1000/minute", algorithm);
        let (mut spent, lowered) = policy("10/minute", algorithm);
        let now = 7 * MINUTE;
        state.charge(&terms, now, 1000, Cost::ONE);
        spent.charge(&lowered, now, 10, Cost::ONE);
        assert_eq!(
            state.standing(&lowered, now, Cost::ONE).retry,
            spent.standing(&lowered, now, Cost::ONE).retry,
            "{algorithm}"
        );
    }
}

#[test]
fn the_largest_quotas_are_exact_at_both_ends() {
    for (algorithm, window) in [("sliding-window", 86_400_000), ("token-bucket", 86_400_000)] {
        let units = MAX_EXACT / window - 1;
        let (mut state, terms) = policy(&format!("{units}/day"), algorithm);
        let now = 20_000 * 86_400_000;
        state.charge(&terms, now, units - 1, Cost::ONE);
        assert_eq!(state.standing(&terms, now, Cost::ONE).remaining, 1);
        state.charge(&terms, now, 1, Cost::ONE);
        let Retry::After(wait) = state.standing(&terms, now, cost(units)).retry else { panic!() };
        assert_eq!(state.standing(&terms, now + wait, cost(units)).retry, Retry::Now);
        assert_ne!(state.standing(&terms, now + wait - 1, cost(units)).retry, Retry::Now);
    }
}

/// One key's history: how far the clock moves before each request, and what the request costs.
fn histories() -> impl Strategy<Value = (String, &'static str, Vec<(Millis, u64)>)> {
    let quota =
        (1..30_u64, 1..90_u64).prop_map(|(units, window)| format!("{units}/{window} seconds"));
    let algorithm = prop_oneof![
        Just("fixed-window"),
        Just("sliding-window"),
        Just("sliding-log"),
        Just("token-bucket")
    ];
    let step = prop_oneof![Just(0), 0..50_u64, 0..40_000_u64, 0..200_000_u64];
    (quota, algorithm, proptest::collection::vec((step, 1..8_u64), 1..60))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_request_is_admitted_exactly_from_when_it_was_promised(
        (quota, algorithm, history) in histories()
    ) {
        let (mut state, terms) = policy(&quota, algorithm);
        let mut now = 1_790_000_000_000;
        for (step, units) in history {
            now += step;
            match state.standing(&terms, now, cost(units)).retry {
                Retry::Now => {
                    let charged = state.charge(&terms, now, units, cost(units));
                    prop_assert_eq!(charged, state.standing(&terms, now, cost(units)));
                }
                Retry::WhenFreed => unreachable!("no request is under way"),
                Retry::Never => prop_assert!(units > terms.burst),
                Retry::After(wait) => {
                    prop_assert_eq!(state.standing(&terms, now + wait, cost(units)).retry, Retry::Now);
                    prop_assert_eq!(
                        state.standing(&terms, now + wait - 1, cost(units)).retry,
                        Retry::After(1)
                    );
                }
            }
            let standing = state.standing(&terms, now, cost(units));
            let whole = state.standing(&terms, now + standing.reset_after, cost(units));
            prop_assert_eq!((whole.remaining, whole.reset_after), (terms.burst, 0));
        }
    }
}
