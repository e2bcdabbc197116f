//! Policies that are tried out in a cluster, beside policies whose keys are in several slots.

use std::sync::Arc;

use proptest::prelude::*;
use tollgate::store::{Acquire, Charge, Store as _, Trial};
use tollgate::{Identity, Keyspace, ManualClock, MemoryStore, Policy, RedisStore};

use crate::support::cluster::Cluster;
use crate::support::random::for_all;
use crate::support::stores::{HOUR, NOW, patient, policy};
use crate::support::threads::until;

/// A request of one user or another: its count, which trials it has, and how far the clock goes before it.
type Asked = (u32, u8, usize, u64);

#[test]
fn a_cluster_tries_policies_out_as_the_memory_store_does() {
    let cluster = Cluster::start();
    let clock = Arc::new(ManualClock::new(NOW));
    let options = patient(&cluster.url()).clock(clock.clone());
    let store = RedisStore::start(&options).expect("a store");
    until("the store is up", || store.is_up());
    let policies = [("own", 4), ("shared", 9), ("less", 2), ("more", 7), ("shadow", 3)]
        .map(|(name, units)| policy(name, "sliding-window", units, HOUR));
    let further = [("own", 3), ("more", 4), ("shadow", 2)]
        .map(|(name, units)| policy(name, "sliding-window", units, HOUR / 4));
    let history = prop::collection::vec((1..4_u32, 0..8_u8, 0..2_usize, 0..HOUR / 4), 5..25);
    for_all(40, history, |number, history: Vec<Asked>| {
        let keyspace = Keyspace::new(format!("t{number}"));
        let memory = MemoryStore::with_clock(1_000, clock.clone());
        clock.set(NOW);
        for (count, bits, user, step) in history {
            clock.advance(step);
            let user = Identity::user(format!("u{user}"));
            let charge = |identity: &Identity<'_>, policy: &Arc<Policy>| {
                Charge::new(policy.clone(), keyspace.key(identity, policy))
            };
            let [own, shared, less, more, shadow] = &policies;
            let [own_soon, more_soon, shadow_soon] = &further;
            let charges = vec![
                charge(&user, own),
                charge(&user, own_soon),
                charge(&Identity::Global, shared),
            ];
            let all = Identity::user("all");
            let trials = [
                Trial::new(charge(&user, less), Some(0..2)),
                Trial::new(charge(&user, more), Some(0..2)).with_further(charge(&user, more_soon)),
                // In the slot of neither of them.
                Trial::new(charge(&all, shadow), None).with_further(charge(&all, shadow_soon)),
            ];
            let tried = trials.into_iter().enumerate().filter(|(it, _)| bits & (1 << it) != 0);
            let asked = Acquire::new(charges, count);
            let asked = tried.fold(asked, |asked, (_, trial)| asked.with_trial(trial));
            let expected = memory.acquire_now(&asked);
            let answer = store.acquire(&asked).wait().expect("the cluster answers");
            prop_assert_eq!(answer, expected, "{:?}", asked);
        }
        Ok(())
    });
}
