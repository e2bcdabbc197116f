//! Policies whose keys are in several slots: they are decided in order, and refunded after a denial.

use std::slice;
use std::sync::Arc;

use proptest::prelude::*;
use tollgate::store::{Acquire, Charge, Store as _};
use tollgate::{Identity, Keyspace, ManualClock, Policy};

use super::store;
use crate::support::cluster::Cluster;
use crate::support::random::for_all;
use crate::support::redis::Server;
use crate::support::stores::{HOUR, MINUTE, NOW, ask, charge, each_policy, policy, redis_store};
use crate::support::threads::together;

fn global(policy: &Arc<Policy>) -> Charge {
    let key = Keyspace::new("test").key(&Identity::Global, policy);
    Charge::new(policy.clone(), key)
}

#[test]
fn a_later_denial_gives_back_what_was_charged_before_it() {
    let cluster = Cluster::start();
    let store = store(&cluster.url());
    let shared = policy("shared", "fixed-window", 3, HOUR);
    assert_eq!(ask(&*store, &[global(&shared)], 3, 1).admitted, 1);
    for own in each_policy(5, HOUR) {
        // Users in slots of all nodes.
        for user in ["a", "b", "c", "d", "e", "f"] {
            let charges = [charge(user, &own), global(&shared)];
            let fresh = ask(&*store, &charges[..1], 1, 0).standings;
            let denied = ask(&*store, &charges, 1, 1);
            assert_eq!((denied.admitted, &denied.standings[..1]), (0, &fresh[..]), "{own:?}");
            assert_eq!(denied.standings[1].remaining, 0);
            assert_eq!(ask(&*store, &charges[..1], 1, 0).standings, fresh, "{own:?}");

            // Beside what was used before, and of several at once.
            let used = ask(&*store, &charges[..1], 1, 2).standings;
            let denied = ask(&*store, &charges, 1, 3);
            assert_eq!((denied.admitted, &denied.standings[..1]), (0, &used[..]), "{own:?}");
            assert_eq!(ask(&*store, &charges[..1], 1, 0).standings, used, "{own:?}");
        }
    }
    // Nothing was written under the shared key but what was admitted.
    assert_eq!(ask(&*store, &[global(&shared)], 1, 0).standings[0].remaining, 0);
}

/// The slot of a request's last policy has its turn last, also where another policy is in it.
#[test]
fn the_last_policy_is_charged_when_all_others_are() {
    let cluster = Cluster::start();
    let store = store(&cluster.url());
    let [first, last] = ["first", "last"].map(|name| policy(name, "fixed-window", 5, HOUR));
    let shared = global(&policy("shared", "fixed-window", 1, HOUR));
    assert_eq!(ask(&*store, slice::from_ref(&shared), 1, 1).admitted, 1);
    for user in ["a", "b", "c", "d"] {
        let charges = [charge(user, &first), shared.clone(), charge(user, &last)];
        let owner = Cluster::first_owner(cluster.slot_of(charges[0].key.as_str()));
        let changes = || cluster.nodes[owner].info("rdb_changes_since_last_save:");
        let before = changes();
        assert_eq!(ask(&*store, &charges, 1, 1).admitted, 0);
        assert_eq!(changes(), before, "nothing of {user}'s is charged and given back");
    }
}

#[test]
fn together_no_quota_is_exceeded_and_nothing_admitted_is_lost() {
    let cluster = Cluster::start();
    let store = store(&cluster.url());
    let (own, shared) =
        (policy("own", "token-bucket", 5, HOUR), policy("shared", "sliding-window", 61, HOUR));
    let charges = move |user: usize| [charge(&format!("u{user}"), &own), global(&shared)];
    let (asked, of_user) = (store.clone(), charges.clone());
    let admitted = together(6, move |_| {
        let one = |user: usize| u64::from(ask(&*asked, &of_user(user), 1, 1).admitted);
        (0..5 * 20).map(|call| (call % 20, one(call % 20))).collect::<Vec<_>>()
    });
    let mut of_users = [0; 20];
    admitted.into_iter().flatten().for_each(|(user, admitted)| of_users[user] += admitted);
    assert_eq!(of_users.iter().sum::<u64>(), 61);
    for (user, admitted) in of_users.into_iter().enumerate() {
        let standing = ask(&*store, &charges(user)[..1], 1, 0).standings[0];
        assert_eq!(standing.remaining, 5 - admitted, "user {user}");
    }
}

#[test]
fn what_cannot_be_given_back_stays_used_and_is_counted() {
    let cluster = Cluster::start();
    let tell = |words: &[&str]| cluster.nodes.iter().for_each(|node| node.tell(words));
    tell(&["ACL", "SETUSER", "tollgate", "on", ">secret", "~*", "+@all"]);
    let store = store(&cluster.url().replace("//", "//tollgate:secret@"));
    let (own, shared) =
        (policy("own", "fixed-window", 5, HOUR), policy("shared", "fixed-window", 1, HOUR));
    assert_eq!(ask(&*store, &[global(&shared)], 1, 1).admitted, 1);
    let charges = |user: &str| [charge(user, &own), global(&shared)];
    assert_eq!(ask(&*store, &charges("a"), 1, 1).admitted, 0);
    assert_eq!(store.status().not_given_back, 0);
    // A key that nothing else was charged to is deleted, to give that back.
    tell(&["ACL", "SETUSER", "tollgate", "-del"]);
    assert_eq!(ask(&*store, &charges("b"), 2, 1).admitted, 0);
    assert_eq!(store.status().not_given_back, 2);
    tell(&["ACL", "SETUSER", "tollgate", "+del"]);
    let standing = |user: &str| ask(&*store, &charges(user)[..1], 1, 0).standings[0];
    assert_eq!(["a", "b"].map(|user| standing(user).remaining), [5, 3]);
}

/// Who admits the request instead must not owe once more what stays charged.
#[test]
fn a_request_that_fails_later_may_be_charged_only_if_that_cannot_be_given_back() {
    let cluster = Cluster::start();
    let tell = |words: &[&str]| cluster.nodes.iter().for_each(|node| node.tell(words));
    tell(&["ACL", "SETUSER", "tollgate", "on", ">secret", "~*", "+@all"]);
    let store = store(&cluster.url().replace("//", "//tollgate:secret@"));
    let [own, shared] = ["own", "shared"].map(|name| policy(name, "fixed-window", 5, HOUR));
    let owner = |charge: &Charge| Cluster::first_owner(cluster.slot_of(charge.key.as_str()));
    let later = owner(&global(&shared));
    let mut users = ["a", "b", "c", "d", "e", "f"].map(|user| charge(user, &own)).into_iter();
    let mut next = || users.find(|charge| owner(charge) != later).expect("one of another node");
    let may_have_charged = |charges: Vec<Charge>| {
        let asked = Acquire::new(charges, 1);
        store.acquire(&asked).wait().expect_err("a node declines").kind().may_have_charged()
    };
    cluster.nodes[later].tell(&["ACL", "SETUSER", "tollgate", "-evalsha"]);
    assert!(!may_have_charged(vec![next(), global(&shared)]));
    tell(&["ACL", "SETUSER", "tollgate", "-del"]);
    assert!(may_have_charged(vec![next(), global(&shared)]));
    assert_eq!(store.status().not_given_back, 1);
}

/// One that can be given back, and those before and after it: how long after the last, and how many.
type History = (Vec<(u64, u32)>, u32, Vec<(u64, u32)>, u64);

fn history() -> impl Strategy<Value = History> {
    let some = || prop::collection::vec((0..MINUTE / 2, 1..3_u32), 0..3);
    (some(), 1..4_u32, some(), prop_oneof![Just(0), 0..2 * MINUTE])
}

#[test]
fn a_refund_never_gives_back_more_than_is_owed() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(NOW));
    let store = redis_store(&server.url(), &clock);
    let mut redis = server.connection();
    for_all(150, history(), |case, (before, amount, after, wait)| {
        for policy in each_policy(10, MINUTE) {
            let [with, without] =
                ["with", "without"].map(|what| charge(&format!("{what} {case}"), &policy));
            let alone = |charge: &Charge, count| ask(&store, slice::from_ref(charge), 1, count);
            // Until when, and whether all were admitted under both.
            let both = |mut now, steps: &[(u64, u32)]| {
                clock.set(now);
                let mut all = true;
                for (later, count) in steps {
                    now += later;
                    clock.set(now);
                    all &= [&with, &without].map(|it| alone(it, *count).admitted) == [*count; 2];
                }
                (now, all)
            };
            let (charged_at, _) = both(NOW, &before);
            let charged = alone(&with, amount).admitted;
            let (now, all_after) = both(charged_at, &after);
            let now = now + wait;
            clock.set(now);
            let mut refund = redis::cmd("EVAL");
            refund.arg(tollgate::lua::REFUND).arg(1).arg(with.key.as_str());
            let quota = policy.quota();
            refund
                .arg(now)
                .arg(policy.algorithm().name())
                .arg(quota.units())
                .arg(quota.window().longest());
            let given: u32 =
                refund.arg(charged).arg(charged_at).query(&mut redis).expect("it runs");

            prop_assert!(given <= charged);
            let ttl: i64 =
                redis::cmd("PTTL").arg(with.key.as_str()).query(&mut redis).expect("a TTL");
            prop_assert_ne!(ttl, -1, "a key without an end");
            let stands = |charge: &Charge| alone(charge, 0).standings[0];
            if now == charged_at {
                prop_assert_eq!(given, charged);
                if after.is_empty() {
                    prop_assert_eq!(stands(&with), stands(&without), "{:?}", policy);
                }
            }
            // Who was denied for it in between used less than without it: that would not compare.
            if all_after {
                for later in [0, MINUTE / 3, MINUTE] {
                    clock.set(now + later);
                    let (with, without) = (stands(&with), stands(&without));
                    prop_assert!(with.remaining <= without.remaining, "{with:?}, {without:?}");
                }
            }
        }
        Ok(())
    });
}
