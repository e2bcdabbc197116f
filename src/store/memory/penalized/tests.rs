use std::sync::Arc;

use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::key::Identity;
use crate::domain::penalty::Penalty;
use crate::domain::policy::Policy;
use crate::store::{Charge, Keyspace, MemoryStore, PenaltyKey, Store as _, Trial, TrialAnswer};

const MINUTE: Millis = 60_000;

fn store(max_keys: usize) -> (Arc<ManualClock>, MemoryStore) {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    (clock.clone(), MemoryStore::with_clock(max_keys, clock))
}

/// A policy that bans after 3 denials within a minute, for a minute at first and for 4 at most.
fn policy(name: &str, quota: &str) -> Arc<Policy> {
    let penalty = Penalty::new(3, MINUTE, MINUTE, 4 * MINUTE).unwrap();
    Arc::new(Policy::new(name, quota.parse().unwrap()).unwrap().with_penalty(penalty))
}

fn asked(user: &str, policies: &[&Arc<Policy>], count: u32) -> Acquire {
    let keyspace = Keyspace::new("t");
    let charge = |policy: &&Arc<Policy>| {
        Charge::new((*policy).clone(), keyspace.key(&Identity::user(user), policy))
    };
    let mut asked = Acquire::new(policies.iter().map(charge).collect(), count);
    for (index, policy) in policies.iter().enumerate() {
        if let Some(penalty) = policy.penalty() {
            let key = keyspace.penalty_key(&asked.charges[index].key, policy);
            asked.penalties.push(PenaltyKey::new(index..index + 1, *penalty, key));
        }
    }
    asked
}

/// What becomes of one request: whether it is admitted, and for how long the client is banned.
fn one(store: &MemoryStore, user: &str, policies: &[&Arc<Policy>]) -> (bool, Millis) {
    let acquired = store.acquire_now(&asked(user, policies, 1));
    (acquired.admitted == 1, acquired.ban.map_or(0, |ban| ban.lasts))
}

#[test]
fn the_last_of_so_many_denials_begins_a_ban_which_holds_even_when_the_quota_is_whole() {
    let (clock, store) = store(100);
    let login = policy("login", "1/10 seconds");
    assert_eq!(one(&store, "a", &[&login]), (true, 0));
    assert_eq!([(); 2].map(|()| one(&store, "a", &[&login])), [(false, 0); 2]);
    assert_eq!(one(&store, "a", &[&login]), (false, MINUTE));
    assert_eq!(one(&store, "b", &[&login]), (true, 0), "nobody else");
    clock.advance(MINUTE - 1);
    assert_eq!(one(&store, "a", &[&login]), (false, 1));
    clock.advance(1);
    assert_eq!(one(&store, "a", &[&login]), (true, 0), "nothing was charged meanwhile");
}

#[test]
fn only_denials_by_the_policy_itself_are_counted() {
    let (_, store) = store(100);
    let (login, daily) = (policy("login", "9/minute"), "1/day".parse().unwrap());
    let daily = Arc::new(Policy::new("daily", daily).unwrap());
    assert_eq!(one(&store, "a", &[&login, &daily]), (true, 0));
    for _ in 0..20 {
        assert_eq!(one(&store, "a", &[&login, &daily]), (false, 0));
    }
    assert_eq!(one(&store, "a", &[&login]), (true, 0));
}

#[test]
fn a_ban_by_one_policy_refuses_what_meets_others_as_well_and_charges_nothing() {
    let (_, store) = store(100);
    let (login, other) = (policy("login", "1/day"), policy("other", "9/day"));
    assert_eq!(store.acquire_now(&asked("a", &[&login], 4)).admitted, 1);
    let both = store.acquire_now(&asked("a", &[&other, &login], 1));
    assert_eq!((both.admitted, both.ban), (0, Some(Ban::new(1, MINUTE, 0))));
    assert_eq!(both.standings[0].remaining, 9);
    assert_eq!(one(&store, "a", &[&other]), (true, 0), "it bans from its own requests alone");
}

#[test]
fn requests_that_come_together_are_counted_as_if_one_after_another() {
    for together in 1..9 {
        let (_, alone) = store(100);
        let (_, store) = store(100);
        let (login, other) = (policy("login", "2/day"), policy("other", "2/day"));
        let all = store.acquire_now(&asked("a", &[&login, &other], together));
        let one_by_one: Vec<_> =
            (0..together).map(|_| alone.acquire_now(&asked("a", &[&login, &other], 1))).collect();
        assert_eq!(all.admitted, one_by_one.iter().map(|it| it.admitted).sum::<u32>());
        let unbanned = one_by_one.iter().filter(|it| it.ban.is_none()).count();
        let begins = all.ban.map_or(together, |ban| ban.decided - 1);
        assert_eq!(begins as usize, unbanned, "{together} requests");
        assert_eq!(all.ban.map(|it| it.lasts), one_by_one.last().unwrap().ban.map(|it| it.lasts));
    }
}

#[test]
fn a_peek_tells_of_a_ban_and_counts_no_denial() {
    let (_, store) = store(100);
    let login = policy("login", "1/day");
    one(&store, "a", &[&login]);
    for _ in 0..5 {
        assert_eq!(store.acquire_now(&asked("a", &[&login], 0)).ban, None);
    }
    assert_eq!(store.acquire_now(&asked("a", &[&login], 3)).ban, Some(Ban::new(0, MINUTE, 3)));
    let peeked = store.acquire_now(&asked("a", &[&login], 0));
    assert_eq!(peeked.ban, Some(Ban::new(0, MINUTE, 0)));
    assert!(!peeked.is_allowed(0));
}

#[test]
fn a_reset_ends_a_ban_and_forgets_the_ones_before() {
    let (_, store) = store(100);
    let login = policy("login", "1/day");
    let all = asked("a", &[&login], 4);
    let _ = store.acquire_now(&all);
    let keys = vec![all.charges[0].key.clone(), all.penalties[0].key.clone()];
    store.reset(keys).wait().unwrap();
    assert_eq!(store.acquire_now(&all).ban, Some(Ban::new(0, MINUTE, 4)), "the first ban again");
}

#[test]
fn a_candidate_decides_what_its_policy_denies_up_to_the_ban() {
    let (_, store) = store(100);
    let (login, candidate) = (policy("login", "1/day"), policy("candidate", "9/day"));
    let candidate = || Trial::new(asked("a", &[&candidate], 1).charges.remove(0), Some(0..1));
    let all = |count| asked("a", &[&login], count).with_trial(candidate());
    let admitted = |asked| {
        let trials: Vec<TrialAnswer> = store.acquire_now(&asked).trials;
        trials[0].admitted
    };
    assert_eq!(admitted(all(6)), 4, "one that was admitted, and three that were denied");
    assert_eq!(admitted(all(1)), 0, "the client is banned");
}

#[test]
fn a_full_store_bans_nobody_new_and_forgets_nobody() {
    let (clock, store) = store(1);
    let login = policy("login", "1/day");
    let (first, others) = ("a", ["b", "c", "d"]);
    let _ = store.acquire_now(&asked(first, &[&login], 3));
    for user in others {
        let _ = store.acquire_now(&asked(user, &[&login], 9));
    }
    let ban = |user| store.acquire_now(&asked(user, &[&login], 1)).ban;
    assert_eq!(others.map(ban), [None; 3]);
    assert_eq!(ban(first), Some(Ban::new(0, MINUTE, 1)), "its third denial");
    clock.advance(5 * MINUTE);
    let _ = store.acquire_now(&asked("b", &[&login], 3));
    assert_eq!(ban("b"), Some(Ban::new(0, MINUTE, 0)), "what is over makes room");
}
