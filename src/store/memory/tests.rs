use super::shards::ENOUGH_SHARDS;
use super::table::SMALLEST_SWEEP;
use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::{ManualClock, Millis};
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::domain::quota::{Cost, Quota};
use crate::store::{Charge, Keyspace};

const MINUTE: Millis = 60_000;

fn store(max_keys: usize) -> (Arc<ManualClock>, MemoryStore) {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    (clock.clone(), MemoryStore::with_clock(max_keys, clock))
}

fn acquire(users: &[&str], policy: &Arc<Policy>, count: u32) -> Acquire {
    let keyspace = Keyspace::new("t");
    let charge =
        |user: &&str| Charge::new(policy.clone(), keyspace.key(&Identity::user(user), policy));
    Acquire::new(users.iter().map(charge).collect(), count)
}

fn per_minute(quota: u64) -> Arc<Policy> {
    Arc::new(Policy::new("p", Quota::new(quota, MINUTE).unwrap()).unwrap())
}

fn admitted(store: &MemoryStore, acquire: Acquire) -> u32 {
    store.acquire(&acquire).wait().expect("memory answers").admitted
}

#[test]
fn a_full_store_counts_new_keys_together_and_keeps_every_count() {
    let (_, store) = store(3);
    let policy = per_minute(2);
    let admits = |user: usize| admitted(&store, acquire(&[&user.to_string()], &policy, 1));
    let of_each: Vec<u32> = (0..1_000).map(admits).collect();
    // Each of three by itself, and two more requests of all the others.
    assert_eq!((of_each.iter().sum::<u32>(), store.len()), (5, 3));
    assert_eq!(of_each[..5], [1; 5]);
    let again: Vec<u32> = (0..5).map(admits).collect();
    assert_eq!(again, [1, 1, 1, 0, 0], "nobody was reset");
    let third: Vec<u32> = (0..5).map(admits).collect();
    assert_eq!(third, [0; 5]);
}

#[test]
fn a_full_store_takes_new_keys_as_soon_as_old_ones_are_whole() {
    let (clock, store) = store(1);
    let policy = per_minute(1);
    for user in ["a", "b"] {
        assert_eq!(admitted(&store, acquire(&[user], &policy, 1)), 1);
    }
    clock.advance(MINUTE - 1);
    assert_eq!(admitted(&store, acquire(&["b"], &policy, 1)), 0, "b is counted with all others");
    clock.advance(1);
    for (user, units) in [("b", 1), ("b", 0), ("c", 1), ("c", 0)] {
        assert_eq!(admitted(&store, acquire(&[user], &policy, 1)), units, "{user}");
    }
    assert_eq!(store.len(), 1);
}

#[test]
fn a_request_is_charged_to_the_counts_of_all_its_keys_or_to_none() {
    let (_, store) = store(1);
    let policy = per_minute(5);
    assert_eq!(admitted(&store, acquire(&["a"], &policy, 1)), 1);
    assert_eq!(admitted(&store, acquire(&["a", "b"], &policy, 3)), 3);
    // One is left to a, and two to all others.
    assert_eq!(admitted(&store, acquire(&["c", "a"], &policy, 2)), 1);
    assert_eq!(admitted(&store, acquire(&["a", "b"], &policy, 1)), 0);
    assert_eq!(admitted(&store, acquire(&["d"], &policy, 2)), 1);
}

#[test]
fn two_new_keys_do_not_share_the_last_place() {
    let (_, store) = store(1);
    let policy = per_minute(5);
    assert_eq!(admitted(&store, acquire(&["a", "b"], &policy, 1)), 1);
    assert_eq!(store.len(), 1);
}

#[test]
fn keys_of_a_request_that_are_counted_together_use_it_together() {
    for algorithm in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
        let (_, store) = store(1);
        let quota = Quota::new(5, MINUTE).unwrap();
        let algorithm = Algorithm::named(algorithm, quota).unwrap();
        let policy = Arc::new(Policy::new("p", quota).unwrap().with_algorithm(algorithm).unwrap());
        assert_eq!(admitted(&store, acquire(&["a"], &policy, 1)), 1);
        assert_eq!(admitted(&store, acquire(&["b", "c"], &policy, 4)), 2, "{algorithm}");
        assert_eq!(admitted(&store, acquire(&["d"], &policy, 4)), 1, "{algorithm}");
    }
}

#[test]
fn keys_that_are_whole_leave_long_before_the_store_is_full() {
    let (clock, store) = store(1_000_000);
    let policy = per_minute(1);
    for user in 0..100_000 {
        clock.advance(100);
        assert_eq!(admitted(&store, acquire(&[&user.to_string()], &policy, 1)), 1);
    }
    // 600 keys are live at a time; a shard is swept when it has doubled, and from 64 keys on.
    assert!(store.len() <= ENOUGH_SHARDS * SMALLEST_SWEEP, "{} keys", store.len());
}

#[test]
fn neither_a_peek_nor_a_denial_makes_a_key() {
    let (_, store) = store(10);
    let policy = per_minute(1);
    assert_eq!(admitted(&store, acquire(&["a"], &policy, 0)), 0);
    let dear = acquire(&["a"], &policy, 1).at_cost(Cost::new(2).unwrap());
    assert_eq!(admitted(&store, dear), 0);
    assert!(store.is_empty());
}

#[test]
fn a_reset_forgets_one_key_and_no_other() {
    let (_, store) = store(10);
    let policy = per_minute(1);
    for user in ["a", "b"] {
        assert_eq!(admitted(&store, acquire(&[user], &policy, 1)), 1);
    }
    let key = acquire(&["a"], &policy, 1).charges.remove(0).key;
    store.reset(vec![key]).wait().unwrap();
    assert_eq!(admitted(&store, acquire(&["a"], &policy, 1)), 1);
    assert_eq!(admitted(&store, acquire(&["b"], &policy, 1)), 0);
}

#[test]
fn threads_on_keys_in_any_order_neither_lock_up_nor_admit_too_much() {
    let store = MemoryStore::new(100_000);
    let policy = Arc::new(Policy::new("p", "500/day".parse().unwrap()).unwrap());
    let total: u32 = std::thread::scope(|scope| {
        let run = |users: [&'static str; 3]| {
            let (store, policy) = (&store, &policy);
            scope.spawn(move || {
                (0..300).map(|_| admitted(store, acquire(&users, policy, 1))).sum::<u32>()
            })
        };
        let threads = [run(["a", "b", "c"]), run(["c", "b", "a"]), run(["b", "a", "c"])];
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(total, 500);
}
