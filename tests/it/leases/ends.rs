//! How leases end before their time, and what becomes of units that nobody has used.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tollgate::overrides::{Note, Overrides};
use tollgate::{KeySource, Limiter, MemoryStore, MonotonicClock, OnStoreFailure, Policy, Weekday};

use super::{LEASE, Process, QUOTA, clock, everyone, wait};
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::stores::{HOUR, NOW, patient};
use crate::support::threads::until;
use crate::support::traffic;

#[test]
fn a_limiter_that_ends_or_is_succeeded_gives_back_what_it_has_not_used() {
    type End = fn(&Process) -> Option<Limiter>;
    let ends: [(&str, End); 2] = [
        ("it ends its leases", |process| {
            process.ends_leases();
            None
        }),
        ("it is succeeded", |process| {
            let next = Limiter::builder(process.store.clone()).policy(everyone("fixed-window"));
            let next = next.leases(clock()).succeed(&process.limiter).build();
            Some(next.expect("one policy"))
        }),
    ];
    for (what, end) in ends {
        let (server, clock) = (Server::start(), clock());
        let process = Process::new(&server, "fixed-window", 1, &clock);
        let admitted = process.admitted_until_leased();
        assert!(process.remaining_in_redis() < QUOTA - admitted, "{what}: it holds some");
        let next = end(&process);
        until(what, || process.remaining_in_redis() == QUOTA - admitted);
        let counts = next.as_ref().unwrap_or(&process.limiter).lease_counts().remove(0);
        until("it is counted", || process.counts().given_back > 0);
        assert!(counts.leased > 0, "{what}: counts go on, {counts:?}");
    }
}

#[test]
fn a_limiter_that_is_dropped_gives_back_what_it_has_not_used() {
    let (server, clock) = (Server::start(), clock());
    let dropped = Process::new(&server, "fixed-window", 1, &clock);
    let admitted = dropped.admitted_until_leased();
    drop(dropped);
    let other = Process::new(&server, "fixed-window", 1, &clock);
    until("it is given back", || other.remaining_in_redis() == QUOTA - admitted);
}

#[test]
fn units_that_nobody_uses_are_given_back_after_half_of_the_lease() {
    let (server, clock) = (Server::start(), clock());
    let process = Process::new(&server, "fixed-window", 1, &clock);
    let admitted = process.admitted_until_leased();
    clock.set(NOW + 500);
    until("they are given back", || process.remaining_in_redis() == QUOTA - admitted);
}

#[test]
fn what_is_left_of_a_window_that_is_over_is_not_added_to_the_next_one() {
    let (server, clock) = (Server::start(), clock());
    let process = Process::new(&server, "fixed-window", 1, &clock);
    process.admitted_until_leased();
    clock.set(NOW + HOUR);
    process.ends_leases();
    assert_eq!(process.admitted(QUOTA + 1), QUOTA);
    until("they are counted", || process.counts().expired > 0);
}

#[test]
fn a_lease_ends_with_the_day_in_a_time_zone() {
    // A day of 25 hours ends in Berlin.
    let midnight = 1_792_969_200_000;
    let (server, clock) = (Server::start(), clock());
    clock.set(midnight - 400);
    let berlin = "Europe/Berlin".parse().expect("a zone");
    let quota = format!("{QUOTA}/day").parse().expect("a quota");
    let policy = Policy::new("everyone", quota).expect("a name").with_key(KeySource::Global);
    let policy = policy.with_timezone(berlin, Weekday::Monday).expect("a fixed window");
    let options = patient(&server.url()).clock(clock.clone());
    let process = Process::over(&options, policy.with_lease(LEASE), 1, &clock, |builder| builder);
    let admitted = process.admitted_until_leased();
    let held = process.counts().units_held;
    assert!(admitted > 0 && held > 0);
    let before = process.deciders.by_lease.load(Ordering::SeqCst);
    clock.set(midnight);
    assert!(process.admits());
    let by_lease = process.deciders.by_lease.load(Ordering::SeqCst) - before;
    assert_eq!(by_lease, 0, "what is left is of the day before");
    process.ends_leases();
    assert_eq!(process.admitted(QUOTA + 1), QUOTA - 1);
}

#[test]
fn a_reset_ends_a_lease_and_makes_the_quota_whole_once() {
    let (server, clock) = (Server::start(), clock());
    let process = Process::new(&server, "fixed-window", 1, &clock);
    process.admitted_until_leased();
    process.resets().expect("Redis answers");
    assert_eq!(process.counts().units_held, 0);
    let admitted = process.admitted(QUOTA + 1);
    process.ends_leases();
    assert_eq!(admitted + process.admitted(QUOTA + 1), QUOTA);
}

#[test]
fn what_operators_change_ends_leases_in_every_process() {
    let (server, clock) = (Server::start(), clock());
    let options = patient(&server.url()).clock(clock.clone());
    let process = || {
        Process::over(&options, everyone("fixed-window"), 1, &clock, |builder| {
            let overrides = tollgate::RedisStore::start(&options).expect("a store");
            let every = Duration::from_millis(20);
            let monotonic = Arc::new(MonotonicClock::start());
            builder.overrides(
                Overrides::start(Arc::new(overrides), every, monotonic).expect("a thread"),
            )
        })
    };
    let (one, other) = (process(), process());
    one.admitted_until_leased();
    let note = Note::new("ann", "a test");
    let hour = Duration::from_secs(3_600);
    other
        .limiter
        .boost("global", None, "1/hour".parse().expect("a quota"), hour, note)
        .expect("a boost");
    until("it holds nothing any more", || one.counts().held == 0);
    assert!(!one.admits(), "the smaller quota is used up");
}

#[test]
fn without_redis_units_in_hand_are_used_first_and_nothing_is_owed_for_them() {
    let (server, clock) = (Server::start(), clock());
    let relay = Proxy::to(server.socket());
    let options = traffic::options(&relay.url()).clock(clock.clone());
    let policy = everyone("fixed-window").with_on_store_failure(OnStoreFailure::Deny);
    let process = Process::over(&options, policy, 1, &clock, |builder| {
        builder.local(Arc::new(MemoryStore::with_clock(1_000, clock.clone())))
    });
    let before = process.admitted_until_leased();
    let held = process.counts().units_held;
    relay.set(Fault::Closed);
    let policies = ["everyone"];
    let mut by_lease = 0;
    while process.check(&policies, "any").is_ok_and(|admitted| admitted) {
        by_lease += 1;
    }
    assert_eq!(by_lease, held, "then the policy refuses");
    relay.set(Fault::None);
    until("Redis is taken up", || process.store.is_up());
    process.ends_leases();
    assert_eq!(process.remaining_in_redis(), QUOTA - before - held);
    assert_eq!(process.store.status().charged_back, 0);
}

#[test]
fn a_charge_by_lease_is_given_back_by_its_receipt_once() {
    struct Asked(tollgate::Policies);
    impl tollgate::Incoming for Asked {
        fn method(&self) -> &str {
            "GET"
        }
        fn path(&self) -> &str {
            "/"
        }
        fn with_client<T>(&self, ask: impl FnOnce(&tollgate::Client<'_>) -> T) -> T {
            ask(&tollgate::Client::default())
        }
        fn wants_receipt(&self) -> bool {
            true
        }
        fn policies(&self) -> Option<&tollgate::Policies> {
            Some(&self.0)
        }
    }
    let (server, clock) = (Server::start(), clock());
    let process = Process::new(&server, "fixed-window", 1, &clock);
    let admitted = process.admitted_until_leased();
    let asked = Asked(process.limiter.policies(["everyone"]).expect("it exists"));
    let before = process.deciders.by_lease.load(Ordering::SeqCst);
    let admission = wait(process.limiter.admit(&asked));
    assert_eq!(process.deciders.by_lease.load(Ordering::SeqCst), before + 1);
    let tollgate::Admission::Passes(Some(decision)) = admission else { panic!("{admission:?}") };
    let receipt = decision.receipt().expect("a receipt");
    for given in [1, 0] {
        let back = wait(process.limiter.refund(receipt)).expect("Redis answers");
        assert_eq!(back.units().collect::<Vec<_>>(), [("everyone", given)]);
    }
    process.ends_leases();
    assert_eq!(process.remaining_in_redis(), QUOTA - admitted);
}
