//! Requests under a leased policy and another one, whose keys are in several slots of a cluster.

use std::sync::atomic::Ordering;

use tollgate::{KeySource, OnStoreFailure, RedisOptions};

use super::{Process, QUOTA, clock, everyone};
use crate::support::cluster::Cluster;
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::stores::{HOUR, patient, policy};
use crate::support::traffic;

const BOTH: [&str; 2] = ["user", "everyone"];

/// A process whose requests also meet a policy of three for each user.
fn process(options: &RedisOptions, rule: OnStoreFailure) -> Process {
    let user = policy("user", "fixed-window", 3, HOUR).as_ref().clone();
    let user = user.with_key(KeySource::User).with_on_store_failure(rule);
    Process::over(options, everyone("fixed-window"), 1, &clock(), |builder| builder.policy(user))
}

/// Checks that requests which the other policy denies use up nothing of the lease, nor of the quota.
fn is_all_or_nothing(options: &RedisOptions) {
    let process = process(options, OnStoreFailure::Local);
    let before = process.admitted_until_leased();
    let by_lease = || process.deciders.by_lease.load(Ordering::SeqCst);
    let by_lease_before = by_lease();
    let asked = |user: &str| process.check(&BOTH, user).expect("a decision");
    for user in ["ann", "bob"] {
        let admitted = (0..10).filter(|_| asked(user)).count();
        assert_eq!(admitted, 3, "{user}");
    }
    process.ends_leases();
    assert_eq!(process.remaining_in_redis(), QUOTA - before - 6);
    assert_eq!(by_lease(), by_lease_before, "Redis is asked for the user");
}

#[test]
fn in_a_cluster_a_user_who_is_denied_uses_nothing_of_a_leased_quota() {
    let cluster = Cluster::start();
    is_all_or_nothing(&patient(&cluster.url()).clock(clock()));
}

#[test]
fn on_one_server_a_user_who_is_denied_uses_nothing_of_a_leased_quota() {
    let server = Server::start();
    is_all_or_nothing(&patient(&server.url()).clock(clock()));
}

#[test]
fn in_a_cluster_only_the_slot_of_the_user_is_asked() {
    let cluster = Cluster::start();
    let process = process(&patient(&cluster.url()).clock(clock()), OnStoreFailure::Local);
    process.admitted_until_leased();
    let calls = || cluster.nodes.iter().map(|node| node.calls("evalsha")).sum::<u64>();
    let before = calls();
    for user in 0..10 {
        assert!(process.check(&BOTH, &format!("u{user}")).expect("a decision"));
    }
    // Meanwhile it may have asked for more units.
    assert!((10..15).contains(&(calls() - before)), "{}", calls() - before);
}

#[test]
fn without_redis_the_other_policy_decides_and_a_refusal_puts_units_back() {
    for (rule, admitted) in [(OnStoreFailure::Allow, 5), (OnStoreFailure::Deny, 0)] {
        let server = Server::start();
        let relay = Proxy::to(server.socket());
        let process = process(&traffic::options(&relay.url()).clock(clock()), rule);
        process.admitted_until_leased();
        let held = process.counts().units_held;
        relay.set(Fault::Closed);
        let asked = (0..5).filter(|_| process.check(&BOTH, "ann").is_ok_and(|it| it));
        assert_eq!(asked.count(), admitted, "{rule:?}");
        assert_eq!(process.counts().units_held, held - admitted as u64, "{rule:?}");
    }
}
