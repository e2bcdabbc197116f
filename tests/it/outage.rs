//! Redis is killed, paused and restarted under traffic: every request is answered, by the rule of
//! its policy, and Redis is taken up again.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tollgate::{
    Acquire, Client, Cost, Decision, Limiter, ManualClock, MemoryStore, OnStoreFailure, Policy,
    RedisOptions, RedisStore, Store, Unavailable,
};

use crate::support::child::{self, Process};
use crate::support::redis::Server;
use crate::support::stores::{HOUR, MINUTE, NOW, charge, dump, policy};
use crate::support::threads::until;
use crate::support::traffic::{answer, under_traffic};

/// A store as the configuration makes it, but for a clock that stands still.
fn store(server: &Server) -> Arc<RedisStore> {
    let clock = Arc::new(ManualClock::new(NOW));
    let timeout = Duration::from_millis(100);
    let options = RedisOptions { clock: Some(clock), timeout, ..RedisOptions::new(server.url()) };
    let store = Arc::new(RedisStore::start(&options).expect("a store, up or down"));
    until("the store is up", || store.is_up());
    store
}

/// A limiter of 5 requests an hour, with `rule` for when the store fails.
fn limiter(store: &Arc<RedisStore>, rule: OnStoreFailure) -> Limiter {
    let clock = Arc::new(ManualClock::new(NOW));
    let policy = Policy::clone(&policy("p", "fixed-window", 5, HOUR));
    let store: Arc<dyn Store> = store.clone();
    Limiter::builder(store)
        .policy(policy.with_on_store_failure(rule))
        .local(Arc::new(MemoryStore::with_clock(100_000, clock)))
        .build()
        .expect("one policy")
}

fn check(limiter: &Limiter, user: &str) -> Result<Decision, Unavailable> {
    let policies = limiter.policies(["p"]).expect("it exists");
    limiter.check(&policies, Cost::ONE, &Client::user(user)).wait()
}

#[test]
fn no_request_fails_while_redis_is_killed_and_restarted() {
    for rule in [OnStoreFailure::Local, OnStoreFailure::Allow] {
        let mut server = Server::start();
        let store = store(&server);
        let limiter = limiter(&store, rule);
        let again = limiter.clone();
        under_traffic(
            move |thread, call| {
                let decision = check(&limiter, &format!("{thread} {}", call / 9));
                decision.unwrap_or_else(|error| panic!("{rule:?}: {error}"));
            },
            |answered| {
                answer(100, answered);
                server.kill();
                answer(100, answered);
                assert!(!store.is_up(), "{rule:?}");
                server.restart();
                until("the store is taken up", || store.is_up());
                answer(100, answered);
            },
        );
        let of_all = dump(&server).len();
        assert!(check(&again, "late").expect("a decision").is_allowed());
        assert_eq!(dump(&server).len(), of_all + 1, "{rule:?}: it counts in Redis again");
    }
}

#[test]
fn without_redis_each_rule_decides() {
    let mut server = Server::start();
    let store = store(&server);
    let [local, allow, deny] = [OnStoreFailure::Local, OnStoreFailure::Allow, OnStoreFailure::Deny]
        .map(|rule| limiter(&store, rule));
    assert!(check(&deny, "a").expect("a decision").is_allowed());
    server.kill();
    let admitted = |limiter: &Limiter, user: &str| {
        (0..9).filter(|_| check(limiter, user).expect("a decision").is_allowed()).count()
    };
    assert_eq!(admitted(&local, "b"), 5);
    assert_eq!(admitted(&allow, "b"), 9);
    for _ in 0..9 {
        check(&deny, "b").expect_err("nobody may say whether it passes");
    }
    server.restart();
    until("the store is taken up", || store.is_up());
    assert_eq!(admitted(&deny, "b"), 5);
}

#[test]
fn a_store_that_starts_without_redis_takes_it_up() {
    let mut server = Server::start();
    server.stop();
    let options = RedisOptions::new(server.url());
    let store = Arc::new(RedisStore::start(&options).expect("a store that is down"));
    assert!(!store.is_up());
    let local = limiter(&store, OnStoreFailure::Local);
    assert!(check(&local, "a").expect("a decision").is_allowed());
    server.restart();
    until("the store is taken up", || store.is_up());
    assert!(check(&local, "a").expect("a decision").is_allowed());
    assert_eq!(dump(&server).len(), 1);
}

#[test]
fn a_paused_redis_hangs_nobody_and_its_late_replies_are_nobodys_verdict() {
    let server = Server::start();
    let store = store(&server);
    let operated = store.clone();
    let (lowest, decided) = ([(); 3].map(|()| Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
    let seen = decided.clone();
    under_traffic(
        move |thread, _| {
            // Of each thread's own: a reply to another does not fit.
            let cost = [3, 5, 7][thread];
            let units = 1_000_000_000 * cost;
            let own = policy("p", "fixed-window", units, 1_000 * MINUTE);
            let cost = Cost::new(cost).expect("a cost");
            let charges = vec![charge(&format!("user {thread}"), &own)];
            let Ok(answer) = store.acquire(Acquire { charges, cost, count: 1 }).wait() else {
                return;
            };
            decided.fetch_add(1, Ordering::SeqCst);
            let remaining = answer.standings[0].remaining;
            assert_eq!(answer.admitted, 1);
            assert!((units - remaining).is_multiple_of(cost.units()), "{remaining} of {units}");
            let most = lowest[thread].lock().expect("no other's").replace(remaining);
            let most = most.unwrap_or(units);
            assert!(remaining < most, "{remaining} of {units}, though {most} were left");
            // What timed out may have been charged, but not as much as this.
            assert!(most - remaining < 100 * cost.units(), "{remaining}, after {most}");
        },
        |answered| {
            for _ in 0..3 {
                answer(100, answered);
                server.pause();
                until("the store goes down", || !operated.is_up());
                answer(100, answered);
                server.resume();
                until("the store is taken up", || operated.is_up());
                answer(100, &seen);
            }
        },
    );
}

#[test]
fn a_store_that_is_dropped_ends_its_threads() {
    let server = Server::start();
    for (what, url) in [("up", server.url()), ("down", format!("{}.gone", server.url()))] {
        let mut process = Process::start("outage::a_process_that_drops_stores", &url);
        process.go();
        assert_eq!(process.value_of("during"), 3, "{what}");
        assert_eq!(process.value_of("after"), 0, "{what}");
    }
}

#[test]
#[ignore = "runs as a process whose threads are counted"]
fn a_process_that_drops_stores() {
    let Some(url) = child::begin() else { return };
    let store = RedisStore::start(&RedisOptions::new(url)).expect("a store, up or down");
    let own = charge("a", &policy("p", "fixed-window", 5, HOUR));
    let _ = store.acquire(Acquire { charges: vec![own], cost: Cost::ONE, count: 1 }).wait();
    // Two dispatchers and a probe, each named once it runs.
    until("all threads run", || threads() == 3);
    child::tell("during", threads());
    drop(store);
    until("the threads end", || threads() == 0);
    child::tell("after", threads());
}

/// How many threads of stores this process has.
pub(crate) fn threads() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("this process's threads");
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("tollgate-")).count() as u64
}
