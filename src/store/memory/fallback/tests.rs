use super::super::shards::MAX_DEBTS;
use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::key::Identity;
use crate::domain::quota::Quota;
use crate::store::Keyspace;

const NOW: Millis = 1_700_000_040_000;

fn store(max_keys: usize) -> MemoryStore {
    MemoryStore::with_clock(max_keys, Arc::new(ManualClock::new(NOW)))
}

fn policy(units: u64) -> Arc<Policy> {
    Arc::new(Policy::new("p", Quota::new(units, 60_000).unwrap()).unwrap())
}

fn asked(user: &str, policy: &Arc<Policy>, count: u32) -> Acquire {
    let key = Keyspace::new("t").key(&Identity::user(user), policy);
    let charges = vec![Charge::new(policy.clone(), key)];
    Acquire::new(charges, count)
}

/// How many of `count` requests are admitted, of a key of which so much is known to be used.
fn admitted(
    store: &MemoryStore,
    user: &str,
    policy: &Arc<Policy>,
    count: u32,
    used: Option<u64>,
) -> u32 {
    let asked = asked(user, policy, count);
    let known = |_, _| used.map(|used| LastKnown { used, at: NOW });
    let request = FallbackRequest { asked: &asked, owed: Some(&asked), known };
    store.acquire_as_fallback(&request).admitted
}

#[test]
fn a_full_store_begins_no_key_and_still_counts_the_old_ones() {
    let (store, policy) = (store(1), policy(5));
    assert_eq!(admitted(&store, "a", &policy, 1, Some(2)), 1);
    assert_eq!(admitted(&store, "b", &policy, 1, Some(2)), 1);
    assert_eq!(store.len(), 1);
    assert_eq!(admitted(&store, "a", &policy, 9, Some(2)), 2);
}

#[test]
fn who_is_counted_with_others_gets_no_more_than_is_known_to_be_left() {
    let (store, policy) = (store(1), policy(5));
    assert_eq!(admitted(&store, "a", &policy, 1, None), 1);
    assert_eq!(admitted(&store, "b", &policy, 9, Some(5)), 0);
    assert_eq!(admitted(&store, "b", &policy, 9, Some(3)), 2);
    assert_eq!(admitted(&store, "c", &policy, 9, None), 3);
    assert_eq!(admitted(&store, "d", &policy, 1, None), 0);
    // It was charged to no key of the other store alone, so it is owed under none.
    let debts = store.debts(10);
    assert_eq!(debts.iter().map(|debt| debt.count).collect::<Vec<_>>(), [1]);
}

#[test]
fn debts_are_handed_out_in_parts_and_each_once() {
    let (store, policy) = (store(100_000), policy(5));
    for user in 0..1_000 {
        assert_eq!(admitted(&store, &user.to_string(), &policy, 3, None), 3);
    }
    let mut keys = std::collections::BTreeSet::new();
    loop {
        let debts = store.debts(128);
        assert!(debts.len() <= 128, "{} at once", debts.len());
        if debts.is_empty() {
            break;
        }
        for debt in debts {
            assert_eq!(debt.count, 3);
            assert!(keys.insert(debt.charges[0].key.clone()), "handed out twice");
        }
    }
    assert_eq!(keys.len(), 1_000);
}

#[test]
fn no_more_keys_owe_than_are_remembered() {
    let (store, policy) = (store(10_000_000), policy(5));
    for user in 0..2 * MAX_DEBTS {
        admitted(&store, &user.to_string(), &policy, 1, None);
    }
    let debts = store.debts(usize::MAX).len();
    assert!((MAX_DEBTS * 9 / 10..=MAX_DEBTS + store.shards.len()).contains(&debts), "{debts}");
}

#[test]
fn more_units_than_a_call_takes_are_handed_out_in_several() {
    let (store, policy) = (store(10), policy(1 << 40));
    let cost = Cost::new(1 << 33).unwrap();
    let asked = asked("a", &policy, 1).at_cost(cost);
    let request = FallbackRequest { asked: &asked, owed: Some(&asked), known: |_, _| None };
    store.acquire_as_fallback(&request);
    let units: u64 = (0..3).flat_map(|_| store.debts(1)).map(|debt| u64::from(debt.count)).sum();
    assert_eq!(units, 1 << 33);
    assert_eq!(store.debts(1).len(), 0);
}

#[test]
fn a_settled_key_goes_unless_it_owes_again() {
    let (store, policy) = (store(10), policy(5));
    for (again, keys) in [(false, 0), (true, 1)] {
        admitted(&store, "a", &policy, 1, None);
        let debt = store.debts(1).pop().unwrap();
        if again {
            admitted(&store, "a", &policy, 1, None);
        }
        store.settled(&debt.charges[0].key);
        assert_eq!(store.len(), keys, "{again}");
    }
}
