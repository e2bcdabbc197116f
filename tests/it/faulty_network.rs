//! A relay delays, drops and cuts the traffic between a store and its Redis. No request gets another's
//! answer, and none waits without end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tollgate::store::{Acquire, Store};
use tollgate::{Cost, OnStoreFailure};

use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::stores::{MINUTE, charge, policy};
use crate::support::threads::{start, until};
use crate::support::traffic::{THREADS, answer, check, limiter, options, store, under_traffic};

/// Three threads, each with a key, a quota and a cost of its own, while `operate` does things to the
/// server or the proxy: every answer fits its thread alone, and none goes back. How many were
/// answered by Redis.
fn nobody_is_answered_anothers_verdict(
    operate: impl FnOnce(&Server, &Proxy, &dyn Fn() -> bool, &AtomicUsize),
) -> usize {
    let server = Server::start();
    let proxy = Proxy::to(server.socket());
    let store = store(&options(&proxy.url()));
    let (watched, decided) = (store.clone(), Arc::new(AtomicUsize::new(0)));
    let lowest = [(); THREADS].map(|()| Mutex::new(None));
    let counts = decided.clone();
    under_traffic(
        move |thread, _| {
            let cost = [3, 5, 7][thread];
            let units = 1_000_000_000 * cost;
            let own = policy("p", "fixed-window", units, 1_000 * MINUTE);
            let cost = Cost::new(cost).expect("a cost");
            let charges = vec![charge(&format!("user {thread}"), &own)];
            let asked = Acquire::new(charges, 1).at_cost(cost);
            let Ok(answer) = store.acquire(&asked).wait() else { return };
            counts.fetch_add(1, Ordering::SeqCst);
            let remaining = answer.standings[0].remaining;
            assert_eq!(answer.admitted, 1);
            let most = lowest[thread].lock().expect("no other's").replace(remaining);
            let most = most.unwrap_or(units);
            // A reply to another thread, of another quota, is off by far more; one to an earlier
            // question of this thread is not lower.
            assert!(remaining < most, "{remaining} of {units}, though {most} were left");
            assert!((units - remaining).is_multiple_of(cost.units()), "{remaining} of {units}");
            assert!(most - remaining < 1_000 * cost.units(), "{remaining}, after {most}");
        },
        |answered| operate(&server, &proxy, &|| watched.is_up(), answered),
    );
    decided.load(Ordering::SeqCst)
}

/// Lets some traffic pass after `begin`, until the store goes down, and then after `end`.
fn during(
    begin: impl Fn(&Server, &Proxy),
    end: impl Fn(&Server, &Proxy),
) -> impl FnOnce(&Server, &Proxy, &dyn Fn() -> bool, &AtomicUsize) {
    move |server, proxy, is_up, answered| {
        for _ in 0..3 {
            answer(50, answered);
            begin(server, proxy);
            until("the store goes down", || !is_up());
            answer(50, answered);
            end(server, proxy);
            until("the store is taken up", is_up);
            answer(50, answered);
        }
    }
}

/// The same with a fault of the proxy.
fn with(fault: Fault) -> impl FnOnce(&Server, &Proxy, &dyn Fn() -> bool, &AtomicUsize) {
    during(move |_, proxy| proxy.set(fault), |_, proxy| proxy.set(Fault::None))
}

#[test]
fn a_paused_redis_hangs_nobody_and_its_late_replies_are_nobodys_verdict() {
    let paused = during(|server, _| server.pause(), |server, _| server.resume());
    assert!(nobody_is_answered_anothers_verdict(paused) > 0);
}

#[test]
fn replies_that_come_late_are_nobodys_verdict() {
    assert!(nobody_is_answered_anothers_verdict(with(Fault::Late)) > 0);
}

#[test]
fn requests_that_are_swallowed_hang_nobody() {
    assert!(nobody_is_answered_anothers_verdict(with(Fault::Drop)) > 0);
}

#[test]
fn a_reply_that_is_cut_is_no_verdict() {
    for most in [0, 1, 5, 9] {
        let decided = nobody_is_answered_anothers_verdict(with(Fault::CutReplies(most)));
        assert!(decided > 0, "{most}");
    }
}

#[test]
fn connections_that_end_again_and_again_are_nobodys_verdict() {
    assert!(nobody_is_answered_anothers_verdict(with(Fault::Closed)) > 0);
}

#[test]
fn connections_that_are_lost_together_are_lost_once() {
    const CONNECTIONS: usize = 8;
    let server = Server::start();
    let proxy = Proxy::to(server.socket());
    let timeout = Duration::from_secs(10);
    let connections = CONNECTIONS;
    let store = store(&options(&proxy.url()).timeout(timeout).connections(connections));
    let limiter = limiter(&store, 1_000_000, OnStoreFailure::Allow);
    let asks = limiter.clone();
    proxy.set(Fault::Drop);
    // One after the other, and each a while after the last was sent, or they would share a call.
    let threads = [(); CONNECTIONS].map(|()| {
        let (asks, swallowed) = (asks.clone(), proxy.swallowed());
        let thread = start(1, move |_| check(&asks, "one").is_ok());
        let mut seen = 0;
        until("a request is under way, and was before", || {
            seen += usize::from(proxy.swallowed() > swallowed);
            seen == 2
        });
        thread
    });
    proxy.set(Fault::None);
    proxy.cut();
    assert!(threads.into_iter().all(|thread| thread.join() == [true]));
    check(&limiter, "one").expect("a decision");
    let status = store.status();
    assert_eq!((status.outages, status.failures, status.unanswered), (0, 8, 8), "{status:?}");
}

#[test]
fn connections_that_are_lost_while_they_are_made_are_no_outage() {
    let server = Server::start();
    let proxy = Proxy::to(server.socket());
    let timeout = Duration::from_secs(10);
    let store = store(&options(&proxy.url()).timeout(timeout).connections(1));
    let limiter = limiter(&store, 1_000_000, OnStoreFailure::Deny);
    proxy.set(Fault::Late);
    proxy.cut();
    let asks = start(1, move |_| check(&limiter, "one").is_ok());
    until("a connection is being made", || proxy.connections() > 0);
    proxy.cut();
    proxy.set(Fault::None);
    assert_eq!(asks.join(), [true], "the next connection is made");
    let status = store.status();
    assert_eq!((status.outages, status.unanswered), (0, 0), "{status:?}");
    // Another may have been on its way in the background.
    assert!((1..=2).contains(&status.failures), "{status:?}");
}

#[test]
fn a_redis_that_answers_too_slowly_is_given_up_though_it_answers() {
    let server = Server::start();
    let proxy = Proxy::to(server.socket());
    // A part takes long beside the limit only if a machine stands still for most of it.
    let timeout = Duration::from_secs(2);
    let store = store(&options(&proxy.url()).timeout(timeout));
    let limiter = limiter(&store, 1_000_000, OnStoreFailure::Deny);
    check(&limiter, "one").expect("an answer in time");
    proxy.set(Fault::Parts(12, Duration::from_millis(250)));
    check(&limiter, "one").expect("an answer, each part of which is in time");
    assert_eq!(store.status().slow, 1);
    until("the store is given up", || check(&limiter, "one").is_err() && !store.is_up());
    proxy.set(Fault::None);
    until("the store is taken up", || store.is_up());
    check(&limiter, "one").expect("an answer in time");
}
