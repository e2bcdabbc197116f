//! Requests under way: at most so many at once in both stores alike, each with a slot that is given back once, or ends
//! by itself.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use tollgate::store::{Acquire, Acquired, Charge, Slot, Store};
use tollgate::{Algorithm, Identity, Keyspace, ManualClock, MemoryStore, Policy, Quota, Retry};

use crate::support::child::{self, TestProcess};
use crate::support::cluster::Cluster;
use crate::support::random::for_all;
use crate::support::redis::Server;
use crate::support::stores::{HOUR, NOW, ask, charge, on_each_store, patient, policy, redis_store};
use crate::support::threads::together;

mod abandoned;
mod keys;

const WINDOW: u64 = 30_000;

/// A policy of at most `most` requests at once.
fn in_flight(name: &str, most: u64) -> Arc<Policy> {
    let quota = Quota::new(most, WINDOW).expect("a quota");
    let policy = Policy::new(name, quota).expect("a plain name");
    Arc::new(policy.with_algorithm(Algorithm::InFlight).expect("a small number"))
}

/// The slots that the charge of this index took for the requests that were admitted.
fn slots(acquired: &Acquired, charge: &Charge, index: usize) -> Vec<Slot> {
    let first = acquired.slot(index).expect("it takes slots");
    let id = |number: u32| first.after(number.into());
    (0..acquired.admitted).map(|number| Slot::new(charge.clone(), id(number))).collect()
}

fn release(store: &dyn Store, slots: &[Slot]) -> Vec<bool> {
    store.release(slots.to_vec()).wait().expect("the store answers")
}

fn renew(store: &dyn Store, slots: &[Slot]) -> Vec<bool> {
    store.renew(slots.to_vec()).wait().expect("the store answers")
}

#[test]
fn no_more_requests_are_under_way_than_the_policy_allows() {
    on_each_store(|stand| {
        let charges = [charge("a", &in_flight("p", 3))];
        let acquired = stand.acquire(&charges, 1, 5);
        assert_eq!(acquired.admitted, 3);
        let standing = acquired.standings[0];
        assert_eq!(
            (standing.remaining, standing.reset_after, standing.retry),
            (0, 0, Retry::WhenFreed)
        );
        let held = slots(&acquired, &charges[0], 0);
        assert_eq!(release(&*stand.store, &held[1..2]), [true]);
        assert_eq!(stand.acquire(&charges, 1, 5).admitted, 1);
        assert_eq!(release(&*stand.store, &held), [true, false, true], "each once");
        assert_eq!(stand.acquire(&charges, 1, 5).admitted, 2);
    });
}

#[test]
fn a_slot_ends_by_itself_unless_it_is_renewed() {
    on_each_store(|stand| {
        let charges = [charge("a", &in_flight("p", 2))];
        let acquired = stand.acquire(&charges, 1, 2);
        let held = slots(&acquired, &charges[0], 0);
        stand.clock.set(NOW + WINDOW - 1);
        assert_eq!(renew(&*stand.store, &held[..1]), [true]);
        assert!(!stand.admits(&charges, 1));
        stand.clock.set(NOW + WINDOW);
        assert!(stand.admits(&charges, 1), "the other one has ended");
        assert_eq!(renew(&*stand.store, &held), [true, false], "nothing is taken again");
        stand.clock.set(NOW + 2 * WINDOW - 1);
        assert_eq!(stand.acquire(&charges, 1, 2).admitted, 0);
        stand.clock.set(NOW + 2 * WINDOW);
        assert_eq!(stand.acquire(&charges, 1, 2).admitted, 2);
    });
}

#[test]
fn a_request_takes_a_slot_and_units_or_neither() {
    on_each_store(|stand| {
        let charges =
            [charge("a", &in_flight("p", 2)), charge("a", &policy("q", "fixed-window", 5, HOUR))];
        let first = stand.acquire(&charges, 1, 2);
        assert_eq!(first.admitted, 2);
        assert_eq!(stand.acquire(&charges, 1, 1).admitted, 0);
        assert_eq!(
            stand.peek(&charges[1], 1).remaining,
            3,
            "a request without a slot uses no units"
        );
        release(&*stand.store, &slots(&first, &charges[0], 0));
        assert_eq!(stand.acquire(&charges, 4, 1).admitted, 0);
        assert_eq!(
            stand.peek(&charges[0], 1).remaining,
            2,
            "a request without units holds no slot"
        );
        let dear = stand.acquire(&charges, 3, 1);
        assert_eq!((dear.admitted, dear.standings[0].remaining), (1, 1), "whatever it costs");
    });
}

#[test]
fn never_more_at_once_than_allowed_and_each_is_given_back() {
    on_each_store(|stand| {
        let charges = [charge("a", &in_flight("p", 5))];
        let (store, under_way) = (stand.store.clone(), Arc::new(AtomicUsize::new(0)));
        let asked = charges.clone();
        let admitted: usize = together(12, move |_| {
            let mut admitted = 0;
            for _ in 0..150 {
                let acquired = ask(&*store, &asked, 1, 1);
                if acquired.admitted == 1 {
                    admitted += 1;
                    assert!(under_way.fetch_add(1, Ordering::SeqCst) < 5);
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    assert_eq!(release(&*store, &slots(&acquired, &asked[0], 0)), [true]);
                }
            }
            admitted
        })
        .into_iter()
        .sum();
        assert!(admitted >= 150, "{admitted} requests passed");
        assert_eq!(stand.peek(&charges[0], 1).remaining, 5);
    });
}

/// What is done to a key.
#[derive(Clone, Debug)]
enum Act {
    /// So many requests come, which may use the reserve or not.
    Take(u32, bool),
    Release(usize),
    Renew(usize),
}

fn acts() -> impl Strategy<Value = Vec<(usize, i64, Act)>> {
    let act = prop_oneof![
        3 => (1..=4_u32, any::<bool>()).prop_map(|(count, uses_reserve)| Act::Take(count, uses_reserve)),
        2 => (0..40_usize).prop_map(Act::Release),
        2 => (0..40_usize).prop_map(Act::Renew),
    ];
    let step = prop_oneof![8 => 0..12_000_i64, 1 => Just(30_000), 1 => -20_000..0_i64];
    vec((0..2_usize, step, act), 1..60)
}

#[test]
fn promise_8_both_stores_hold_and_free_alike() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1));
    let redis = redis_store(&server.url(), &clock);
    for_all(300, acts(), |number, acts| {
        let memory = MemoryStore::with_clock(1_000, clock.clone());
        // Two of the slots are kept in reserve.
        let (rest, whole) = (in_flight("p", 3), in_flight("p", 5));
        let of_key = |key: usize, uses_reserve: bool| {
            let identity = Identity::user(format!("{number} {key}"));
            let policy = if uses_reserve { &whole } else { &rest };
            Charge::new(policy.clone(), Keyspace::new("test").key(&identity, policy))
        };
        // For each slot that was ever taken: its key, its names in both stores, and when it ends.
        let mut taken: Vec<(usize, [Slot; 2], u64)> = Vec::new();
        let mut now = NOW;
        for (key, step, act) in acts {
            now = now.saturating_add_signed(step);
            clock.set(now);
            match act {
                Act::Take(count, uses_reserve) => {
                    let charge = of_key(key, uses_reserve);
                    let most: u64 = if uses_reserve { 5 } else { 3 };
                    // What has ended is forgotten when others are taken.
                    let held = taken.iter().filter(|it| it.0 == key && it.2 > now).count() as u64;
                    let asked = Acquire::new(vec![charge.clone()], count);
                    let answers = [
                        memory.acquire(&asked).wait().expect("memory answers"),
                        redis.acquire(&asked).wait().expect("Redis answers"),
                    ];
                    let expected = u64::from(count).min(most.saturating_sub(held));
                    for answer in &answers {
                        prop_assert_eq!(u64::from(answer.admitted), expected, "at {}", now);
                    }
                    // A wrong clock took what lasts for longer than two windows.
                    let is_wrong =
                        |it: &(usize, [Slot; 2], u64)| it.0 == key && it.2 > now + 2 * WINDOW;
                    if expected > 0 || taken.iter().any(is_wrong) {
                        taken.retain(|it| it.0 != key || it.2 > now);
                        taken
                            .iter_mut()
                            .filter(|it| is_wrong(it))
                            .for_each(|it| it.2 = now + WINDOW);
                    }
                    let names = answers
                        .each_ref()
                        .map(|it| if it.admitted > 0 { slots(it, &charge, 0) } else { Vec::new() });
                    let [ours, theirs] = names;
                    let both = ours.into_iter().zip(theirs);
                    taken.extend(both.map(|(one, other)| (key, [one, other], now + WINDOW)));
                }
                Act::Release(index) if index < taken.len() => {
                    let (_, names, ends) = taken.remove(index);
                    let was_held = vec![ends > now];
                    prop_assert_eq!(release(&memory, &names[..1]), was_held.clone());
                    prop_assert_eq!(release(&redis, &names[1..]), was_held);
                }
                Act::Renew(index) if index < taken.len() => {
                    let (_, names, ends) = &mut taken[index];
                    let was_held = vec![*ends > now];
                    prop_assert_eq!(renew(&memory, &names[..1]), was_held.clone());
                    prop_assert_eq!(renew(&redis, &names[1..]), was_held);
                    if *ends > now {
                        *ends = now + WINDOW;
                    }
                }
                Act::Release(_) | Act::Renew(_) => {}
            }
        }
        Ok(())
    });
}

#[test]
fn a_process_that_dies_holds_its_slots_for_no_longer_than_one_window() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(NOW));
    let store = redis_store(&server.url(), &clock);
    let charges = [charge("a", &in_flight("p", 3))];
    let mut process = TestProcess::start("slots::a_process_that_holds_slots", &server.url());
    process.go();
    process.value_of("held");
    process.kill();
    assert_eq!(ask(&store, &charges, 1, 1).admitted, 0);
    for (key, entry) in server.dump() {
        assert!(entry.expires_at.is_some(), "{} never goes", String::from_utf8_lossy(&key));
    }
    clock.set(NOW + WINDOW);
    assert_eq!(ask(&store, &charges, 1, 5).admitted, 3);
}

#[test]
#[ignore = "runs as a process that is killed"]
fn a_process_that_holds_slots() {
    let Some(url) = child::begin() else { return };
    let clock = Arc::new(ManualClock::new(NOW));
    let options = patient(&url).clock(clock);
    let store = tollgate::RedisStore::start(&options).expect("the private Redis answers");
    assert_eq!(ask(&store, &[charge("a", &in_flight("p", 3))], 1, 3).admitted, 3);
    child::tell("held", 1);
    loop {
        std::thread::park();
    }
}

#[test]
fn a_slot_of_another_hash_slot_is_given_back_after_a_denial() {
    let cluster = Cluster::start();
    let store = tollgate::RedisStore::start(&patient(&cluster.url())).expect("the cluster answers");
    let key = |policy: &Arc<Policy>| {
        let key = Keyspace::new("test").key(&Identity::Global, policy);
        Charge::new(policy.clone(), key)
    };
    let shared = key(&policy("shared", "fixed-window", 2, HOUR));
    assert_eq!(ask(&store, slice::from_ref(&shared), 1, 1).admitted, 1);
    let own = in_flight("own", 3);
    for user in ["a", "b", "c", "d", "e", "f"] {
        let charges = [charge(user, &own), shared.clone()];
        let some = ask(&store, &charges, 1, 3);
        let expected = u32::from(user == "a");
        assert_eq!(some.admitted, expected);
        let left = ask(&store, &charges[..1], 1, 0).standings[0].remaining;
        assert_eq!(left, u64::from(3 - expected), "{user}");
        if some.admitted == 1 {
            assert_eq!(release(&store, &slots(&some, &charges[0], 0)), [true]);
            assert_eq!(ask(&store, &charges[..1], 1, 0).standings[0].remaining, 3);
        }
    }
    let others = in_flight("global", 1);
    let both = [key(&others), charge("z", &own)];
    let first = ask(&store, &both, 1, 1);
    assert_eq!(first.admitted, 1);
    let names: HashMap<&str, _> =
        both.iter().enumerate().map(|(it, charge)| (charge.key.as_str(), first.slot(it))).collect();
    assert_eq!(names.len(), 2);
    for (index, charge) in both.iter().enumerate() {
        assert_eq!(release(&store, &slots(&first, charge, index)), [true]);
    }
    assert_eq!(ask(&store, &both, 1, 1).admitted, 1);
}
