use std::num::NonZeroU64;

use super::*;
use crate::domain::decision::Decision;
use crate::domain::policy::{KeySource, OnStoreFailure};
use crate::domain::quota::Cost;
use crate::store::{Acquire, Acquired, Answer, Charge, MemoryStore, StoreErrorKind};

mod access;
mod admission;
mod explain;
mod observer;
#[cfg(any(feature = "actix", feature = "tower"))]
mod outcomes;
mod overrides;
mod penalties;
mod plans;
mod receipts;
mod several_quotas;
#[cfg(feature = "server")]
mod together;

/// A store that never answers but with a failure.
#[derive(Debug)]
struct Failing;

impl Store for Failing {
    fn acquire(&self, _: &Acquire) -> Answer<Acquired> {
        Answer::ready(Err(StoreError::new(StoreErrorKind::TimedOut)))
    }

    fn reset(&self, _: Vec<Key>) -> Answer<()> {
        Answer::ready(Err(StoreError::new(StoreErrorKind::TimedOut)))
    }
}

fn policy(name: &str, quota: &str, rule: OnStoreFailure) -> Policy {
    Policy::new(name, quota.parse().unwrap()).unwrap().with_on_store_failure(rule)
}

fn without_store(policies: impl IntoIterator<Item = Policy>) -> LimiterBuilder {
    let builder = Limiter::builder(Arc::new(Failing)).local(Arc::new(MemoryStore::new(100)));
    policies.into_iter().fold(builder, LimiterBuilder::policy)
}

fn someone() -> Client<'static> {
    Client::user("1042")
}

#[test]
fn without_a_store_each_policy_says_what_holds() {
    use OnStoreFailure::{Allow, Deny, Local};
    let limiter = without_store([
        policy("allow", "1/day", Allow),
        policy("deny", "1/day", Deny),
        policy("local", "2/day", Local),
    ])
    .build()
    .unwrap();
    let admitted = |names: &[&str]| {
        let policies = limiter.policies(names).unwrap();
        let check = || limiter.check(&policies, Cost::ONE, &someone()).wait();
        let decisions: Vec<_> = (0..4).map(|_| check()).collect();
        decisions.iter().map(|it| it.as_ref().map(Decision::is_allowed).ok()).collect::<Vec<_>>()
    };
    assert_eq!(admitted(&["allow"]), [Some(true); 4]);
    assert_eq!(admitted(&["deny"]), [None; 4]);
    assert_eq!(admitted(&["allow", "local", "deny"]), [None; 4], "one that refuses is enough");
    let counted = [Some(true), Some(true), Some(false), Some(false)];
    assert_eq!(admitted(&["allow", "local"]), counted);
}

#[test]
fn without_a_store_this_process_counts_its_share() {
    for (instances, share) in [(1, 10), (3, 4), (10, 1), (1_000, 1)] {
        let limiter = without_store([policy("p", "10/day", OnStoreFailure::Local)])
            .instances(NonZeroU64::new(instances).unwrap())
            .build()
            .unwrap();
        let policies = limiter.policies(["p"]).unwrap();
        let check = || limiter.check(&policies, Cost::ONE, &someone()).wait().unwrap();
        let allowed = (0..20).filter(|_| check().is_allowed()).count();
        assert_eq!(allowed, share, "of {instances} instances");
    }
}

#[test]
fn without_a_store_or_anything_local_a_local_policy_refuses() {
    let limiter = Limiter::builder(Arc::new(Failing))
        .policy(policy("p", "10/day", OnStoreFailure::Local))
        .build()
        .unwrap();
    let policies = limiter.policies(["p"]).unwrap();
    let answer = limiter.check(&policies, Cost::ONE, &someone()).wait();
    assert_eq!(answer.unwrap_err().cause(), StoreErrorKind::TimedOut);
}

#[test]
fn a_request_that_meets_no_policy_is_allowed_without_asking() {
    let limiter = Limiter::builder(Arc::new(Failing)).build().unwrap();
    let none = limiter.policies::<&str>([]).unwrap();
    assert!(limiter.check(&none, Cost::ONE, &someone()).wait().unwrap().is_allowed());
}

#[test]
fn a_peek_charges_nothing_and_says_what_a_check_would() {
    let limiter = Limiter::builder(Arc::new(MemoryStore::new(10)))
        .policy(policy("p", "1/day", OnStoreFailure::Local))
        .build()
        .unwrap();
    let policies = limiter.policies(["p"]).unwrap();
    for allowed in [true, false] {
        for _ in 0..3 {
            let peek = limiter.peek(&policies, Cost::ONE, &someone()).wait().unwrap();
            assert_eq!(peek.is_allowed(), allowed);
        }
        let check = limiter.check(&policies, Cost::ONE, &someone()).wait().unwrap();
        assert_eq!(check.is_allowed(), allowed);
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let builder = || without_store([policy("p", "1/day", OnStoreFailure::Local)]);
    let error = |builder: LimiterBuilder| builder.build().unwrap_err();
    assert_eq!(
        error(builder().policy(policy("p", "2/day", OnStoreFailure::Local))),
        LimiterError::DuplicatePolicy("p".into())
    );
    assert_eq!(
        error(builder().route("/x", ["p", "q"], [])),
        LimiterError::UnknownPolicy("q".into())
    );
    assert_eq!(
        error(builder().route("/x", [], ["p", "p"])),
        LimiterError::DuplicatePolicy("p".into())
    );
    assert_eq!(
        error(builder().route("/x", ["p"], ["p"])),
        LimiterError::DuplicatePolicy("p".into())
    );
    let twice = builder().route("/x", ["p"], []).route("/x", ["p"], []);
    assert_eq!(error(twice), LimiterError::DuplicateRoute("/x".into()));
    let twice = builder().route("GET /{a}", ["p"], []).route("GET /{b}", ["p"], []);
    assert_eq!(error(twice), LimiterError::DuplicateRoute("GET /{b}".into()));
    let error = error(builder().route("x", ["p"], [])).to_string();
    assert!(error.starts_with("\"x\" is not a route: "), "{error}");
}

#[test]
fn a_route_has_its_policies_and_its_cost() {
    let cost = Cost::new(5).unwrap();
    let limiter = without_store([policy("p", "9/day", OnStoreFailure::Local)])
        .route("/*", ["p"], [])
        .route_of_cost(cost, "POST /api/{kind}/export", [], ["p"])
        .build()
        .unwrap();
    let seen = |method, path| {
        let route = limiter.route(method, path).unwrap();
        (route.policies.iter().len(), route.peek.iter().len(), route.cost)
    };
    assert_eq!(seen("POST", "/api/items/export"), (0, 1, cost));
    assert_eq!(seen("GET", "/api/items/export"), (1, 0, Cost::ONE));
}
