//! Promise 5: all numbers are integers, exact below 2^53. A larger quota is refused, with the largest one
//! that fits.

use std::sync::Arc;

use tollgate::algorithm::LARGEST_LOG;
use tollgate::{Algorithm, Cost, MAX_EXACT, MAX_WINDOW, Policy, PolicyError, Quota};

use crate::model::{self, Model};
use crate::support::stores::{HOUR, NOW, Stand, charge, on_each_store};

const TOO_LARGE: [u64; 3] = [1 << 53, (1 << 53) + 1, u64::MAX];

/// The largest quota that each algorithm accepts, for short and for long windows.
fn largest_policies() -> Vec<Arc<Policy>> {
    let mut policies = Vec::new();
    for window in [1_000, 7_000, HOUR, MAX_WINDOW] {
        let units = MAX_EXACT / window - 1;
        for (algorithm, units) in [
            (Algorithm::FixedWindow, MAX_EXACT),
            (Algorithm::SlidingWindow, units),
            (Algorithm::SlidingLog, LARGEST_LOG),
            (Algorithm::TokenBucket { burst: units }, units),
            (Algorithm::TokenBucket { burst: units }, 1),
            (Algorithm::TokenBucket { burst: units }, MAX_EXACT),
        ] {
            let quota = Quota::new(units, window).expect("at most 2^53 - 1");
            let policy = Policy::new(&format!("p{}", policies.len()), quota).expect("a name");
            policies.push(Arc::new(policy.with_algorithm(algorithm).expect("the largest")));
        }
    }
    policies
}

/// What can be used at once.
fn capacity(policy: &Policy) -> u64 {
    policy.terms().burst
}

#[test]
fn promise_5_every_unit_of_the_largest_quotas_counts() {
    on_each_store(|stand| {
        for policy in largest_policies() {
            let charges = [charge("a", &policy)];
            let all = capacity(&policy);
            for (cost, admitted, remaining) in [
                (all - 3, true, 3),
                (4, false, 3),
                (1, true, 2),
                (all, false, 2),
                (1, true, 1),
                (2, false, 1),
                (1, true, 0),
                (1, false, 0),
            ] {
                let answer = stand.acquire(&charges, cost, 1);
                assert_eq!(answer.admitted == 1, admitted, "{policy:?} at cost {cost}");
                assert_eq!(answer.standings[0].remaining, remaining, "{policy:?} at cost {cost}");
            }
        }
    });
}

#[test]
fn promise_5_the_largest_quotas_come_back_exactly() {
    on_each_store(|stand| {
        for policy in largest_policies() {
            let mut model = Model::new();
            let mut now = NOW;
            let (all, window) = (capacity(&policy), policy.quota().window().longest());
            for (step, cost) in [
                (0, all),
                (1, 1),
                (window / 3, all / 3),
                (window / 7, all / 7 + 1),
                (window - 1, all - all / 5),
                (1, 1),
                (window, all / 2 - 1),
                (window / 2 + 1, all),
            ] {
                now += step;
                same_as_model(stand, &mut model, &policy, now, cost.max(1));
            }
        }
    });
}

/// What many dear requests cost together passes 2^64: that is more than any quota, and no small number.
#[test]
fn promise_5_what_many_requests_cost_together_may_pass_every_integer() {
    on_each_store(|stand| {
        for policy in largest_policies() {
            let all = capacity(&policy);
            let charges = [charge("c", &policy)];
            for (cost, count) in [
                (1 << 40, 1 << 24),
                (1 << 52, 1 << 12),
                (MAX_EXACT, u32::MAX),
                ((1 << 32) + 1, u32::MAX),
                (all.div_ceil(2), u32::MAX),
                (1, u32::MAX),
            ] {
                let before = stand.peek(&charges[0], 1).remaining;
                let fit = u32::try_from(before / cost).unwrap_or(u32::MAX).min(count);
                let answer = stand.acquire(&charges, cost, count);
                assert_eq!(answer.admitted, fit, "{policy:?}: {count} at {cost}");
                let remaining = before - u64::from(fit) * cost;
                assert_eq!(
                    answer.standings[0].remaining, remaining,
                    "{policy:?}: {count} at {cost}"
                );
            }
        }
    });
}

fn same_as_model(stand: &Stand, model: &mut Model, policy: &Arc<Policy>, now: u64, cost: u64) {
    let charge = charge("b", policy);
    let of_model = model::Charge { key: charge.key.to_string(), policy: policy.clone(), cost };
    let expected = model.acquire(now, &[of_model], 1);
    stand.clock.set(now);
    let answer = stand.acquire(&[charge], cost, 1);
    assert_eq!(u64::from(answer.admitted), expected.admitted, "{policy:?} at cost {cost}");
    assert_eq!(answer.standings, expected.standings, "{policy:?} at cost {cost}");
}

#[test]
fn promise_5_a_quota_that_is_too_large_is_refused_with_the_largest_that_fits() {
    for window in [1_000, 60_000, HOUR, MAX_WINDOW] {
        for (algorithm, largest) in [
            (Algorithm::SlidingWindow, MAX_EXACT / window - 1),
            (Algorithm::SlidingLog, LARGEST_LOG),
            (Algorithm::TokenBucket { burst: 0 }, MAX_EXACT / window - 1),
        ] {
            let with = |units: u64| {
                let (algorithm, quota) = match algorithm {
                    Algorithm::TokenBucket { .. } => (Algorithm::TokenBucket { burst: units }, 1),
                    other => (other, units),
                };
                let quota = Quota::new(quota, window).expect("at most 2^53 - 1");
                Policy::new("p", quota).expect("a name").with_algorithm(algorithm)
            };
            assert!(with(largest).is_ok(), "{algorithm} of {largest} in {window} ms");
            for wanted in [largest + 1, MAX_EXACT] {
                let refusal = with(wanted).expect_err("too large");
                let said = refusal.to_string();
                assert!(said.contains(&format!("at most {largest} ")), "{said}");
                let PolicyError::TooLarge { largest: named, .. } = refusal else {
                    panic!("{refusal:?}")
                };
                assert_eq!(named, largest, "{algorithm} in {window} ms");
            }
        }
    }
}

#[test]
fn promise_5_absurd_numbers_are_refused() {
    for units in TOO_LARGE {
        let said = Quota::new(units, HOUR).expect_err("too large").to_string();
        assert!(said.contains(&MAX_EXACT.to_string()), "{said}");
        let said = format!("{units}/hour").parse::<Quota>().expect_err("too large").to_string();
        assert!(said.contains(&MAX_EXACT.to_string()), "{said}");
        assert_eq!(Cost::new(units), None);
        let quota = Quota::new(1, HOUR).expect("a quota");
        let bucket = Algorithm::TokenBucket { burst: units };
        let refused = Policy::new("p", quota).expect("a name").with_algorithm(bucket);
        assert!(matches!(refused, Err(PolicyError::TooLarge { .. })), "a burst of {units}");
        assert!(Quota::new(1, units - units % 1_000).is_err(), "a window of {units}");
        assert!(format!("1/{units} weeks").parse::<Quota>().is_err(), "{units} weeks");
    }
    let beyond = "99999999999999999999999/hour".parse::<Quota>().expect_err("too large");
    assert!(beyond.to_string().contains(&MAX_EXACT.to_string()), "{beyond}");
    assert!(Quota::new(0, HOUR).is_err() && Quota::new(1, 0).is_err());
    assert!("0/hour".parse::<Quota>().is_err() && "1/0 hours".parse::<Quota>().is_err());
    assert_eq!(Cost::new(0), None);
    assert_eq!(Cost::new(MAX_EXACT).map(Cost::units), Some(MAX_EXACT));
    assert!(Quota::new(MAX_EXACT, MAX_WINDOW).is_ok());
}
