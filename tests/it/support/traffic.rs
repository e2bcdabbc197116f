//! Requests from several threads while something happens to their Redis, and a count of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tollgate::store::Store;
use tollgate::{
    Client, Cost, Decision, Limiter, ManualClock, MemoryStore, OnStoreFailure, RedisOptions,
    RedisStore, Unavailable,
};

use super::stores::{HOUR, NOW, policy};
use super::threads::{start, until};

/// How many threads ask at once.
pub(crate) const THREADS: usize = 3;

/// How a store is reached by these tests: with little patience, and by a clock that stands still.
pub(crate) fn options(url: &str) -> RedisOptions {
    let clock = Arc::new(ManualClock::new(NOW));
    let timeout = Duration::from_millis(100);
    RedisOptions::new(url).clock(clock).timeout(timeout)
}

/// The store of these options, once it is up.
pub(crate) fn store(options: &RedisOptions) -> Arc<RedisStore> {
    let store = Arc::new(RedisStore::start(options).expect("a store, up or down"));
    until("the store is up", || store.is_up());
    store
}

/// A limiter of `units` an hour, with `rule` for when the store fails.
pub(crate) fn limiter(store: &Arc<RedisStore>, units: u64, rule: OnStoreFailure) -> Limiter {
    limiter_of("fixed-window", store, units, rule)
}

/// The same under another algorithm.
pub(crate) fn limiter_of(
    algorithm: &str,
    store: &Arc<RedisStore>,
    units: u64,
    rule: OnStoreFailure,
) -> Limiter {
    let clock = Arc::new(ManualClock::new(NOW));
    let policy = policy("p", algorithm, units, HOUR).as_ref().clone();
    let store: Arc<dyn Store> = store.clone();
    Limiter::builder(store)
        .policy(policy.with_on_store_failure(rule))
        .local(Arc::new(MemoryStore::with_clock(100_000, clock)))
        .build()
        .expect("one policy")
}

pub(crate) fn check(limiter: &Limiter, user: &str) -> Result<Decision, Unavailable> {
    let policies = limiter.policies(["p"]).expect("it exists");
    limiter.check(&policies, Cost::ONE, &Client::user(user)).wait()
}

/// How many of `count` requests of `user` are admitted.
pub(crate) fn admitted(limiter: &Limiter, user: &str, count: usize) -> usize {
    (0..count).filter(|_| check(limiter, user).expect("a decision").is_allowed()).count()
}

/// Has three threads call `traffic` with their number and the number of the call, again and again,
/// while `operate` goes through an outage; it is given the count of calls that were answered.
pub(crate) fn under_traffic(
    traffic: impl Fn(usize, usize) + Send + Sync + 'static,
    operate: impl FnOnce(&AtomicUsize),
) {
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let (ends, counts) = (over.clone(), answered.clone());
    let threads = start(THREADS, move |thread| {
        let mut calls = 0;
        while !ends.load(Ordering::SeqCst) {
            traffic(thread, calls);
            counts.fetch_add(1, Ordering::SeqCst);
            calls += 1;
        }
    });
    operate(&answered);
    over.store(true, Ordering::SeqCst);
    threads.join();
}

/// Waits until `more` calls were answered.
pub(crate) fn answer(more: usize, answered: &AtomicUsize) {
    let goal = answered.load(Ordering::SeqCst) + more;
    until("requests are answered", || answered.load(Ordering::SeqCst) >= goal);
}
