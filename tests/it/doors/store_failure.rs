//! A Redis that is gone: each policy says what holds, and nobody is told that it is their fault.

use std::sync::Arc;

use tollgate::{Limiter, LimiterBuilder, ManualClock, MemoryStore, OnStoreFailure};

use super::{Door, Limit, NOW, has_fields, policy, through_each_door};
use crate::support::redis::Server;
use crate::support::stores::redis_store;

through_each_door! {
    a_policy_that_counts_locally_counts_on_in_this_process,
    a_policy_that_allows_lets_everyone_pass_and_promises_nothing,
    a_policy_that_denies_is_unavailable_and_never_a_denial_or_a_fault,
    a_route_that_only_peeks_answers_whatever_the_store_does,
}

/// A limiter whose Redis was killed, with one policy `default` and its `rule`.
fn without_redis(rule: OnStoreFailure) -> LimiterBuilder {
    let clock = Arc::new(ManualClock::new(NOW));
    let mut server = Server::start();
    let store = redis_store(&server.url(), &clock);
    server.kill();
    let local = MemoryStore::with_clock(1_000, clock);
    let policy = policy("default", "2/minute").with_on_store_failure(rule);
    Limiter::builder(Arc::new(store)).local(Arc::new(local)).policy(policy)
}

fn a_policy_that_counts_locally_counts_on_in_this_process(door: Door) {
    let served = Limit::by(without_redis(OnStoreFailure::Local), ["default"]).serve(door);
    let seen = served.get("/");
    assert_eq!((seen.status, seen.header("ratelimit")), (200, Some(r#""default";r=1;t=42"#)));
    assert_eq!(served.statuses("/", 2), [200, 429]);
}

fn a_policy_that_allows_lets_everyone_pass_and_promises_nothing(door: Door) {
    let served = Limit::by(without_redis(OnStoreFailure::Allow), ["default"]).serve(door);
    for _ in 0..10 {
        let seen = served.get("/");
        assert_eq!((seen.status, has_fields(&seen)), (200, false));
    }
}

fn a_policy_that_denies_is_unavailable_and_never_a_denial_or_a_fault(door: Door) {
    let served = Limit::by(without_redis(OnStoreFailure::Deny), ["default"]).serve(door);
    for _ in 0..10 {
        let seen = served.get("/");
        assert_eq!((seen.status, has_fields(&seen)), (503, false));
        assert_eq!(seen.header("retry-after"), Some("1"));
        assert_eq!(seen.header("cache-control"), Some("no-store"));
        assert!(seen.body.contains("#temporary-reduced-capacity"), "{}", seen.body);
    }
    assert_eq!(served.reached(), 0);
}

fn a_route_that_only_peeks_answers_whatever_the_store_does(door: Door) {
    for rule in [OnStoreFailure::Allow, OnStoreFailure::Deny, OnStoreFailure::Local] {
        let limiter = without_redis(rule).route("/", [], ["default"]);
        let served = Limit::new(limiter).serve(door);
        for _ in 0..10 {
            let seen = served.get("/");
            assert_eq!(seen.status, 200);
            // What this process counts it may tell.
            let told = (rule == OnStoreFailure::Local).then_some(r#""default";r=2"#);
            assert_eq!(seen.header("ratelimit"), told);
        }
    }
}
