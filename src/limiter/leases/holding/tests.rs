use std::sync::Arc;

use super::*;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::store::Keyspace;

const LEASE: Millis = 100;
const NOW: Millis = 5_000;

fn holding() -> Holding {
    let policy = Arc::new(Policy::new("p", "1000/minute".parse().unwrap()).unwrap());
    let key = Keyspace::new("t").key(&Identity::user("1"), &policy);
    Holding::new(Charge::new(policy, key), LEASE, Arc::default())
}

fn granted(units: u64, remaining: u64) -> Holding {
    let mut holding = holding();
    assert!(holding.grant(grant(units, remaining, NOW), NOW));
    holding
}

fn grant(units: u64, remaining: u64, asked: Millis) -> Grant {
    let standing = Standing::new(remaining, 30_000, Retry::Now);
    Grant { units, standing, charged_at: Some(77), asked }
}

#[test]
fn units_are_taken_until_none_is_left_and_what_remains_counts_them() {
    let mut holding = granted(20, 100);
    let remaining: Vec<u64> = (0..3)
        .map(|_| holding.take(8, NOW + 1))
        .map_while(|it| Some(it?.standing.remaining))
        .collect();
    assert_eq!(remaining, [112, 104], "4 are left, which is less than 8");
    let taken = holding.take(4, NOW + 50).unwrap();
    assert_eq!(taken.standing, Standing::new(100, 29_950, Retry::Now));
    assert_eq!(taken.charged_at, Some(77));
    assert_eq!(holding.take(1, NOW + 50), None);
}

#[test]
fn a_lease_ends_by_the_moment_before_the_store_was_asked() {
    let mut holding = holding();
    // The answer took 30 ms.
    assert!(holding.grant(grant(20, 100, NOW), NOW + 30));
    assert!(holding.take(1, NOW + LEASE - 1).is_some());
    assert!(holding.take(1, NOW + LEASE).is_none());
    assert!(!holding.grant(grant(20, 100, NOW), NOW + LEASE), "the answer came too late");
}

#[test]
fn units_that_were_put_back_are_taken_again_but_not_after_their_lease() {
    let mut holding = granted(16, 100);
    let all = holding.take(16, NOW).unwrap();
    assert!(holding.put_back(&all, 16, NOW + 1).is_none());
    let again = holding.take(16, NOW + 1).unwrap();
    let unused = holding.put_back(&again, 16, NOW + LEASE).unwrap();
    assert_eq!((unused.units, unused.charged_at), (16, Some(77)));
}

#[test]
fn a_request_whose_successor_might_be_denied_is_not_answered_from_a_lease() {
    let mut holding = granted(16, 4);
    assert!(holding.take(11, NOW).is_none(), "9 would remain, here and in the store");
    assert!(holding.take(10, NOW).is_some());
}

#[test]
fn leases_end_when_their_time_is_over_or_nobody_uses_them() {
    let mut holding = granted(16, 100);
    holding.take(1, NOW).unwrap();
    assert!(holding.end_old(NOW + LEASE / 2 - 1).is_empty());
    let unused = holding.end_old(NOW + LEASE / 2);
    assert_eq!(unused.iter().map(|it| it.units).collect::<Vec<_>>(), [15]);
    assert_eq!(holding.left(NOW + 1), 0);
    assert!(!holding.is_over(NOW + LEASE));
    assert!(holding.is_over(NOW + 2 * LEASE));
}

#[test]
fn more_is_asked_for_once_and_only_for_a_busy_key_that_has_little_left() {
    let mut holding = holding();
    for _ in 0..chunk::BUSY - 1 {
        holding.take(1, NOW);
        assert!(!holding.begins_to_ask(NOW));
    }
    holding.take(1, NOW);
    assert!(holding.begins_to_ask(NOW));
    assert!(!holding.begins_to_ask(NOW), "it asks already");
    assert!(holding.grant(grant(20, 1_000, NOW), NOW));
    for _ in 0..15 {
        holding.take(1, NOW);
        assert!(!holding.begins_to_ask(NOW), "{} are left", holding.left(NOW));
    }
    holding.take(1, NOW);
    assert!(holding.begins_to_ask(NOW), "4 of 20 are left");
    holding.refuse(NOW);
    assert!(!holding.begins_to_ask(NOW + LEASE - 1));
    holding.take(1, NOW + LEASE - 1);
    assert!(holding.begins_to_ask(NOW + LEASE));
}

#[test]
fn more_is_asked_for_before_the_lease_of_a_busy_key_ends() {
    let mut holding = granted(1_000, 10_000);
    for _ in 0..2 * chunk::BUSY {
        assert!(holding.take(1, NOW + LEASE / 2).is_some());
    }
    let spare = LEASE - LEASE / 5;
    assert!(!holding.begins_to_ask(NOW + spare - 1), "much is left, and for some time");
    assert!(holding.begins_to_ask(NOW + spare));
}
