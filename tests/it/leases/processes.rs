//! Many processes and one key, with a ledger of what they admitted.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rustix::process::Signal;
use tollgate::MonotonicClock;

use super::{LEASE, Process, QUOTA, clock, everyone};
use crate::support::child::{self, TestProcess};
use crate::support::redis::Server;
use crate::support::stores::{HOUR, NOW, patient};
use crate::support::threads::{together, until};

const PROCESSES: u64 = 3;

/// The most units that all processes hold together.
const HELD: u64 = QUOTA / 4;

#[test]
fn processes_admit_a_window_exactly_and_deny_early_no_more_than_they_hold() {
    for algorithm in ["fixed-window", "sliding-window", "token-bucket"] {
        let (server, clock) = (Server::start(), clock());
        let process = || Process::new(&server, algorithm, PROCESSES, &clock);
        let processes: Arc<[Process]> = (0..PROCESSES).map(|_| process()).collect();
        for window in 0..3 {
            // By then no algorithm remembers what was used.
            clock.set(NOW + 3 * window * HOUR);
            let all = processes.clone();
            let until_denied = move |thread: usize| {
                let process = &all[thread % all.len()];
                (0..).take_while(|_| process.admits()).count() as u64
            };
            let early: u64 = together(6, until_denied).into_iter().sum();
            assert!((QUOTA - HELD..=QUOTA).contains(&early), "{algorithm}: {early}");
            processes.iter().for_each(Process::ends_leases);
            // A denial is remembered by none of them.
            let rest: u64 = processes.iter().map(|it| it.admitted(QUOTA)).sum();
            assert_eq!(early + rest, QUOTA, "{algorithm}: nothing is lost, and nothing is over");
        }
        for process in &*processes {
            process.ends_leases();
            let (counts, by_lease) = (process.counts(), &process.deciders.by_lease);
            let by_lease = by_lease.load(Ordering::SeqCst);
            assert!(by_lease > 0, "{algorithm}: {counts:?}");
            assert_eq!(counts.spent, by_lease, "{algorithm}: {counts:?}");
            assert_eq!(counts.leased, counts.spent + counts.given_back, "{algorithm}: {counts:?}");
        }
    }
}

#[test]
fn the_last_units_are_counted_one_by_one() {
    let (server, clock) = (Server::start(), clock());
    let process = Process::new(&server, "fixed-window", 1, &clock);
    let mut admitted = process.admitted_until_leased();
    // With less than four times the fewest units, nothing is leased.
    while QUOTA - admitted >= 64 {
        admitted += process.admitted(1);
    }
    until("it holds nothing more", || {
        admitted += process.admitted(1);
        process.counts().units_held == 0
    });
    let by_lease = || process.deciders.by_lease.load(Ordering::SeqCst);
    let before = by_lease();
    let rest = process.admitted(QUOTA);
    assert_eq!((admitted + rest, by_lease()), (QUOTA, before));
}

#[test]
fn what_a_killed_process_held_is_admitted_by_nobody_and_no_more_than_that_is_missing() {
    let server = Server::start();
    let mut killed =
        TestProcess::start("leases::processes::a_process_that_holds_units", &server.url());
    killed.go();
    let admitted = killed.value_of("admitted");
    let held = killed.value_of("held");
    killed.kill();
    assert!(held > 0);
    let clock = clock();
    let process = Process::new(&server, "fixed-window", 1, &clock);
    let rest = process.admitted(QUOTA + 1);
    process.ends_leases();
    let rest = rest + process.admitted(QUOTA + 1);
    assert_eq!(admitted + held + rest, QUOTA);
}

#[test]
#[ignore = "runs as a process of its own"]
fn a_process_that_holds_units() {
    let Some(url) = child::begin() else { return };
    let clock = clock();
    let options = patient(&url).clock(clock.clone());
    // By this clock, it holds them until it is killed.
    let process = Process::over(&options, everyone("fixed-window"), 1, &clock, |it| it);
    let admitted = process.admitted_until_leased();
    child::tell("admitted", admitted);
    child::tell("held", process.counts().units_held);
    until("it is killed", || false);
}

#[test]
fn a_process_that_was_stopped_past_its_lease_does_not_use_it() {
    let server = Server::start();
    let mut stopped =
        TestProcess::start("leases::processes::a_process_that_is_stopped", &server.url());
    stopped.go();
    assert!(stopped.value_of("held") > 0);
    stopped.signal(Signal::STOP);
    let since = Instant::now();
    // The signal takes a moment to arrive, and the process has to stand still for a whole lease.
    until("its lease is over", || since.elapsed() > 2 * LEASE);
    stopped.signal(Signal::CONT);
    assert_eq!(stopped.value_of("by_lease"), 0);
}

#[test]
#[ignore = "runs as a process of its own"]
fn a_process_that_is_stopped() {
    let Some(url) = child::begin() else { return };
    let options = patient(&url).clock(clock());
    let process = Process::over(&options, everyone("fixed-window"), 1, &clock(), |builder| {
        builder.leases(Arc::new(MonotonicClock::start()))
    });
    process.admitted_until_leased();
    let before = process.deciders.by_lease.load(Ordering::SeqCst);
    // It may be stopped as soon as it has told this.
    let mut last = Instant::now();
    child::tell("held", process.counts().units_held);
    until("it is stopped for longer than its lease", || {
        std::mem::replace(&mut last, Instant::now()).elapsed() >= LEASE
    });
    process.admits();
    child::tell("by_lease", process.deciders.by_lease.load(Ordering::SeqCst) - before);
}
