//! Policies that count a request only if its response has some status.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use super::admission::decided;
use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::ManualClock;
use crate::domain::decision::Decision;
use crate::domain::policy::{Rollout, Share, Statuses};
use crate::domain::receipt::Receipt;
use crate::domain::standing::{Retry, Standing};
use crate::limiter::{Admission, Incoming};
use crate::store::{Refund, Refunded};

/// A request of somebody who settles it.
struct Login<'a> {
    user: &'a str,
    settles: bool,
}

impl Incoming for Login<'_> {
    fn method(&self) -> &str {
        "POST"
    }

    fn path(&self) -> &str {
        "/login"
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        ask(&Client::user(self.user))
    }

    fn settles(&self) -> bool {
        self.settles
    }
}

fn on(statuses: &str) -> Statuses {
    Statuses::new(statuses.split(' ')).unwrap()
}

fn failures(quota: &str) -> Policy {
    policy("failures", quota, OnStoreFailure::Local).with_charge_on(on("401 403"))
}

fn builder_at(clock: &Arc<ManualClock>) -> LimiterBuilder {
    Limiter::builder(Arc::new(MemoryStore::with_clock(1_000, clock.clone())))
}

fn limiter(policies: impl IntoIterator<Item = Policy>) -> (Arc<ManualClock>, Limiter) {
    let clock = Arc::new(ManualClock::new(1_000_000_000));
    let policies: Vec<Policy> = policies.into_iter().collect();
    let names: Vec<String> = policies.iter().map(|it| it.name().to_owned()).collect();
    let builder = policies.into_iter().fold(builder_at(&clock), LimiterBuilder::policy);
    (clock, builder.route("/login", names, []).build().unwrap())
}

/// A request of `user` that is not settled yet; `None` if it is denied.
fn begin(limiter: &Limiter, user: &str) -> Option<Decision> {
    match decided(pin!(limiter.admit(&Login { user, settles: true }))) {
        Admission::Passes(decision) => Some(decision.expect("a policy is asked")),
        Admission::Refused(Refused::Denied(_)) => None,
        Admission::Refused(refused) => panic!("{refused:?}"),
    }
}

fn end(limiter: &Limiter, decision: Decision, status: u16) -> Decision {
    let settled =
        limiter.settler().expect("a policy counts by outcome").settle(decision, status, false);
    settled.expect("a store in memory answers at once")
}

fn standings(decision: &Decision) -> Vec<Standing> {
    decision.policies().map(|(_, standing)| *standing).collect()
}

fn remaining(decision: &Decision) -> Vec<u64> {
    standings(decision).iter().map(|it| it.remaining).collect()
}

#[test]
fn only_a_request_whose_status_counts_uses_up_the_quota() {
    let (_, limiter) = limiter([failures("2/minute")]);
    for _ in 0..9 {
        let settled = end(&limiter, begin(&limiter, "a").unwrap(), 200);
        assert_eq!(standings(&settled), [Standing::new(2, 0, Retry::Now)]);
    }
    let wrong = |expected: u64| {
        let settled = end(&limiter, begin(&limiter, "a").unwrap(), 401);
        assert_eq!(remaining(&settled), [expected]);
    };
    wrong(1);
    end(&limiter, begin(&limiter, "a").unwrap(), 200);
    wrong(0);
    assert!(begin(&limiter, "a").is_none());
    assert!(begin(&limiter, "b").is_some());
}

#[test]
fn what_is_under_way_is_charged_already() {
    let (_, limiter) = limiter([failures("3/minute")]);
    let under_way: Vec<_> = (0..5).filter_map(|_| begin(&limiter, "a")).collect();
    assert_eq!(under_way.len(), 3);
    for decision in under_way {
        end(&limiter, decision, 200);
    }
    assert_eq!((0..5).filter_map(|_| begin(&limiter, "a")).count(), 3, "all was given back");
}

#[test]
fn a_request_of_which_nobody_tells_the_status_stays_charged() {
    let (_, limiter) = limiter([failures("2/minute")]);
    drop(begin(&limiter, "a"));
    drop(begin(&limiter, "a"));
    assert!(begin(&limiter, "a").is_none());
}

#[test]
fn every_algorithm_is_as_if_a_request_had_not_come_that_does_not_count() {
    for name in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
        let quota = "10/minute".parse().unwrap();
        let algorithm = Algorithm::named(name, quota).unwrap();
        let counting = failures("10/minute").with_algorithm(algorithm).unwrap();
        let (clock, limiter) = limiter([counting]);
        end(&limiter, begin(&limiter, "a").unwrap(), 401);
        clock.advance(10);
        let peeked = {
            let policies = limiter.policies(["failures"]).unwrap();
            let peek = || limiter.peek(&policies, Cost::ONE, &Client::user("a")).wait().unwrap();
            let (before, decision) = (peek(), begin(&limiter, "a").unwrap());
            let settled = end(&limiter, decision, 204);
            let (told, there) = (standings(&settled)[0], standings(&before)[0]);
            assert_eq!((told.remaining, told.retry), (there.remaining, there.retry), "{name}");
            // A log may be whole again a little earlier than it tells.
            assert!(told.reset_after >= there.reset_after, "{name}: {told:?}, {there:?}");
            assert_eq!(standings(&peek()), standings(&before), "{name}");
            let decision = begin(&limiter, "a").unwrap();
            // The handler takes its time.
            clock.advance(50);
            end(&limiter, decision, 204);
            peek()
        };
        assert_eq!(remaining(&peeked), [9], "{name}");
    }
}

#[test]
fn only_policies_that_count_by_outcome_give_back() {
    let all = policy("all", "9/minute", OnStoreFailure::Local);
    let served = policy("served", "9/minute", OnStoreFailure::Local).with_refund_on(on("5xx"));
    let (_, limiter) = limiter([all, failures("9/minute"), served]);
    let told = |status| remaining(&end(&limiter, begin(&limiter, "a").unwrap(), status));
    assert_eq!(told(200), [8, 9, 8]);
    assert_eq!(told(401), [7, 8, 7]);
    assert_eq!(told(503), [6, 8, 7]);
}

#[test]
fn a_receipt_is_made_only_for_who_settles_what_counts_by_outcome() {
    let (_, limiter) = limiter([failures("9/minute")]);
    let receipt = |limiter: &Limiter, settles| match decided(pin!(
        limiter.admit(&Login { user: "a", settles })
    )) {
        Admission::Passes(Some(decision)) => decision.receipt().is_some(),
        other => panic!("{other:?}"),
    };
    assert_eq!([receipt(&limiter, true), receipt(&limiter, false)], [true, false]);
    let (_, plain) = self::limiter([policy("all", "9/minute", OnStoreFailure::Local)]);
    assert!(!receipt(&plain, true) && plain.settler().is_none());
}

#[test]
fn a_policy_that_is_tried_out_counts_by_outcome_as_well() {
    let candidate =
        Rollout::Enforce { share: Share::ALL, candidate: Some("1/minute".parse().unwrap()) };
    let tried = [
        failures("1/minute").with_rollout(Rollout::Shadow).unwrap(),
        failures("9/minute").with_rollout(candidate).unwrap(),
    ];
    for policy in tried {
        let seen = Arc::new(Seen::default());
        let limiter = builder_at(&Arc::new(ManualClock::new(1_000_000)))
            .policy(policy)
            .route("/login", ["failures"], [])
            .observer(seen.clone())
            .build()
            .unwrap();
        for status in [200, 200, 401, 200, 401] {
            end(&limiter, begin(&limiter, "a").unwrap(), status);
        }
        let trials = seen.trials.lock().unwrap().clone();
        assert_eq!(trials, [true, true, true, false, false], "{limiter:?}");
    }
}

/// What an observer learns: whether trials admit, and the units that were given back.
#[derive(Debug, Default)]
struct Seen {
    trials: Mutex<Vec<bool>>,
    refunds: Mutex<Vec<Result<u64, StoreErrorKind>>>,
}

impl Observer for Seen {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        self.trials.lock().unwrap().extend(event.trials.iter().map(|it| it.admits));
    }

    fn on_refund(&self, event: &RefundEvent<'_>) {
        assert_eq!(event.policy.name(), "failures");
        self.refunds.lock().unwrap().push(event.units);
    }
}

/// A memory store that gives nothing back, because it is away by then; or that is away always.
#[derive(Debug)]
struct Away {
    memory: Option<MemoryStore>,
    kind: StoreErrorKind,
}

impl Store for Away {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        match &self.memory {
            Some(memory) => memory.acquire(acquire),
            None => Answer::ready(Err(StoreError::new(self.kind))),
        }
    }

    fn reset(&self, _: Vec<Key>) -> Answer<()> {
        Answer::ready(Ok(()))
    }

    fn refund(&self, _: Vec<Refund>) -> Answer<Vec<Refunded>> {
        Answer::ready(Err(StoreError::new(self.kind)))
    }
}

fn over(away: Away) -> (Arc<Seen>, Limiter) {
    let seen = Arc::new(Seen::default());
    let limiter = Limiter::builder(Arc::new(away))
        .local(Arc::new(MemoryStore::new(100)))
        .policy(failures("3/day"))
        .route("/login", ["failures"], [])
        .observer(seen.clone())
        .build();
    (seen, limiter.unwrap())
}

#[test]
fn if_the_store_fails_at_the_refund_the_charge_stands_and_somebody_learns_of_it() {
    let memory = Some(MemoryStore::new(100));
    let (seen, limiter) = over(Away { memory, kind: StoreErrorKind::TimedOut });
    let settled = end(&limiter, begin(&limiter, "a").unwrap(), 200);
    assert_eq!(remaining(&settled), [2]);
    assert_eq!(seen.refunds.lock().unwrap()[..], [Err(StoreErrorKind::TimedOut)]);
}

#[test]
fn what_this_process_counted_in_place_of_the_store_is_given_back_here() {
    let (seen, limiter) = over(Away { memory: None, kind: StoreErrorKind::Unreachable });
    for _ in 0..5 {
        let settled = end(&limiter, begin(&limiter, "a").unwrap(), 200);
        assert_eq!(remaining(&settled), [3]);
    }
    assert_eq!(seen.refunds.lock().unwrap()[..], [Ok(1); 5]);
    end(&limiter, begin(&limiter, "a").unwrap(), 401);
    let fallback = limiter.0.fallback.as_ref().unwrap();
    let owed = crate::store::Debtor::debts(&**fallback, 9);
    assert_eq!(owed.iter().map(|debt| debt.count).collect::<Vec<_>>(), [1], "what counts is owed");
}

#[test]
fn what_may_have_been_charged_in_the_store_too_is_not_given_back() {
    let (seen, limiter) = over(Away { memory: None, kind: StoreErrorKind::TimedOut });
    for left in [2, 1, 0] {
        let settled = end(&limiter, begin(&limiter, "a").unwrap(), 200);
        assert_eq!(remaining(&settled), [left]);
    }
    assert!(begin(&limiter, "a").is_none() && seen.refunds.lock().unwrap().is_empty());
}

#[test]
fn a_receipt_is_settled_once() {
    let (_, limiter) = limiter([failures("3/minute")]);
    let receipt = || -> Receipt {
        let decision = begin(&limiter, "a").unwrap();
        decision.receipt().unwrap().to_string().parse().unwrap()
    };
    let settle = |receipt: &Receipt, status| {
        let given = decided(pin!(limiter.settle(receipt, status))).unwrap();
        let units: Vec<_> = given.units().map(|(name, units)| (name.to_owned(), units)).collect();
        (units, given.is_repeated())
    };
    let (right, wrong) = (receipt(), receipt());
    assert_eq!(settle(&wrong, 401).0, []);
    assert_eq!(settle(&right, 200), (vec![("failures".to_owned(), 1)], false));
    assert_eq!(settle(&right, 200), (vec![("failures".to_owned(), 0)], true));
    // It was settled, so it cannot be refunded either.
    assert!(decided(pin!(limiter.refund(&right))).unwrap().is_repeated());
    assert_eq!((0..5).filter_map(|_| begin(&limiter, "a")).count(), 2);
}

#[test]
fn a_receipt_of_another_process_gives_nothing_back_here() {
    let (_, limiter) = over(Away { memory: None, kind: StoreErrorKind::Unreachable });
    let own = begin(&limiter, "a").unwrap().receipt().unwrap().to_string();
    let (process, rest) = own.split_at(18);
    let other = process.chars().map(|it| if it == '1' { '2' } else { '1' }).skip(2);
    let other: Receipt = format!("1p{}{rest}", other.collect::<String>()).parse().unwrap();
    let units = |receipt: &Receipt| {
        let given = decided(pin!(limiter.settle(receipt, 200))).unwrap();
        given.units().map(|(_, units)| units).collect::<Vec<_>>()
    };
    assert_eq!(units(&other), [0]);
    assert_eq!(units(&own.parse().unwrap()), [1]);
}
