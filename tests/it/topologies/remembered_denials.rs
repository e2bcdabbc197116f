//! A denial that a refund in a cluster may end is not remembered, neither by the process that refunds nor
//! by others, which cannot know of the refund.

use std::sync::Arc;
use std::time::Duration;

use tollgate::{Client, Cost, Identity, KeySource, Keyspace, Limiter, ManualClock, Policy};

use super::patient_store;
use crate::support::cluster::Cluster;
use crate::support::stores::{HOUR, NOW, ask, charge, policy};
use crate::support::threads::{start, until};

/// A process that remembers denials for as long as the test runs, with routes for requests under
/// each of `sets`.
fn process(cluster: &Cluster, policies: &[Arc<Policy>], sets: &[&[&str]]) -> Limiter {
    let clock = Arc::new(ManualClock::new(NOW));
    let builder = Limiter::builder(patient_store(&cluster.url()))
        .keyspace(Keyspace::new("test"))
        .deny_cache(Duration::from_secs(60), clock);
    let builder =
        policies.iter().fold(builder, |builder, policy| builder.policy(policy.as_ref().clone()));
    let routes = sets.iter().enumerate();
    let builder = routes.fold(builder, |builder, (number, set)| {
        builder.route(format!("/{number}"), set.iter().copied(), [])
    });
    builder.build().expect("policies and routes that fit")
}

fn global(name: &str, units: u64) -> Arc<Policy> {
    let policy = policy(name, "fixed-window", units, HOUR).as_ref().clone();
    Arc::new(policy.with_key(KeySource::Global))
}

/// Whether a request of `user` is admitted under the policies called `names`.
fn admits(limiter: &Limiter, user: &str, names: &[&str]) -> bool {
    let policies = limiter.policies(names).expect("they exist");
    let check = limiter.check(&policies, Cost::ONE, &Client::user(user));
    check.wait().expect("a decision").is_allowed()
}

/// Whether it would be.
fn is_open(limiter: &Limiter, user: &str, names: &[&str]) -> bool {
    let policies = limiter.policies(names).expect("they exist");
    let peek = limiter.peek(&policies, Cost::ONE, &Client::user(user));
    peek.wait().expect("a decision").is_allowed()
}

/// A user whose slot another primary has than the one of that number.
fn user_apart_from(cluster: &Cluster, primary: usize, policy: &Arc<Policy>) -> String {
    let apart = |user: &String| {
        Cluster::first_owner(cluster.slot_of(charge(user, policy).key.as_str())) != primary
    };
    (0..).map(|user| format!("u{user}")).find(apart).expect("one of them")
}

/// How often all nodes together were called.
fn calls(cluster: &Cluster) -> u64 {
    cluster.nodes.iter().map(|node| node.calls("evalsha")).sum()
}

/// Has a request under both policies wait for `node` when it is charged under `first`, and two processes
/// deny one under `first` alone meanwhile. When that charge is given back, none of them denies it.
#[track_caller]
fn a_denial_in_between_is_forgotten(
    cluster: &Cluster,
    node: usize,
    processes: [Limiter; 2],
    user: &str,
    first: &Arc<Policy>,
    both: [&'static str; 2],
) {
    let observer = patient_store(&cluster.url());
    let left = || ask(&*observer, &[charge(user, first)], 1, 0).standings[0].remaining;
    assert_eq!(left(), 1);
    cluster.nodes[node].tell(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let (limiter, of) = (processes[0].clone(), user.to_owned());
    let waiting = start(1, move |_| admits(&limiter, &of, &both));
    until("the first policy is charged", || left() == 0);
    for process in &processes {
        assert!(!admits(process, user, &both[..1]), "for what is given back later");
    }
    cluster.nodes[node].tell(&["CLIENT", "UNPAUSE"]);
    assert_eq!(waiting.join(), [false]);
    assert_eq!(left(), 1);
    for process in &processes {
        assert!(is_open(process, user, &both[..1]));
    }
    assert!(admits(&processes[1], user, &both[..1]));
}

#[test]
fn a_denial_for_units_that_are_given_back_is_not_remembered() {
    let cluster = Cluster::start();
    let (own, shared) = (policy("own", "fixed-window", 1, HOUR), global("shared", 1));
    let sets: [&[&str]; 2] = [&["own", "shared"], &["own"]];
    let processes = [(); 2].map(|()| process(&cluster, &[own.clone(), shared.clone()], &sets));
    assert!(admits(&processes[0], "anyone", &["shared"]));
    let key = Keyspace::new("test").key(&Identity::Global, &shared);
    let node = Cluster::first_owner(cluster.slot_of(key.as_str()));
    let user = user_apart_from(&cluster, node, &own);
    let both = ["own", "shared"];
    a_denial_in_between_is_forgotten(&cluster, node, processes, &user, &own, both);
}

/// All policies of one client are in one slot, and still one decides after another while it moves.
#[test]
fn nor_is_one_while_a_slot_is_moving() {
    let cluster = Cluster::start();
    let [first, second] = ["first", "second"].map(|name| policy(name, "fixed-window", 1, HOUR));
    let sets: [&[&str]; 2] = [&["first", "second"], &["first"]];
    let policies = [first.clone(), second];
    let user = user_apart_from(&cluster, 1, &first);
    let slot = cluster.slot_of(charge(&user, &first).key.as_str());
    let source = Cluster::first_owner(slot);
    let mut processes = Some([(); 2].map(|()| process(&cluster, &policies, &sets)));
    // Its key stays behind, and that of the first is made where the slot moves to.
    assert!(admits(&processes.as_ref().expect("not taken yet")[0], &user, &["second"]));
    cluster.move_slot(slot, source, 1, || {
        if let Some(processes) = processes.take() {
            let both = ["first", "second"];
            a_denial_in_between_is_forgotten(&cluster, source, processes, &user, &first, both);
        }
    });
}

#[test]
fn a_denial_by_what_is_never_given_back_is_remembered() {
    let cluster = Cluster::start();
    let [own, alone] = ["own", "alone"].map(|name| policy(name, "fixed-window", 1, HOUR));
    let process = process(&cluster, &[own, alone, global("shared", 2)], &[&["own", "shared"]]);
    // How often scripts are called for a hundred denials.
    let calls_of = |user: &str, names: &[&str]| {
        let before = calls(&cluster);
        assert!((0..100).all(|_| !admits(&process, user, names)), "{names:?}");
        calls(&cluster) - before
    };
    assert!(admits(&process, "a", &["alone"]));
    assert_eq!(calls_of("a", &["alone"]), 0);
    // What denies here may be given back to another request: both slots are asked each time.
    assert!(admits(&process, "a", &["own", "shared"]));
    assert_eq!(calls_of("a", &["own", "shared"]), 2 * 100);
    // What denies here is decided last. The denial is remembered of each user.
    assert!(admits(&process, "b", &["shared"]));
    assert!(!admits(&process, "c", &["own", "shared"]));
    assert_eq!(calls_of("c", &["own", "shared"]), 0);
}
