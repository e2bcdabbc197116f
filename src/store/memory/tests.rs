use super::*;
use crate::clock::ManualClock;
use crate::key::Identity;
use crate::policy::Policy;
use crate::quota::Quota;
use crate::store::Keyspace;

const MINUTE: Millis = 60_000;

fn store(max_keys: usize) -> (Arc<ManualClock>, MemoryStore) {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    (clock.clone(), MemoryStore::with_clock(max_keys, clock))
}

fn acquire(users: &[&str], policy: &Arc<Policy>, count: u32) -> Acquire {
    let keyspace = Keyspace::new("t");
    let charge = |user: &&str| Charge {
        policy: policy.clone(),
        key: keyspace.key(&Identity::user(user), policy),
    };
    Acquire { charges: users.iter().map(charge).collect(), cost: Cost::ONE, count }
}

fn per_minute(quota: u64) -> Arc<Policy> {
    Arc::new(Policy::new("p", Quota::new(quota, MINUTE).unwrap()).unwrap())
}

fn admitted(store: &MemoryStore, acquire: Acquire) -> Result<u32, StoreErrorKind> {
    store.acquire(&acquire).wait().map(|it| it.admitted).map_err(|error| error.kind())
}

#[test]
fn a_full_store_refuses_a_new_key_and_keeps_every_count() {
    let (_, store) = store(3);
    let policy = per_minute(1);
    let mut kept = Vec::new();
    for user in 0..1_000 {
        let user = user.to_string();
        match admitted(&store, acquire(&[&user], &policy, 1)) {
            Ok(1) => kept.push(user),
            other => assert_eq!(other, Err(StoreErrorKind::Full)),
        }
    }
    assert_eq!((kept.len(), store.len()), (3, 3));
    for user in kept {
        assert_eq!(admitted(&store, acquire(&[&user], &policy, 1)), Ok(0), "{user} was reset");
    }
}

#[test]
fn a_full_store_takes_new_keys_as_soon_as_old_ones_are_whole() {
    let (clock, store) = store(1);
    let policy = per_minute(1);
    assert_eq!(admitted(&store, acquire(&["a"], &policy, 1)), Ok(1));
    clock.advance(MINUTE - 1);
    assert_eq!(admitted(&store, acquire(&["b"], &policy, 1)), Err(StoreErrorKind::Full));
    clock.advance(1);
    assert_eq!(admitted(&store, acquire(&["b"], &policy, 1)), Ok(1));
    assert_eq!(store.len(), 1);
}

#[test]
fn a_request_without_room_for_all_its_keys_charges_none() {
    let (_, store) = store(1);
    let policy = per_minute(5);
    assert_eq!(admitted(&store, acquire(&["a"], &policy, 1)), Ok(1));
    assert_eq!(admitted(&store, acquire(&["a", "b"], &policy, 1)), Err(StoreErrorKind::Full));
    let peek = store.acquire(&acquire(&["a"], &policy, 0)).wait().unwrap();
    assert_eq!(peek.standings[0].remaining, 4);
}

#[test]
fn two_new_keys_do_not_share_the_last_place() {
    let (_, store) = store(1);
    let policy = per_minute(5);
    assert_eq!(admitted(&store, acquire(&["a", "b"], &policy, 1)), Err(StoreErrorKind::Full));
    assert!(store.is_empty());
}

#[test]
fn keys_that_are_whole_leave_long_before_the_store_is_full() {
    let (clock, store) = store(1_000_000);
    let policy = per_minute(1);
    for user in 0..100_000 {
        clock.advance(100);
        assert_eq!(admitted(&store, acquire(&[&user.to_string()], &policy, 1)), Ok(1));
    }
    // 600 keys are live at a time; a shard is swept when it has doubled, and from 64 keys on.
    assert!(store.len() <= ENOUGH_SHARDS * SMALLEST_SWEEP, "{} keys", store.len());
}

#[test]
fn neither_a_peek_nor_a_denial_makes_a_key() {
    let (_, store) = store(10);
    let policy = per_minute(1);
    assert_eq!(admitted(&store, acquire(&["a"], &policy, 0)), Ok(0));
    let dear = Acquire { cost: Cost::new(2).unwrap(), ..acquire(&["a"], &policy, 1) };
    assert_eq!(admitted(&store, dear), Ok(0));
    assert!(store.is_empty());
}

#[test]
fn a_reset_forgets_one_key_and_no_other() {
    let (_, store) = store(10);
    let policy = per_minute(1);
    for user in ["a", "b"] {
        assert_eq!(admitted(&store, acquire(&[user], &policy, 1)), Ok(1));
    }
    let key = acquire(&["a"], &policy, 1).charges.remove(0).key;
    store.reset(vec![key]).wait().unwrap();
    assert_eq!(admitted(&store, acquire(&["a"], &policy, 1)), Ok(1));
    assert_eq!(admitted(&store, acquire(&["b"], &policy, 1)), Ok(0));
}

#[test]
fn threads_on_keys_in_any_order_neither_lock_up_nor_admit_too_much() {
    let store = MemoryStore::new(100_000);
    let policy = Arc::new(Policy::new("p", "500/day".parse().unwrap()).unwrap());
    let total: u32 = std::thread::scope(|scope| {
        let run = |users: [&'static str; 3]| {
            let (store, policy) = (&store, &policy);
            scope.spawn(move || {
                (0..300).map(|_| admitted(store, acquire(&users, policy, 1)).unwrap()).sum::<u32>()
            })
        };
        let threads = [run(["a", "b", "c"]), run(["c", "b", "a"]), run(["b", "a", "c"])];
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(total, 500);
}

#[test]
fn an_entry_is_small() {
    assert!(size_of::<(Name, Entry)>() <= 56, "{} bytes", size_of::<(Name, Entry)>());
}
