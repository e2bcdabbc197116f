use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::client::Client;
use crate::clock::ManualClock;
use crate::key::Identity;
use crate::limiter::Limiter;
use crate::policy::Policy;
use crate::quota::Cost;
use crate::store::{Answer, Key, MemoryStore, Store};

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
            .policy(Policy::new("p", "1/minute".parse().unwrap()).unwrap())
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
    assert_eq!(trial.asked(), 1 + 3);
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
fn many_denials_take_no_more_room_than_they_may() {
    let clock = Arc::new(ManualClock::new(MINUTE));
    let cache = DenyCache::new(Duration::from_secs(1), clock.clone());
    let policy = Arc::new(Policy::new("p", "1/minute".parse().unwrap()).unwrap());
    let keyspace = crate::store::Keyspace::new("t");
    let standing = Standing { remaining: 0, reset_after: 9, retry: Retry::After(MINUTE) };
    let denied = Acquired { admitted: 0, standings: vec![standing] };
    for user in 0..3 * MAX_DENIALS {
        let key = keyspace.key(&Identity::user(user.to_string()), &policy);
        let charges = vec![crate::store::Charge { policy: policy.clone(), key }];
        let asked = Acquire { charges, cost: Cost::ONE, count: 1 };
        cache.remember(&asked, clock.now(), &denied);
    }
    let held = |shard| {
        let denials = lock(shard);
        denials.young.len() + denials.old.len()
    };
    let held: usize = cache.shards.iter().map(held).sum();
    assert!((MAX_DENIALS / 4..=MAX_DENIALS).contains(&held), "{held}");
}

/// Runs a future of a store that answers at once.
fn ready<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("the store answers at once"),
    }
}
