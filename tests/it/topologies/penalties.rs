//! Penalties in a cluster, where a request may meet other policies whose keys are in other slots.

use std::sync::Arc;

use proptest::prelude::*;
use tollgate::store::{Acquire, Ban, Charge, PenaltyKey, Store as _, Trial};
use tollgate::{Identity, Keyspace, ManualClock, MemoryStore, Penalty, Policy, RedisStore};

use crate::support::cluster::Cluster;
use crate::support::random::for_all;
use crate::support::stores::{HOUR, MINUTE, NOW, patient, policy};
use crate::support::threads::until;

/// A request of one user or another: its count, what it meets, and how far the clock goes before it.
type Asked = (u32, u8, usize, u64);

fn store(cluster: &Cluster, clock: &Arc<ManualClock>) -> RedisStore {
    let options = patient(&cluster.url()).clock(clock.clone());
    let store = RedisStore::start(&options).expect("a store");
    until("the store is up", || store.is_up());
    store
}

/// A policy that bans after some denials within a minute, for half a minute at first.
fn with_penalty(name: &str, units: u64, denials: u32) -> Arc<Policy> {
    let penalty = Penalty::new(denials, MINUTE, MINUTE / 2, 4 * MINUTE).expect("a penalty");
    Arc::new(Policy::clone(&policy(name, "sliding-window", units, HOUR)).with_penalty(penalty))
}

/// What `count` requests of `charges` ask, with the penalties of their policies.
fn asked(keyspace: &Keyspace, charges: Vec<Charge>, count: u32) -> Acquire {
    let penalty = |(index, charge): (usize, &Charge)| {
        let key = keyspace.penalty_key(&charge.key, &charge.policy);
        Some(PenaltyKey::new(index..index + 1, *charge.policy.penalty()?, key))
    };
    let penalties: Vec<_> = charges.iter().enumerate().filter_map(penalty).collect();
    penalties.into_iter().fold(Acquire::new(charges, count), Acquire::with_penalty)
}

fn charge(keyspace: &Keyspace, identity: &Identity<'_>, policy: &Arc<Policy>) -> Charge {
    Charge::new(policy.clone(), keyspace.key(identity, policy))
}

#[test]
fn a_cluster_bans_as_the_memory_store_does() {
    let cluster = Cluster::start();
    let clock = Arc::new(ManualClock::new(NOW));
    let store = store(&cluster, &clock);
    let (first, second) = (with_penalty("first", 4, 3), with_penalty("second", 6, 2));
    let [shared, candidate, shadow] = [("shared", 9), ("candidate", 7), ("shadow", 3)]
        .map(|(name, units)| policy(name, "sliding-window", units, HOUR));
    let history = prop::collection::vec((0..5_u32, 0..16_u8, 0..2_usize, 0..MINUTE), 5..30);
    let mut bans = 0;
    for_all(40, history, |number, history: Vec<Asked>| {
        let keyspace = Keyspace::new(format!("t{number}"));
        let memory = MemoryStore::with_clock(1_000, clock.clone());
        clock.set(NOW);
        for (count, bits, user, step) in history {
            clock.advance(step);
            let user = Identity::user(format!("u{user}"));
            let charge = |identity, policy| charge(&keyspace, identity, policy);
            let is_in_two_slots = bits & 1 != 0;
            let asked = if is_in_two_slots {
                // Requests that come together are denied slot by slot, and so are asked one by one.
                let charges = vec![charge(&user, &first), charge(&Identity::Global, &shared)];
                asked(&keyspace, charges, count.min(1))
            } else {
                asked(&keyspace, vec![charge(&user, &first), charge(&user, &second)], count)
            };
            let trials = [
                Trial::new(charge(&user, &candidate), Some(0..1)),
                // In another slot.
                Trial::new(charge(&Identity::user("all"), &shadow), None),
            ];
            let tried = trials.into_iter().enumerate();
            let tried = tried.filter(|(it, _)| asked.count > 0 && bits & (2 << it) != 0);
            let asked = tried.fold(asked.clone(), |asked, (_, trial)| asked.with_trial(trial));
            let expected = memory.acquire_now(&asked);
            bans += u32::from(expected.ban.is_some());
            let answer = store.acquire(&asked).wait().expect("the cluster answers");
            prop_assert_eq!(answer, expected, "{:?}", asked);
        }
        Ok(())
    });
    assert!(bans > 50, "{bans} requests were refused because of a ban");
}

#[test]
fn a_ban_in_a_later_slot_takes_back_what_an_earlier_one_was_charged() {
    let cluster = Cluster::start();
    let clock = Arc::new(ManualClock::new(NOW));
    let store = store(&cluster, &clock);
    let keyspace = Keyspace::new("t");
    let (login, shared) =
        (with_penalty("login", 1, 1), policy("shared", "sliding-window", 9, HOUR));
    let user = Identity::user("a");
    let own = charge(&keyspace, &user, &login);
    let ask = |charges, count| {
        store.acquire(&asked(&keyspace, charges, count)).wait().expect("the cluster answers")
    };
    assert_eq!(ask(vec![own.clone()], 2).ban, Some(Ban::new(0, MINUTE / 2, 2)));
    let answer = ask(vec![charge(&keyspace, &Identity::Global, &shared), own], 1);
    assert_eq!((answer.admitted, answer.ban), (0, Some(Ban::new(0, MINUTE / 2, 0))));
    assert_eq!(answer.standings[0].remaining, 9);
}
