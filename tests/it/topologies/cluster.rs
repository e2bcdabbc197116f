//! A cluster: every key is counted once, on whichever node it is, also while it moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tollgate::store::{Charge, Store as _};
use tollgate::{Identity, Keyspace, OnStoreFailure, Policy};

use super::ledger::Ledger;
use super::{patient_store, store};
use crate::outage::threads;
use crate::permissions::documented;
use crate::support::child::{self, TestProcess};
use crate::support::cluster::Cluster;
use crate::support::stores::{HOUR, ask, charge, each_policy, policy};
use crate::support::threads::{together, until};
use crate::support::traffic::{THREADS, admitted, answer, check, limiter, under_traffic};

fn slot_of(cluster: &Cluster, user: &str) -> u16 {
    cluster.slot_of(charge(user, &policy("p", "fixed-window", 1, HOUR)).key.as_str())
}

/// The first `count` users whose keys the primary `number` holds.
fn users_of(cluster: &Cluster, number: usize, count: usize) -> Vec<String> {
    let users = (0..).map(|user| format!("u{user}"));
    users
        .filter(|user| Cluster::first_owner(slot_of(cluster, user)) == number)
        .take(count)
        .collect()
}

fn pair(number: usize, least: u64) -> [Arc<Policy>; 2] {
    [("a", least + 10), ("b", least)]
        .map(|(name, units)| policy(&format!("{name}{number}"), "fixed-window", units, HOUR))
}

#[test]
fn all_nodes_count_for_all_processes_together() {
    let cluster = Cluster::start();
    let stores = [store(&cluster.url()), store(&cluster.url())];
    let policies = pair(0, 3);
    let admitted = together(4, move |thread| {
        let one = |user: usize| {
            let charges = [0, 1].map(|it| charge(&format!("u{user}"), &policies[it]));
            u64::from(ask(&*stores[thread % 2], &charges, 1, 1).admitted)
        };
        (0..3 * 40).map(|call| (call % 40, one(call % 40))).collect::<Vec<_>>()
    });
    let mut of_users = [0; 40];
    admitted.into_iter().flatten().for_each(|(user, admitted)| of_users[user] += admitted);
    assert_eq!(of_users, [3; 40]);
}

#[test]
fn the_documented_permissions_are_enough_for_it() {
    let cluster = Cluster::start();
    let rules = [&documented()[..], &["+cluster|slots", "+asking"]].concat();
    for node in &cluster.nodes {
        node.tell(&[&["ACL", "SETUSER", "tollgate"][..], &rules].concat());
    }
    let store = store(&cluster.url().replace("//", "//tollgate:secret@"));
    let keyspace = Keyspace::new("tollgate");
    let user = &users_of(&cluster, 0, 1)[0];
    let charge = |identity: &Identity<'_>, policy: &Arc<Policy>| {
        Charge::new(policy.clone(), keyspace.key(identity, policy))
    };
    for own in each_policy(2, HOUR) {
        let charges =
            [charge(&Identity::user(user.as_str()), &own), charge(&Identity::Global, &own)];
        ask(&*store, &charges[1..], 1, 1);
        assert_eq!(ask(&*store, &charges, 1, 3).admitted, 1, "and one is given back");
        assert_eq!(ask(&*store, &charges[..1], 1, 0).standings[0].remaining, 1);
        let keys = charges.iter().map(|charge| charge.key.clone()).collect();
        store.reset(keys).wait().expect("they are forgotten");
        let slot = slot_of(&cluster, user);
        let decide = || assert_eq!(ask(&*store, &charges[..1], 1, 0).admitted, 0);
        cluster.move_slot(slot, 0, 1, decide);
        cluster.move_slot(slot, 1, 0, decide);
    }
}

#[test]
fn a_resharding_under_traffic_loses_and_doubles_nothing() {
    const PAIRS: usize = 12;
    let mut cluster = Cluster::start();
    let users = users_of(&cluster, 0, 3);
    let store = patient_store(&cluster.url());
    let ledger = Arc::new(Ledger::default());
    let pairs: Vec<_> = (0..PAIRS).map(|number| pair(number, 40)).collect();
    // Each pair of policies begins at another time, so that there are new keys in moving slots.
    let ask = {
        let (store, ledger, users) = (store.clone(), ledger.clone(), users.clone());
        move |thread: usize, call: usize| {
            let (user, number) = (&users[thread], (call / 25) % PAIRS);
            let charges = pairs[number].iter().map(|it| charge(user, it)).collect();
            ledger.ask(&store, &format!("{user} {number}"), charges);
        }
    };
    let asked = ask.clone();
    let new = cluster.add();
    under_traffic(asked, |answered| {
        for user in &users {
            let slot = slot_of(&cluster, user);
            for (from, to) in [(0, 1), (1, new), (new, 0)] {
                cluster.move_slot(slot, from, to, || answer(20, answered));
            }
        }
    });
    // To the end of every quota.
    for thread in 0..users.len() {
        (0..41 * 25 * PAIRS).step_by(25).for_each(|call| ask(thread, call));
    }
    assert_eq!(*ledger.failures.lock().expect("no thread panics"), BTreeMap::new());
    for user in &users {
        for number in 0..PAIRS {
            assert_eq!(ledger.of(&format!("{user} {number}")), 40, "{user} {number}");
        }
    }
}

#[test]
fn its_threads_end_with_the_store() {
    let cluster = Cluster::start();
    let mut process =
        TestProcess::start("topologies::cluster::a_process_that_drops_a_store", &cluster.url());
    process.go();
    assert_eq!(process.value_of("after"), 0);
}

#[test]
#[ignore = "runs as a process whose threads are counted"]
fn a_process_that_drops_a_store() {
    let Some(url) = child::begin() else { return };
    // Four dispatchers, a probe of each node, and whoever looks where the slots are.
    let store = store(&url);
    until("all threads run", || threads() == 8);
    drop(store);
    until("the threads end", || threads() == 0);
    child::tell("after", threads());
}

#[test]
fn a_node_that_hangs_takes_only_its_own_keys_with_it_and_has_them_when_it_goes_on() {
    const QUOTA: u64 = 300;
    let cluster = Cluster::start();
    let (of_hung, of_others) = (users_of(&cluster, 0, 2), users_of(&cluster, 1, 2));
    let users = [&of_hung[..], &of_others[..]].concat();
    let store = store(&cluster.url());
    let ledger = Arc::new(Ledger::default());
    let own = policy("p", "fixed-window", QUOTA, HOUR);
    let ask = {
        let (store, ledger) = (store.clone(), ledger.clone());
        move |call: usize| {
            let user = &users[call % users.len()];
            ledger.ask(&store, user, vec![charge(user, &own)])
        }
    };
    let asked = ask.clone();
    under_traffic(
        move |thread, call| {
            asked(thread + call);
        },
        |answered| {
            answer(100, answered);
            cluster.nodes[0].pause();
            until("it is seen to hang", || !store.is_up());
            answer(100, answered);
            cluster.nodes[0].resume();
            until("it answers again", || store.is_up());
            answer(100, answered);
        },
    );
    for call in 0..8 * usize::try_from(QUOTA).expect("small") {
        assert!(ask(call), "all nodes answer");
    }
    for user in [&of_hung[..], &of_others].concat() {
        // What it was asked last may be charged, and not answered; nothing is forgotten.
        let (failures, admitted) = (ledger.failures(&user), ledger.of(&user));
        assert!((QUOTA.saturating_sub(failures)..=QUOTA).contains(&admitted), "{user}: {admitted}");
    }
    // Two calls give it up, each made by one thread at least; behind each waits one request of each
    // other thread at most.
    let failures: u64 = of_others.iter().map(|user| ledger.failures(user)).sum();
    assert!(failures <= 2 * (THREADS as u64 - 1), "{ledger:?}");
}

/// What each node was not there to count is charged to it when it is, in whichever slots.
#[test]
fn what_was_admitted_without_a_node_is_charged_to_it_on_its_return() {
    let cluster = Cluster::start();
    let (of_hung, of_others) = (users_of(&cluster, 0, 3), users_of(&cluster, 1, 2));
    let store = store(&cluster.url());
    let limiter = limiter(&store, 9, OnStoreFailure::Local);
    let users = [&of_hung[..], &of_others].concat();
    for user in &users {
        assert_eq!(admitted(&limiter, user, 2), 2);
    }
    cluster.nodes[0].pause();
    until("it is seen to hang", || {
        let _ = check(&limiter, "anyone");
        let _ = check(&limiter, &of_hung[2]);
        !store.is_up()
    });
    for user in &users[..2] {
        assert_eq!(admitted(&limiter, user, 4), 4);
    }
    assert!(store.status().down_for.is_some(), "{:?}", store.status());
    for user in &of_others {
        assert_eq!(admitted(&limiter, user, 4), 4);
    }
    cluster.nodes[0].resume();
    until("it answers again", || store.is_up());
    until("it is charged", || store.status().charged_back >= 2 * 4);
    assert_eq!(store.status().not_charged_back, 0);
    let policy = policy("p", "fixed-window", 9, HOUR);
    for user in users.iter().filter(|user| **user != of_hung[2]) {
        let charge = |user: &str| {
            let key = Keyspace::new("tollgate").key(&Identity::user(user), &policy);
            Charge::new(policy.clone(), key)
        };
        assert_eq!(ask(&*store, &[charge(user)], 1, 0).standings[0].remaining, 9 - 6, "{user}");
    }
}

/// A node that says so of a slot has charged nothing.
#[test]
fn what_is_asked_of_a_slot_that_nobody_serves_is_owed_whole() {
    let cluster = Cluster::start();
    let store = store(&cluster.url());
    let limiter = limiter(&store, 9, OnStoreFailure::Local);
    let user = &users_of(&cluster, 0, 1)[0];
    assert_eq!(admitted(&limiter, user, 2), 2);
    let slot = slot_of(&cluster, user).to_string();
    cluster.nodes[0].tell(&["CLUSTER", "DELSLOTS", &slot]);
    assert_eq!(admitted(&limiter, user, 2), 2);
    assert!(store.status().unanswered > 0, "{:?}", store.status());
    cluster.nodes[0].tell(&["CLUSTER", "ADDSLOTS", &slot]);
    until("it is charged", || store.status().charged_back == 2);
    assert_eq!(admitted(&limiter, user, 9), 5);
}

#[test]
fn a_node_that_dies_takes_only_its_own_keys_with_it_until_its_replica_has_them() {
    const QUOTA: u64 = 300;
    let mut cluster = Cluster::with_replicas();
    let (of_dead, of_others) =
        (users_of(&cluster, 0, 2), [users_of(&cluster, 1, 2), users_of(&cluster, 2, 2)].concat());
    let users = [&of_dead[..], &of_others[..]].concat();
    let store = store(&cluster.url());
    let ledger = Arc::new(Ledger::default());
    let own = policy("p", "fixed-window", QUOTA, HOUR);
    let ask = {
        let (store, ledger, users) = (store.clone(), ledger.clone(), users.clone());
        move |call: usize| {
            let user = &users[call % users.len()];
            ledger.ask(&store, user, vec![charge(user, &own)])
        }
    };
    let (asked, decided_by_new) = (ask.clone(), Arc::new(AtomicUsize::new(0)));
    under_traffic(
        move |thread, call| {
            asked(thread + call);
        },
        |answered| {
            answer(100, answered);
            cluster.nodes[0].kill();
            until("its loss is seen", || !store.is_up());
            answer(100, answered);
            until("its replica has its slots", || store.is_up());
            answer(100, answered);
            decided_by_new.store(1, Ordering::SeqCst);
        },
    );
    // To the end of every quota.
    for call in 0..2 * usize::try_from(QUOTA).expect("small") * users.len() {
        assert!(ask(call), "all nodes answer");
    }
    for user in &of_others {
        assert_eq!((ledger.failures(user), ledger.of(user)), (0, QUOTA), "{user}");
    }
    for user in &of_dead {
        // What the dead node had not passed on is admitted once more, and what it was asked last
        // may be charged, and not answered.
        let (failures, admitted) = (ledger.failures(user), ledger.of(user));
        assert!(failures > 0, "{user}");
        assert!(
            (QUOTA.saturating_sub(failures)..=2 * QUOTA).contains(&admitted),
            "{user}: {admitted}"
        );
    }
}
