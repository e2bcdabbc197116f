//! Several clients under several policies in one decision.

use std::pin::pin;

use super::admission::{builder, decided};
use super::*;
use crate::limiter::{Part, Together};

fn limiter(quotas: &[(&str, &str)]) -> Limiter {
    let store = Arc::new(MemoryStore::new(1_000));
    let add = |builder: LimiterBuilder, (name, quota): &(&str, &str)| {
        builder.policy(policy(name, quota, OnStoreFailure::Deny))
    };
    quotas.iter().fold(builder(store), add).build().unwrap()
}

/// Asks for so many units of each client under the policy of each name.
fn ask(limiter: &Limiter, parts: &[(&str, &'static str, u64)]) -> Together {
    with_parts(limiter, parts, |parts| decided(pin!(limiter.admit_together("test", parts))))
}

fn with_parts<T>(
    limiter: &Limiter,
    parts: &[(&str, &'static str, u64)],
    ask: impl FnOnce(&[Part<'_>]) -> T,
) -> T {
    let policies = parts.iter().map(|(name, ..)| limiter.policies([name]).unwrap());
    let policies: Vec<Policies> = policies.collect();
    let parts = parts.iter().zip(&policies).map(|((_, user, units), policies)| Part {
        policies,
        client: Client::user(*user),
        units: *units,
        quota: None,
    });
    ask(&parts.collect::<Vec<_>>())
}

/// What is left of each part, and whether it has room.
fn left(together: &Together) -> Vec<(u64, bool)> {
    let part = |part: &crate::limiter::PartAnswer| {
        (part.policies().map(|(_, standing)| standing.remaining).sum(), part.admits())
    };
    together.parts().iter().map(part).collect()
}

#[test]
fn one_part_of_three_that_denies_leaves_the_others_uncharged() {
    let limiter = limiter(&[("a", "5/day"), ("b", "1/day"), ("c", "9/day")]);
    let all = [("a", "x", 2), ("b", "y", 1), ("c", "x", 4)];
    let first = ask(&limiter, &all);
    assert!(first.is_allowed());
    assert_eq!(left(&first), [(3, true), (0, true), (5, true)]);
    let second = ask(&limiter, &all);
    assert!(!second.is_allowed() && second.refused().is_none());
    assert_eq!(left(&second), [(3, true), (0, false), (5, true)]);
    assert!(second.parts()[0].retry_after().is_none());
    assert!(second.parts()[1].retry_after().is_some());
    // Another client of `b` has a quota of its own.
    assert!(ask(&limiter, &[("a", "x", 2), ("b", "z", 1)]).is_allowed());
}

#[test]
fn parts_that_share_a_key_are_charged_their_sum() {
    let limiter = limiter(&[("a", "5/day")]);
    let both = [("a", "x", 2), ("a", "x", 2)];
    assert_eq!(left(&ask(&limiter, &both)), [(1, true), (1, true)]);
    let denied = ask(&limiter, &both);
    assert!(!denied.is_allowed());
    assert_eq!(left(&denied), [(1, false), (1, false)]);
    assert!(ask(&limiter, &[("a", "x", 1)]).is_allowed());
}

#[test]
fn a_part_without_units_needs_room_and_uses_none() {
    let limiter = limiter(&[("a", "2/day"), ("b", "1/day")]);
    let both = [("a", "x", 1), ("b", "x", 0)];
    assert_eq!(left(&ask(&limiter, &both)), [(1, true), (1, true)]);
    assert!(ask(&limiter, &[("b", "x", 1)]).is_allowed());
    let denied = ask(&limiter, &both);
    assert!(!denied.is_allowed());
    assert_eq!(left(&denied), [(1, true), (0, false)], "and the other part is not charged");
}

#[test]
fn a_client_that_is_blocked_refuses_all_and_one_that_passes_is_left_out() {
    let limiter = limiter(&[("a", "2/day")]);
    let blocked = ask(&limiter, &[("a", "x", 1), ("a", "eve", 1)]);
    assert!(matches!(blocked.refused(), Some(Refused::Blocked)));
    assert_eq!(left(&blocked), [(0, true), (0, false)]);
    for remaining in [1, 0] {
        let spared = ask(&limiter, &[("a", "x", 1), ("a", "ann", 9)]);
        assert!(spared.is_allowed());
        assert_eq!(left(&spared), [(remaining, true), (0, true)]);
    }
}

#[test]
fn a_quota_of_its_own_holds_for_a_part() {
    let limiter = limiter(&[("a", "5/day")]);
    let policies = limiter.policies(["a"]).unwrap();
    let part = |quota: &str| Part {
        policies: &policies,
        client: Client::user("x"),
        units: 2,
        quota: Some(quota.parse().unwrap()),
    };
    let ask = |quota| decided(pin!(limiter.admit_together("test", &[part(quota)])));
    assert_eq!(left(&ask("100/day")), [(98, true)]);
    assert_eq!(left(&ask("3/day")), [(1, false)], "it is the same count");
    assert_eq!(left(&ask("3/hour")), [(1, true)], "another window is another count");
}

#[test]
fn units_are_given_back_as_far_as_they_are_used() {
    let limiter = limiter(&[("a", "5/day")]);
    ask(&limiter, &[("a", "x", 4)]);
    for (units, remaining) in [(3, 4), (0, 4), (9, 5), (1, 5)] {
        let given = with_parts(&limiter, &[("a", "x", units)], |parts| {
            decided(pin!(limiter.give_back(parts)))
        });
        assert!(given.is_ok());
        assert_eq!(left(&ask(&limiter, &[("a", "x", 0)])), [(remaining, true)]);
    }
}

#[test]
fn without_a_store_policies_say_what_holds() {
    let names = [("local", OnStoreFailure::Local), ("allow", OnStoreFailure::Allow)];
    let policies = names.map(|(name, rule)| policy(name, "3/day", rule));
    let limiter = without_store(policies).build().unwrap();
    let both = [("allow", "x", 2), ("local", "x", 2)];
    let first = ask(&limiter, &both);
    assert!(first.is_allowed());
    assert_eq!(left(&first), [(0, true), (1, true)], "nobody counts under the first");
    let second = ask(&limiter, &both);
    assert!(!second.is_allowed());
    assert_eq!(left(&second), [(0, true), (1, false)]);
    let limiter = without_store([policy("deny", "3/day", OnStoreFailure::Deny)]).build().unwrap();
    let undecided = ask(&limiter, &[("deny", "x", 1)]);
    assert!(matches!(undecided.refused(), Some(Refused::Undecided(_))));
}

#[test]
fn a_client_that_passes_uncounted_gives_nothing_back_to_a_key_that_others_share() {
    let everyone = policy("everyone", "2/day", OnStoreFailure::Deny).with_key(KeySource::Global);
    let limiter = builder(Arc::new(MemoryStore::new(1_000))).policy(everyone).build().unwrap();
    assert!(ask(&limiter, &[("everyone", "x", 2)]).is_allowed());
    for (user, remaining) in [("ann", 0), ("x", 2)] {
        let given = with_parts(&limiter, &[("everyone", user, 2)], |parts| {
            decided(pin!(limiter.give_back(parts)))
        });
        assert!(given.is_ok());
        let left: u64 = left(&ask(&limiter, &[("everyone", "x", 0)])).iter().map(|it| it.0).sum();
        assert_eq!(left, remaining, "after {user} gave back");
    }
}
