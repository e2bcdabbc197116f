//! Redis is killed and restarted under traffic: every request is answered as its policy says, and Redis
//! is used again when it is back.

use std::fs;
use std::sync::Arc;

use tollgate::store::{Acquire, Store};
use tollgate::{OnStoreFailure, RedisOptions, RedisStore};

use crate::support::child::{self, TestProcess};
use crate::support::redis::Server;
use crate::support::stores::{HOUR, charge, dump, policy};
use crate::support::threads::until;
use crate::support::traffic::{admitted, answer, check, limiter, options, store, under_traffic};

#[test]
fn no_request_fails_while_redis_is_killed_and_restarted() {
    for rule in [OnStoreFailure::Local, OnStoreFailure::Allow] {
        let mut server = Server::start();
        let store = store(&options(&server.url()));
        let limiter = limiter(&store, 5, rule);
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
        assert!(check(&again, "late").expect("a decision").is_allowed());
        let is_late = |key: &[u8]| key.starts_with(b"tollgate:{user:late}:");
        let counted = dump(&server).keys().any(|key| is_late(key));
        assert!(counted, "{rule:?}: it counts in Redis again");
    }
}

#[test]
fn without_redis_each_rule_decides() {
    let mut server = Server::start();
    let store = store(&options(&server.url()));
    let [local, allow, deny] = [OnStoreFailure::Local, OnStoreFailure::Allow, OnStoreFailure::Deny]
        .map(|rule| limiter(&store, 5, rule));
    assert!(check(&deny, "a").expect("a decision").is_allowed());
    server.kill();
    assert_eq!(admitted(&local, "b", 9), 5);
    assert_eq!(admitted(&allow, "b", 9), 9);
    for _ in 0..9 {
        check(&deny, "b").expect_err("nobody may say whether it passes");
    }
    server.restart();
    until("the store is taken up", || store.is_up());
    assert_eq!(admitted(&deny, "c", 9), 5);
}

#[test]
fn a_store_that_starts_without_redis_takes_it_up() {
    let mut server = Server::start();
    server.stop();
    let options = RedisOptions::new(server.url());
    let store = Arc::new(RedisStore::start(&options).expect("a store that is down"));
    assert!(!store.is_up());
    let local = limiter(&store, 5, OnStoreFailure::Local);
    assert!(check(&local, "a").expect("a decision").is_allowed());
    server.restart();
    until("the store is taken up", || store.is_up());
    assert!(check(&local, "a").expect("a decision").is_allowed());
    assert_eq!(dump(&server).len(), 1);
}

#[test]
fn a_store_that_is_dropped_ends_its_threads() {
    let server = Server::start();
    for (what, url) in [("up", server.url()), ("down", format!("{}.gone", server.url()))] {
        let mut process = TestProcess::start("outage::a_process_that_drops_stores", &url);
        process.go();
        assert_eq!(process.value_of("during"), 5, "{what}");
        assert_eq!(process.value_of("after"), 0, "{what}");
    }
}

#[test]
#[ignore = "runs as a process whose threads are counted"]
fn a_process_that_drops_stores() {
    let Some(url) = child::begin() else { return };
    let store = RedisStore::start(&RedisOptions::new(url)).expect("a store, up or down");
    let own = charge("a", &policy("p", "fixed-window", 5, HOUR));
    let _ = store.acquire(&Acquire::new(vec![own], 1)).wait();
    // Four dispatchers and a probe, each named once it runs.
    until("all threads run", || threads() == 5);
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
