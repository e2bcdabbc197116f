//! A hundred outages leave no thread, connection or memory behind.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tollgate::OnStoreFailure;

use crate::support::child::{self, TestProcess};
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::threads::until;
use crate::support::traffic::{check, limiter, options, store};

const WARM: u64 = 10;
const CYCLES: u64 = 100;

#[test]
fn a_hundred_outages_leave_nothing_behind() {
    let server = Server::start();
    let clients = || {
        let list = redis::cmd("CLIENT").arg("LIST").query::<String>(&mut server.connection());
        list.expect("a list").lines().count()
    };
    let mut process =
        TestProcess::start("repeated_outages::a_process_of_many_outages", &server.url());
    process.go();
    // It has as long for each as for anything.
    for cycle in 0..WARM + CYCLES {
        process.value_of(&format!("cycle {cycle}"));
    }
    for of in ["threads", "files"] {
        let before = process.value_of(&format!("{of} before"));
        let after = process.value_of(&format!("{of} after"));
        assert!(after <= before, "{of}: {before}, and then {after}");
    }
    let (before, after) = (process.value_of("kib before"), process.value_of("kib after"));
    assert!(after < before + 4_096, "{before} KiB, and then {after}");
    // On a machine that stands still, more of them are noticed than were made.
    assert!(process.value_of("outages") >= WARM + CYCLES);
    // Its connection by way of the proxy, and the one that asks.
    until("the server lets go", || clients() <= 1 + 1);
}

#[test]
#[ignore = "runs as a process whose threads are counted"]
fn a_process_of_many_outages() {
    let Some(url) = child::begin() else { return };
    let proxy = Proxy::to(url.trim_start_matches("redis+unix://"));
    let probe_interval = Duration::from_millis(1);
    // With more than one, it is chance how many are open.
    let connections = 1;
    let store =
        store(&options(&proxy.url()).probe_interval(probe_interval).connections(connections));
    let limiter = limiter(&store, 1_000_000_000, OnStoreFailure::Local);
    let cycle = |number: u64| {
        let user = (number % 7).to_string();
        proxy.set(Fault::Closed);
        until("the store goes down", || {
            check(&limiter, &user).expect("a decision");
            !store.is_up()
        });
        check(&limiter, &user).expect("a decision");
        proxy.set(Fault::None);
        until("Redis decides again", || {
            let unanswered = store.status().unanswered;
            check(&limiter, &user).expect("a decision");
            store.status().unanswered == unanswered
        });
        child::tell(&format!("cycle {number}"), 1);
    };
    // The probe's connection is kept for a while.
    let settle = || until("the proxy lets go", || proxy.connections() == 1);
    (0..WARM).for_each(cycle);
    settle();
    let threads = tell_all("before");
    (WARM..WARM + CYCLES).for_each(cycle);
    settle();
    // What ends takes a moment to be gone.
    until("the threads end", || count("/proc/self/task") <= threads);
    tell_all("after");
    child::tell("outages", store.status().outages);
}

/// Tells what this process has, and gives the number of its threads.
fn tell_all(when: &str) -> u64 {
    let threads = count("/proc/self/task");
    child::tell(&format!("threads {when}"), threads);
    child::tell(&format!("files {when}"), count("/proc/self/fd"));
    let status = fs::read_to_string("/proc/self/status").expect("this process's state");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kib = resident.split_whitespace().next().and_then(|kib| kib.parse().ok());
    child::tell(&format!("kib {when}"), kib.expect("a number"));
    threads
}

fn count(directory: impl AsRef<Path>) -> u64 {
    fs::read_dir(directory).expect("of this process").count() as u64
}
