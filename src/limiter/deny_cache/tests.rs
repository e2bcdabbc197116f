use std::sync::atomic::{AtomicU64, Ordering};

use super::answer_cache::MAX_ANSWERS;
use super::*;
use crate::domain::client::Client;
use crate::domain::clock::ManualClock;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::limiter::Limiter;
use crate::store::{Answer, Charge, Key, Keyspace, MemoryStore, Refund, Refunded, Store};

mod gate;
mod given_back;
mod reopened;

const MINUTE: Millis = 60_000;

/// A memory store that counts how often it is asked.
#[derive(Debug)]
struct Counting(MemoryStore, AtomicU64);

impl Store for Counting {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.acquire(acquire)
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.0.reset(keys)
    }

    fn refund(&self, refunds: Vec<Refund>) -> Answer<Vec<Refunded>> {
        self.0.refund(refunds)
    }
}

fn policy(name: &str, quota: &str) -> Policy {
    Policy::new(name, quota.parse().unwrap()).unwrap()
}

struct Trial {
    clock: Arc<ManualClock>,
    store: Arc<Counting>,
    limiter: Limiter,
}

impl Trial {
    /// A limiter of one unit per minute that remembers denials for a second.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
        let memory = MemoryStore::with_clock(100, clock.clone());
        let store = Arc::new(Counting(memory, AtomicU64::new(0)));
        let limiter = Limiter::builder(store.clone())
            .policy(policy("p", "1/minute"))
            .deny_cache(Duration::from_secs(1), clock.clone())
            .build()
            .unwrap();
        Self { clock, store, limiter }
    }

    fn check(&self, user: &str, cost: u64) -> (bool, Option<Duration>) {
        let policies = self.limiter.policies(["p"]).unwrap();
        let cost = Cost::new(cost).unwrap();
        let check = self.limiter.check(&policies, cost, &Client::user(user));
        let decision = check.wait().unwrap();
        (decision.is_allowed(), decision.retry_after())
    }

    fn asked(&self) -> u64 {
        self.store.1.load(Ordering::SeqCst)
    }
}

#[test]
fn a_denial_is_not_asked_for_again_until_it_is_too_old() {
    let trial = Trial::new();
    assert!(trial.check("a", 1).0);
    for waited in 0..3_000 {
        let wait = Duration::from_millis(MINUTE - waited);
        assert_eq!(trial.check("a", 1), (false, Some(wait)));
        trial.clock.advance(1);
    }
    // The request that was admitted has used up the quota: the next ones are known to be denied.
    assert_eq!(trial.asked(), 1 + 2);
}

#[test]
fn a_check_and_a_peek_are_denied_by_what_the_other_was_answered() {
    for peeks_first in [true, false] {
        let trial = Trial::new();
        assert!(trial.check("a", 1).0);
        // What that was answered is too old.
        trial.clock.advance(1_000);
        let policies = trial.limiter.policies(["p"]).unwrap();
        let ask = |peeks: bool| {
            let client = Client::user("a");
            let (limiter, cost) = (&trial.limiter, Cost::ONE);
            let ask = match peeks {
                true => limiter.peek(&policies, cost, &client),
                false => limiter.check(&policies, cost, &client),
            };
            let decision = ask.wait().unwrap();
            let standings: Vec<_> = decision.policies().map(|(_, standing)| *standing).collect();
            (decision.is_allowed(), standings)
        };
        let wait = MINUTE - 1_000;
        let standing = Standing { remaining: 0, reset_after: wait, retry: Retry::After(wait) };
        let denied = (false, vec![standing]);
        assert_eq!([ask(peeks_first), ask(!peeks_first)], [denied.clone(), denied.clone()]);
        assert_eq!([ask(peeks_first), ask(!peeks_first)], [denied.clone(), denied]);
        assert_eq!(trial.asked(), 2, "a peek first: {peeks_first}");
        // Another cost is another question.
        let two = trial.limiter.peek(&policies, Cost::new(2).unwrap(), &Client::user("a"));
        assert_eq!(two.wait().unwrap().retry_after(), None);
        assert_eq!(trial.asked(), 3);
    }
}

/// A peek reports all of its policies, also those that do not deny.
#[test]
fn a_peek_reports_what_is_true_now() {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    let limiter = Limiter::builder(Arc::new(MemoryStore::with_clock(100, clock.clone())))
        .policy(policy("closed", "1/minute"))
        .policy(policy("open", "5/minute"))
        .deny_cache(Duration::from_secs(1), clock)
        .build()
        .unwrap();
    let check = |names: &[&str]| {
        let policies = limiter.policies(names).unwrap();
        limiter.check(&policies, Cost::ONE, &Client::user("a")).wait().unwrap().is_allowed()
    };
    let both = limiter.policies(["closed", "open"]).unwrap();
    let remaining = || {
        let report = limiter.peek(&both, Cost::ONE, &Client::user("a")).wait().unwrap();
        report.policies().map(|(_, standing)| standing.remaining).collect::<Vec<_>>()
    };
    assert!(check(&["closed", "open"]) && !check(&["closed", "open"]));
    assert_eq!(remaining(), [0, 4]);
    assert!(check(&["open"]));
    assert_eq!(remaining(), [0, 3], "though the denial of both is remembered");
}

#[test]
fn a_gate_that_opens_is_found_open_to_the_millisecond() {
    let trial = Trial::new();
    assert!(trial.check("a", 1).0);
    trial.clock.advance(MINUTE - 1);
    assert_eq!(trial.check("a", 1), (false, Some(Duration::from_millis(1))));
    trial.clock.advance(1);
    assert!(trial.check("a", 1).0);
}

#[test]
fn a_denial_is_of_one_key_and_one_cost() {
    let trial = Trial::new();
    assert_eq!(trial.check("a", 2), (false, None), "it costs more than the quota");
    assert!(trial.check("b", 1).0);
    assert!(trial.check("a", 1).0);
}

#[test]
fn a_reset_is_seen_at_once() {
    let trial = Trial::new();
    assert!(trial.check("a", 1).0);
    assert!(!trial.check("a", 1).0);
    let policies = trial.limiter.policies(["p"]).unwrap();
    ready(trial.limiter.reset(&policies, &Client::user("a"))).unwrap();
    assert!(trial.check("a", 1).0);
}

#[test]
fn a_denial_under_one_plan_says_nothing_under_another() {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    let policy = Policy::new("p", "1/minute".parse().unwrap()).unwrap();
    let policy = policy.with_plan("pro", "3/minute".parse().unwrap()).unwrap();
    let limiter = Limiter::builder(Arc::new(MemoryStore::with_clock(100, clock.clone())))
        .policy(policy)
        .deny_cache(Duration::from_secs(1), clock)
        .build()
        .unwrap();
    let policies = limiter.policies(["p"]).unwrap();
    let (free, pro) = (Client::user("a"), Client::user("a").with_plan("pro"));
    let allowed = |client| limiter.check(&policies, Cost::ONE, client).wait().unwrap().is_allowed();
    let seen = [&free, &free, &pro, &free, &pro, &pro, &free].map(allowed);
    assert_eq!(seen, [true, false, true, false, true, false, false]);
}

#[test]
fn what_is_remembered_takes_no_more_room_than_it_may() {
    let clock = Arc::new(ManualClock::new(MINUTE));
    let cache = DenyCache::new(Duration::from_secs(1), clock);
    let policy = Arc::new(policy("p", "1/minute"));
    let keyspace = Keyspace::new("t");
    let standing = |retry| Standing { remaining: 0, reset_after: 9, retry };
    for user in 0..3 * MAX_ANSWERS {
        let key = keyspace.key(&Identity::user(user.to_string()), &policy);
        let charges = vec![Charge::new(policy.clone(), key)];
        let asked = Acquire::new(charges, 0);
        let moment = cache.moment(Purpose::Gate);
        let retry = if user % 2 == 0 { Retry::After(MINUTE) } else { Retry::Now };
        let acquired = Acquired::new(0, vec![standing(retry)]);
        cache.remember(&asked, moment, &acquired, || true);
    }
    for held in [cache.denials.len(), cache.open.len()] {
        assert!((MAX_ANSWERS / 4..=MAX_ANSWERS).contains(&held), "{held}");
    }
}

/// Runs a future of a store that answers at once.
fn ready<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("the store answers at once"),
    }
}
