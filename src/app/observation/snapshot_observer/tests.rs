use std::sync::Arc;

use super::*;
use crate::domain::client::Client;
use crate::domain::penalty::Penalty;
use crate::domain::quota::Cost;
use crate::limiter::Limiter;
use crate::store::MemoryStore;

fn policy(name: &str, quota: &str, key: &str) -> Policy {
    Policy::new(name, quota.parse().unwrap()).unwrap().with_key(key.parse().unwrap())
}

/// A limiter of three policies, and its counts.
fn limiter(counts: &Arc<Counts>) -> (Limiter, Arc<SnapshotObserver>) {
    let policies = [
        policy("few", "2/day", "user"),
        policy("many", "20/day", "header:x-key"),
        policy("other", "1/day", "ip"),
    ];
    let observer = Arc::new(SnapshotObserver::new(counts.clone(), &policies, 0));
    let builder = Limiter::builder(Arc::new(MemoryStore::new(100))).observer(observer.clone());
    let limiter = policies.into_iter().fold(builder, crate::limiter::LimiterBuilder::policy);
    (limiter.build().unwrap(), observer)
}

fn check(limiter: &Limiter, client: &Client<'_>) {
    let policies = limiter.policies(["few", "many"]).unwrap();
    limiter.check(&policies, Cost::ONE, client).wait().unwrap();
}

fn counted(counts: &Counts, name: &str) -> [u64; 14] {
    PolicyCount::ALL.map(|what| {
        let policies = counts.policies(what);
        policies.into_iter().find(|(it, _)| it == name).unwrap().1
    })
}

#[test]
fn each_policy_of_a_request_counts_what_became_of_it_there() {
    let counts = Counts::new();
    let (limiter, _) = limiter(&counts);
    for _ in 0..3 {
        check(&limiter, &Client::user("ann"));
    }
    check(&limiter, &Client::unknown());
    let peeked = limiter.policies(["other"]).unwrap();
    limiter.peek(&peeked, Cost::ONE, &Client::unknown()).wait().unwrap();
    // Admitted, denied, denied by another, undecided, near the limit, without what the policy counts by.
    assert_eq!(counted(&counts, "few"), [3, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counted(&counts, "many"), [3, 0, 1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counted(&counts, "other"), [0; 14], "a peek is no request");
    let waits = counts.waits();
    assert_eq!(waits.above + waits.buckets.iter().map(|(_, it)| it).sum::<u64>(), 0);
}

#[test]
fn requests_without_what_a_policy_counts_by_are_counted_whatever_that_is() {
    let ann = Client::user("ann");
    let here = Client::at("203.0.113.7".parse().unwrap());
    for (source, without, with) in [
        ("user", Client::unknown(), ann),
        ("ip", ann, here),
        ("user-or-ip", Client::unknown(), ann),
        ("user-or-ip", Client::unknown(), here),
    ] {
        let counts = Counts::new();
        let policy = policy("one", "9/day", source);
        let observer = Arc::new(SnapshotObserver::new(counts.clone(), [&policy], 0));
        let builder = Limiter::builder(Arc::new(MemoryStore::new(100))).observer(observer);
        let limiter = builder.policy(policy).build().unwrap();
        let policies = limiter.policies(["one"]).unwrap();
        for client in [&without, &without, &with] {
            limiter.check(&policies, Cost::ONE, client).wait().unwrap();
        }
        assert_eq!(counts.of_policy("one", PolicyCount::NoKey), 2, "{source}");
    }
}

#[test]
fn a_ban_is_counted_under_the_policy_whose_penalty_it_is() {
    let counts = Counts::new();
    let penalty = Penalty::new(1, 60_000, 60_000, 60_000).unwrap();
    let policies =
        [policy("few", "2/day", "user").with_penalty(penalty), policy("many", "20/day", "ip")];
    let observer = Arc::new(SnapshotObserver::new(counts.clone(), &policies, 0));
    let builder = Limiter::builder(Arc::new(MemoryStore::new(100))).observer(observer);
    let limiter = policies.into_iter().fold(builder, crate::limiter::LimiterBuilder::policy);
    let limiter = limiter.build().unwrap();
    for _ in 0..5 {
        check(&limiter, &Client::user("ann").with_address("203.0.113.7".parse().unwrap()));
    }
    assert_eq!(counted(&counts, "few"), [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0]);
    assert_eq!(counted(&counts, "many"), [2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn an_admitted_request_may_leave_little_of_a_quota() {
    let counts = Counts::new();
    let (limiter, _) = limiter(&counts);
    let headers = |_: &str| Some(b"key".as_slice().into());
    let policies = limiter.policies(["many"]).unwrap();
    for _ in 0..21 {
        let client = Client::unknown().with_headers(&headers);
        limiter.check(&policies, Cost::ONE, &client).wait().unwrap();
    }
    // One and none of 20 are left after the last two that were admitted.
    assert_eq!(counted(&counts, "many"), [20, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn counts_go_on_under_the_next_snapshot_which_knows_what_it_has_met() {
    let counts = Counts::new();
    let met =
        |observer: &SnapshotObserver| observer.policies().map(|(_, it)| it).collect::<Vec<_>>();
    let (first, observer) = limiter(&counts);
    assert_eq!(met(&observer), [false; 3]);
    check(&first, &Client::user("ann"));
    assert_eq!(met(&observer), [true, true, false]);
    let (second, observer) = limiter(&counts);
    assert_eq!(met(&observer), [false; 3]);
    check(&second, &Client::user("ann"));
    assert_eq!(met(&observer), [true, true, false]);
    assert_eq!(counted(&counts, "few")[0], 2);
}

#[test]
fn threads_count_together() {
    let counts = Counts::new();
    let (limiter, _) = limiter(&counts);
    std::thread::scope(|scope| {
        for number in 0..40 {
            let limiter = limiter.clone();
            scope.spawn(move || {
                for _ in 0..5 {
                    check(&limiter, &Client::user(&format!("user {number}")));
                }
            });
        }
    });
    // Of all header fields that are missing, 20 requests a day are admitted together.
    let [admitted, denied, by_another, ..] = counted(&counts, "few");
    assert_eq!((admitted, denied + by_another), (20, 180));
}
