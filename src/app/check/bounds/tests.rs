use proptest::prelude::*;

use super::*;
use crate::domain::algorithm::State;
use crate::domain::calendar::Weekday;
use crate::domain::quota::{Cost, Quota};
use crate::domain::standing::Retry;

fn policy(name: &str, quota: Quota, algorithm: Algorithm) -> Policy {
    Policy::new(name, quota).and_then(|policy| policy.with_algorithm(algorithm)).expect("a policy")
}

fn policies(name: &'static str, most: u64) -> impl Strategy<Value = Policy> {
    (1..=most, 1..=6_u64, 0..4_u8, 1..=most).prop_map(move |(units, seconds, kind, burst)| {
        let quota = Quota::new(units, seconds * 1_000).expect("a quota");
        let algorithm = match kind {
            0 => Algorithm::FixedWindow,
            1 => Algorithm::SlidingWindow,
            2 => Algorithm::SlidingLog,
            _ => Algorithm::TokenBucket { burst },
        };
        policy(name, quota, algorithm)
    })
}

/// Waits in milliseconds, and costs. Many waits end at an edge of a second or next to one.
fn histories() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let wait = prop_oneof![
        3 => Just(0),
        3 => Just(1),
        2 => (1..=8_u64).prop_map(|it| it * 250),
        2 => (1..=6_u64).prop_map(|it| it * 1_000 - 1),
        1 => 0..3_000_u64,
    ];
    prop::collection::vec((wait, 1..=3_u64), 1..150)
}

/// Plays `history` against both, and returns whether the other denied what the first admitted.
fn other_denies_alone(first: &Policy, other: &Policy, begin: u64, history: &[(u64, u64)]) -> bool {
    let mut states = [first, other].map(|policy| (policy, State::untouched(policy.algorithm())));
    let mut now = 1_000_000 + begin;
    for (wait, cost) in history {
        now += wait;
        let cost = Cost::new(*cost).expect("a cost");
        let admits = |(policy, state): &(&Policy, State)| {
            state.standing(&policy.terms(), now, cost).retry == Retry::Now
        };
        match (admits(&states[0]), admits(&states[1])) {
            (true, true) => {
                for (policy, state) in &mut states {
                    state.charge(&policy.terms(), now, cost.units(), cost);
                }
            }
            (true, false) => return true,
            (false, _) => {}
        }
    }
    false
}

fn is_unreachable(first: &Policy, other: &Policy) -> bool {
    most_counted(first, other).is_some_and(|most| most <= other.terms().burst)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_called_unreachable_denies_nothing_alone(
        first in policies("first", 8),
        other in policies("other", 60),
        begin in 0..6_000_u64,
        histories in prop::collection::vec(histories(), 4),
        tightest in any::<bool>(),
    ) {
        // The least quota that is called unreachable is the hardest one to be right about.
        let other = match most_counted(&first, &other) {
            Some(most) if tightest && !matches!(other.algorithm(), Algorithm::TokenBucket { .. }) => {
                policy("other", other.quota().with_units(most).expect("a quota"), other.algorithm())
            }
            Some(most) if tightest => {
                policy("other", other.quota(), Algorithm::TokenBucket { burst: most })
            }
            _ => other,
        };
        prop_assume!(is_unreachable(&first, &other));
        for history in histories {
            prop_assert!(!other_denies_alone(&first, &other, begin, &history), "{first:?} {other:?}");
        }
    }
}

/// `first` and `other` as quota and algorithm; a token bucket's burst is its quota.
fn pair(first: (&str, &str), other: (&str, &str)) -> (Policy, Policy) {
    let of = |(quota, algorithm): (&str, &str)| {
        let quota: Quota = quota.parse().expect("a quota");
        policy("p", quota, Algorithm::named(algorithm, quota).expect("an algorithm"))
    };
    (of(first), of(other))
}

#[test]
fn the_arithmetic_is_exact_where_windows_divide() {
    for (first, other, most) in [
        (("10/minute", "fixed-window"), ("1000/hour", "fixed-window"), Some(600)),
        (("10/minute", "fixed-window"), ("1000/hour", "sliding-log"), Some(610)),
        (("10/minute", "fixed-window"), ("1000/hour", "sliding-window"), Some(610)),
        (("10/minute", "sliding-log"), ("1000/hour", "sliding-log"), Some(600)),
        (("10/minute", "token-bucket"), ("1000/hour", "fixed-window"), Some(609)),
        (("10/minute", "fixed-window"), ("1000/hour", "token-bucket"), Some(20)),
        (("10/minute", "fixed-window"), ("100/hour", "token-bucket"), None),
        (("10/minute", "fixed-window"), ("15/10 seconds", "sliding-log"), Some(20)),
        (("10/minute", "sliding-log"), ("15/10 seconds", "fixed-window"), Some(10)),
    ] {
        let (one, two) = pair(first, other);
        assert_eq!(most_counted(&one, &two), most, "{first:?} {other:?}");
    }
}

#[test]
fn windows_of_one_calendar_are_within_each_other_and_no_others_are() {
    let of = |text: &str, zone: Option<&str>| {
        let of = policy("p", text.parse().expect("a quota"), Algorithm::FixedWindow);
        match zone {
            Some(zone) => {
                let zone = zone.parse().expect("a zone");
                of.with_timezone(zone, Weekday::Monday).expect("a fixed window")
            }
            None => of,
        }
    };
    let (berlin, utc) = (Some("Europe/Berlin"), Some("UTC"));
    for (first, other, most) in [
        (("10/month", utc), ("99/month", None), Some(10)),
        (("10/day", berlin), ("99/month", berlin), Some(310)),
        (("10/day", berlin), ("99/week", berlin), Some(70)),
        (("10/day", berlin), ("99/year", berlin), Some(3_660)),
        (("10/month", berlin), ("99/year", berlin), Some(120)),
        (("10/week", berlin), ("99/month", berlin), None),
        (("10/month", berlin), ("99/day", berlin), None),
        (("10/day", utc), ("99/month", berlin), None),
        (("10/hour", None), ("99/month", None), None),
        (("10/month", None), ("99/hour", None), None),
    ] {
        let (one, two) = (of(first.0, first.1), of(other.0, other.1));
        assert_eq!(most_counted(&one, &two), most, "{first:?} {other:?}");
    }
}

#[test]
fn a_count_per_client_says_nothing_of_a_count_of_all() {
    let of = |key: KeySource| {
        policy("p", Quota::new(1, 1_000).expect("a quota"), Algorithm::FixedWindow).with_key(key)
    };
    let header = || KeySource::Header("x".into());
    for (first, other, together) in [
        (KeySource::Global, KeySource::Ip, true),
        (KeySource::Ip, KeySource::Global, false),
        (KeySource::User, KeySource::UserOrIp, true),
        (KeySource::UserOrIp, KeySource::User, false),
        (KeySource::Ip, KeySource::UserOrIp, false),
        (KeySource::UserOrIp, KeySource::Ip, false),
        (header(), header(), true),
        (header(), KeySource::Ip, false),
    ] {
        assert_eq!(
            counts_together(&of(first.clone()), &of(other.clone())),
            together,
            "{first} {other}"
        );
    }
}
