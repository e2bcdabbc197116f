//! Policies that count by outcome: requests under way and failures together never exceed the quota, and what does not count
//! is given back, on each store.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use tollgate::store::Store;
use tollgate::{
    Admission, Client, Cost, Incoming, KeySource, Limiter, MemoryStore, MonotonicClock, Policy,
    RedisStore, Refused, Rollout, Statuses,
};

use crate::support::cluster::Cluster;
use crate::support::redis::Server;
use crate::support::stores::{each_policy, patient};
use crate::support::threads::{together, until};

const QUOTA: u64 = 7;
const PROCESSES: usize = 3;
const THREADS: usize = 9;
const REQUESTS: usize = 40;
/// No test lives so long.
const YEAR: u64 = 364 * 24 * 3_600_000;

/// A login of `user`, about which somebody will tell how it ended.
struct Login(String);

impl Incoming for Login {
    fn method(&self) -> &str {
        "POST"
    }

    fn path(&self) -> &str {
        "/login"
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        ask(&Client::user(&self.0))
    }

    fn settles(&self) -> bool {
        true
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The output of `future`, for which this thread waits.
fn block_on<F: Future>(future: F) -> F::Output {
    let (mut future, waker) = (pin!(future), Arc::new(Unpark(thread::current())).into());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Limiters of several processes over the store that `store` reaches.
fn processes(policy: &Policy, store: impl Fn() -> Arc<dyn Store>) -> Vec<Limiter> {
    let limiter = |_| {
        Limiter::builder(store())
            .policy(policy.clone())
            .route("/login", [policy.name()], [])
            .deny_cache(Duration::from_millis(20), Arc::new(MonotonicClock::start()))
            .build()
            .expect("a limiter")
    };
    (0..PROCESSES).map(limiter).collect()
}

/// Has many clients of one user log in at once, every third of them with the right password. Returns how many failed.
fn log_in(limiters: &[Limiter], user: &str) -> u64 {
    let ledger = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let (limiters, user) = (Arc::new(limiters.to_vec()), user.to_owned());
    let seen = ledger.clone();
    together(THREADS, move |thread| {
        let limiter = &limiters[thread % limiters.len()];
        let [used, failed] = &*seen;
        for number in 0..REQUESTS {
            let decision = match block_on(limiter.admit(&Login(user.clone()))) {
                Admission::Passes(Some(decision)) => decision,
                Admission::Refused(Refused::Denied(_)) => continue,
                other => panic!("{other:?}"),
            };
            let under_way_or_failed = used.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(under_way_or_failed <= QUOTA, "{under_way_or_failed}");
            let receipt = decision.receipt().expect("a receipt");
            let is_right = (thread + number) % 3 == 0;
            if is_right {
                used.fetch_sub(1, Ordering::SeqCst);
            } else {
                failed.fetch_add(1, Ordering::SeqCst);
            }
            block_on(limiter.settle(receipt, if is_right { 200 } else { 401 }))
                .expect("it settles");
        }
    });
    ledger[1].load(Ordering::SeqCst)
}

/// What is left of the quota of `user`.
fn remaining(limiter: &Limiter, name: &str, user: &str) -> u64 {
    let policies = limiter.policies([name]).expect("the policy");
    let peek = limiter.peek(&policies, Cost::ONE, &Client::user(user)).wait().expect("it answers");
    peek.policies().map(|(_, standing)| standing.remaining).sum()
}

fn failures(policy: &Policy) -> Policy {
    policy.clone().with_charge_on(Statuses::new(["401"]).expect("statuses"))
}

fn no_more_fail_than_the_quota(store: impl Fn() -> Arc<dyn Store>) {
    for policy in each_policy(QUOTA, YEAR) {
        let limiters = processes(&failures(&policy), &store);
        for user in ["ann", "bob"] {
            let failed = log_in(&limiters, user);
            assert!(failed > 0 && failed <= QUOTA, "{failed} under {}", policy.name());
            // A bucket does not give back what flowed back meanwhile. So it may take a moment until it is as full.
            until("all others were given back", || {
                failed + remaining(&limiters[0], policy.name(), user) == QUOTA
            });
        }
    }
}

#[test]
fn no_more_fail_than_the_quota_in_memory() {
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new(10_000));
    no_more_fail_than_the_quota(|| memory.clone());
}

#[test]
fn no_more_fail_than_the_quota_in_redis() {
    let server = Server::start();
    let store = || -> Arc<dyn Store> {
        Arc::new(RedisStore::start(&patient(&server.url())).expect("it answers"))
    };
    no_more_fail_than_the_quota(store);
}

#[test]
fn no_more_fail_than_the_quota_in_a_cluster() {
    let cluster = Cluster::start();
    let store = || -> Arc<dyn Store> {
        Arc::new(RedisStore::start(&patient(&cluster.url())).expect("it answers"))
    };
    no_more_fail_than_the_quota(store);
}

/// What is tried out is given back as well, in Redis and where its key is in another slot of a cluster.
#[test]
fn a_policy_in_shadow_counts_only_what_it_would_count_in_force() {
    let (server, cluster) = (Server::start(), Cluster::start());
    for url in [server.url(), cluster.url()] {
        for policy in each_policy(QUOTA, YEAR) {
            let in_force = failures(&policy).with_key(KeySource::Global);
            let shadow = in_force.clone().with_rollout(Rollout::Shadow).expect("no candidate");
            let store = Arc::new(RedisStore::start(&patient(&url)).expect("it answers"));
            let in_force = Limiter::builder(store.clone()).policy(in_force).build();
            let limiter = Limiter::builder(store)
                .policy(shadow)
                .policy(Policy::new("all", "1000/day".parse().expect("a quota")).expect("a name"))
                .route("/login", ["all", policy.name()], [])
                .build()
                .expect("a limiter");
            for status in [200, 401, 200, 200, 401] {
                let Admission::Passes(Some(decision)) =
                    block_on(limiter.admit(&Login("ann".to_owned())))
                else {
                    panic!("it is denied");
                };
                let receipt = decision.receipt().expect("a receipt");
                let given = block_on(limiter.settle(receipt, status)).expect("it settles");
                assert_eq!(given.units().len(), 0, "nothing of a policy in force");
            }
            let left = remaining(&in_force.expect("a limiter"), policy.name(), "ann");
            assert_eq!(left, QUOTA - 2, "{}", policy.name());
        }
    }
}
