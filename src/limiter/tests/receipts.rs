//! Charges that are given back by a receipt, and charges after the fact.

use std::pin::pin;
use std::sync::Arc;

use super::admission::{decided, to};
use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::receipt::Receipt;
use crate::limiter::{Admission, Incoming};

/// A request that wants a receipt.
struct Receipted<'a> {
    user: &'a str,
    path: &'a str,
    is_dry_run: bool,
}

impl Incoming for Receipted<'_> {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        self.path
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        ask(&Client::user(self.user))
    }

    fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    fn wants_receipt(&self) -> bool {
        true
    }
}

fn limiter() -> (Arc<ManualClock>, Limiter) {
    let clock = Arc::new(ManualClock::new(1_000_000));
    let store = Arc::new(MemoryStore::with_clock(1_000, clock.clone()));
    let limiter = Limiter::builder(store)
        .policy(policy("a", "3/minute", OnStoreFailure::Deny))
        .policy(policy("b", "9/hour", OnStoreFailure::Deny))
        .route("/", ["a", "b"], [])
        .allow(["user:ann".parse().unwrap()])
        .build();
    (clock, limiter.unwrap())
}

fn admit(limiter: &Limiter, user: &str, is_dry_run: bool) -> (bool, Option<Receipt>) {
    let request = Receipted { user, path: "/", is_dry_run };
    match decided(pin!(limiter.admit(&request))) {
        Admission::Passes(decision) => (true, decision.and_then(|it| it.receipt().cloned())),
        Admission::Refused(Refused::Denied(decision)) => (false, decision.receipt().cloned()),
        Admission::Refused(refused) => panic!("{refused:?}"),
    }
}

fn remaining(limiter: &Limiter, user: &'static str) -> Vec<u64> {
    let policies = limiter.policies(["a", "b"]).unwrap();
    let peek = limiter.peek(&policies, Cost::ONE, &Client::user(user)).wait().unwrap();
    peek.policies().map(|(_, standing)| standing.remaining).collect()
}

#[test]
fn a_receipt_gives_back_once_what_was_charged() {
    let (_, limiter) = limiter();
    let (_, receipt) = admit(&limiter, "x", false);
    admit(&limiter, "x", false);
    assert_eq!(remaining(&limiter, "x"), [1, 7]);
    let receipt: Receipt = receipt.unwrap().to_string().parse().unwrap();
    let given = decided(pin!(limiter.refund(&receipt))).unwrap();
    assert_eq!(given.units().collect::<Vec<_>>(), [("a", 1), ("b", 1)]);
    assert!(!given.is_repeated());
    assert_eq!(remaining(&limiter, "x"), [2, 8]);
    let again = decided(pin!(limiter.refund(&receipt))).unwrap();
    assert!(again.is_repeated());
    assert_eq!(again.units().collect::<Vec<_>>(), [("a", 0), ("b", 0)]);
    assert_eq!(remaining(&limiter, "x"), [2, 8]);
}

#[test]
fn what_no_longer_counts_is_not_given_back() {
    let (clock, limiter) = limiter();
    let (_, receipt) = admit(&limiter, "x", false);
    clock.advance(60_000);
    admit(&limiter, "x", false);
    let given = decided(pin!(limiter.refund(&receipt.unwrap()))).unwrap();
    assert_eq!(given.units().collect::<Vec<_>>(), [("a", 0), ("b", 1)]);
    assert_eq!(remaining(&limiter, "x"), [2, 8]);
}

#[test]
fn a_denied_request_a_dry_run_and_one_without_a_wish_have_no_receipt() {
    let (_, limiter) = limiter();
    assert_eq!(admit(&limiter, "x", true), (true, None));
    assert_eq!(remaining(&limiter, "x"), [3, 9], "a dry run charges nothing");
    for _ in 0..3 {
        assert!(matches!(admit(&limiter, "x", false), (true, Some(_))));
    }
    assert_eq!(admit(&limiter, "x", false), (false, None));
    assert_eq!(admit(&limiter, "x", true), (false, None));
    assert_eq!(admit(&limiter, "ann", false), (true, None));
    match decided(pin!(limiter.admit(&to("/", "y")))) {
        Admission::Passes(Some(decision)) => assert_eq!(decision.receipt(), None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn units_are_charged_after_the_fact_as_far_as_they_are_left() {
    let (_, limiter) = limiter();
    let policies = limiter.policies(["a", "b"]).unwrap();
    let charge = |units, user| {
        let units = Cost::new(units).unwrap();
        let charged = limiter.charge_up_to(&policies, units, &Client::user(user));
        let decision = decided(pin!(charged)).unwrap();
        assert!(decision.is_allowed());
        decision.policies().map(|(_, standing)| standing.remaining).collect::<Vec<_>>()
    };
    assert_eq!(charge(2, "x"), [1, 7]);
    assert_eq!(charge(5, "x"), [0, 2], "each policy by itself");
    assert_eq!(charge(u64::from(u32::MAX) + 9, "y"), [0, 0]);
    assert_eq!(remaining(&limiter, "y"), [0, 0]);
    assert!(charge(2, "ann").is_empty());
    assert_eq!(remaining(&limiter, "ann"), [3, 9]);
}

#[test]
fn a_store_that_fails_gives_nothing_back_and_says_so() {
    let (_, limiter) = limiter();
    let receipt = admit(&limiter, "x", false).1.unwrap();
    let failing = without_store([]).build().unwrap();
    // A store that knows no refunds gives nothing back.
    let given = decided(pin!(failing.refund(&receipt))).unwrap();
    assert_eq!(given.units().collect::<Vec<_>>(), [("a", 0), ("b", 0)]);
    let policies = limiter.policies(["a"]).unwrap();
    let cut_off = without_store([policy("a", "3/day", OnStoreFailure::Deny)]).build().unwrap();
    let charged = cut_off.charge_up_to(&policies, Cost::ONE, &Client::user("x"));
    assert!(decided(pin!(charged)).is_err());
}

#[test]
fn every_quota_of_a_policy_is_given_back_and_once() {
    let store = Arc::new(MemoryStore::with_clock(1_000, Arc::new(ManualClock::new(1_000_000))));
    let several = policy("a", "9/hour", OnStoreFailure::Deny);
    let several = several.with_further_quota("2/minute".parse().unwrap()).unwrap();
    let limiter = Limiter::builder(store).policy(several).route("/", ["a"], []).build().unwrap();
    let admitted = || admit(&limiter, "bob", false);
    let (_, receipt) = admitted();
    assert!(admitted().0 && !admitted().0);
    let receipt: Receipt = receipt.unwrap().to_string().parse().unwrap();
    let given = decided(pin!(limiter.refund(&receipt))).unwrap();
    assert_eq!(given.units().collect::<Vec<_>>(), [("a", 1), ("a", 1)]);
    let again = decided(pin!(limiter.refund(&receipt))).unwrap();
    assert!(again.is_repeated());
    assert_eq!(again.units().collect::<Vec<_>>(), [("a", 0), ("a", 0)]);
    assert!(admitted().0 && !admitted().0);
}
