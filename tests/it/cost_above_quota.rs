//! Promise 9: a cost above the quota is never admitted, so it has no Retry-After.

use std::sync::Arc;

use tollgate::{Algorithm, Client, Cost, Decision, Limiter, Policy, Quota, Retry};

use crate::support::stores::{HOUR, NOW, Stand, charge, each_policy, on_each_store, policy};

/// What a limiter of `policies` decides, for user `user`.
fn check(stand: &Stand, policies: &[&Arc<Policy>], user: &str, cost: u64) -> Decision {
    let mut builder = Limiter::builder(stand.store.clone());
    for policy in policies {
        builder = builder.policy(Policy::clone(policy));
    }
    let limiter = builder.build().expect("policies of different names");
    let names = policies.iter().map(|policy| policy.name());
    let policies = limiter.policies(names).expect("they exist");
    let cost = Cost::new(cost).expect("a cost");
    limiter.check(&policies, cost, &Client::user(user)).wait().expect("the store answers")
}

#[test]
fn promise_9_a_cost_above_the_quota_has_no_retry_after_and_charges_nothing() {
    on_each_store(|stand| {
        for policy in each_policy(5, HOUR) {
            let other = crate::support::stores::policy("other", "fixed-window", 1_000, HOUR);
            let before = stand.image(&[], NOW);
            for cost in [6, 7, 99] {
                let decision = check(stand, &[&policy, &other], "a", cost);
                assert!(!decision.is_allowed(), "{}", policy.name());
                assert_eq!(decision.retry_after(), None, "{}", policy.name());
                let violated: Vec<_> =
                    decision.violated().map(|(it, standing)| (it.name(), standing.retry)).collect();
                assert_eq!(violated, [(policy.name(), Retry::Never)]);
            }
            assert_eq!(stand.image(&[], NOW), before, "{}", policy.name());
            assert!(check(stand, &[&policy, &other], "a", 5).is_allowed(), "{}", policy.name());
        }
    });
}

#[test]
fn promise_9_never_outweighs_later() {
    on_each_store(|stand| {
        let closed = policy("closed", "fixed-window", 6, HOUR);
        assert!(check(stand, &[&closed], "b", 1).is_allowed());
        let later = check(stand, &[&closed], "b", 6);
        assert!(later.retry_after().is_some(), "{later:?}");
        for policy in each_policy(5, HOUR) {
            for policies in [[&policy, &closed], [&closed, &policy]] {
                let decision = check(stand, &policies, "b", 6);
                assert!(!decision.is_allowed() && decision.violated().count() == 2);
                assert_eq!(decision.retry_after(), None, "{}", policy.name());
            }
        }
    });
}

#[test]
fn promise_9_a_bucket_is_as_large_as_its_burst() {
    on_each_store(|stand| {
        for (units, burst) in [(5, 9), (9, 5)] {
            let quota = Quota::new(units, HOUR).expect("a quota");
            let bucket = Policy::new(&format!("of-{burst}"), quota).expect("a name");
            let bucket = bucket.with_algorithm(Algorithm::TokenBucket { burst }).expect("it fits");
            let charge = charge("a", &Arc::new(bucket));
            assert_eq!(stand.peek(&charge, burst).retry, Retry::Now);
            assert_eq!(stand.peek(&charge, burst + 1).retry, Retry::Never);
            assert!(stand.admits(std::slice::from_ref(&charge), burst));
            assert!(matches!(stand.peek(&charge, burst).retry, Retry::After(_)));
            assert_eq!(stand.peek(&charge, burst + 1).retry, Retry::Never);
        }
    });
}
