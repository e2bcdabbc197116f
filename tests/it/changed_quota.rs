//! Promise 7: the state is kept if the units or the burst of a quota change, and nobody is then locked out
//! for longer than a client that has just used up the new quota. Another window has a count of its own. No
//! algorithm misreads the state of another.

use std::sync::Arc;

use proptest::prelude::*;
use tollgate::Policy;

use crate::support::random::for_all;
use crate::support::stores::{
    HOUR, MINUTE, NOW, Stand, charge, each_policy, on_each_store, policy, wait_of,
};

#[test]
fn promise_7_changing_the_units_keeps_what_was_used() {
    on_each_store(|stand| {
        for old in each_policy(10, MINUTE) {
            let name = old.name();
            let before = charge("a", &old);
            assert!(stand.admits(std::slice::from_ref(&before), 3), "{name}");
            for (units, remaining) in [(5, 2), (3, 0), (1, 0), (20, 17)] {
                let after = charge("a", &policy(name, name, units, MINUTE));
                assert_eq!(after.key, before.key, "{name}");
                assert_eq!(stand.peek(&after, 1).remaining, remaining, "{name}: {units}");
            }
            let after = charge("a", &policy(name, name, 5, MINUTE));
            assert_eq!(stand.acquire(&[after], 1, 9).admitted, 2, "{name}");
            assert_eq!(stand.peek(&before, 1).remaining, 5, "{name}");
        }
    });
}

#[test]
fn promise_7_where_two_windows_meet_both_hold() {
    on_each_store(|stand| {
        for (day, hour) in each_policy(20, 24 * HOUR).into_iter().zip(each_policy(5, HOUR)) {
            assert_eq!(day.name(), hour.name());
            let both = [charge("a", &day), charge("a", &hour)];
            let mut admitted = [0; 2];
            for _ in 0..60 {
                for (charge, admitted) in both.iter().zip(&mut admitted) {
                    *admitted += u32::from(stand.admits(std::slice::from_ref(charge), 1));
                }
            }
            assert_eq!(admitted, [20, 5], "{}", day.name());
        }
    });
}

#[test]
fn promise_7_another_algorithm_never_misreads_the_state() {
    on_each_store(|stand| {
        let names = each_policy(1, HOUR).map(|policy| policy.name().to_owned());
        for (i, old) in names.iter().enumerate() {
            for (j, new) in names.iter().enumerate().filter(|(j, _)| i != *j) {
                let of = |algorithm| charge(&format!("{i}{j}"), &policy("p", algorithm, 5, HOUR));
                let (old, new) = (of(old), of(new));
                assert_eq!(stand.acquire(std::slice::from_ref(&old), 1, 9).admitted, 5);
                let before = stand.image(std::slice::from_ref(&old), NOW);
                assert_eq!(stand.peek(&new, 1).remaining, 5, "{} after {}", new.key, old.key);
                assert_eq!(stand.image(std::slice::from_ref(&old), NOW), before, "{}", old.key);
                assert_eq!(stand.acquire(std::slice::from_ref(&new), 1, 2).admitted, 2);
                assert_eq!(stand.peek(&old, 1).remaining, 0, "{} after {}", old.key, new.key);
                assert_eq!(stand.peek(&new, 1).remaining, 3, "{} after {}", new.key, old.key);
            }
        }
    });
}

/// A quota that is used over some time, and lowered.
#[derive(Clone, Debug)]
struct Lowering {
    algorithm: &'static str,
    window: u64,
    units: u64,
    lowered: u64,
    /// How far the clock goes before each request, and what that costs.
    uses: Vec<(u64, u64)>,
    /// How long after the last of them the quota is lowered.
    until: u64,
    cost: u64,
}

fn lowerings() -> impl Strategy<Value = Lowering> {
    let algorithm =
        prop::sample::select(vec!["fixed-window", "sliding-window", "sliding-log", "token-bucket"]);
    let seconds = || (1..=120_u64).prop_map(|seconds| seconds * 1_000);
    let uses = prop::collection::vec((prop_oneof![Just(0), 0..90_000_u64], 1..=20_u64), 1..20);
    (algorithm, 2..=60_u64, seconds(), uses, 0..60_000_u64, any::<(u32, u32)>()).prop_map(
        |(algorithm, units, window, uses, until, (lower, cost))| {
            let lowered = 1 + u64::from(lower) % (units - 1);
            let cost = 1 + u64::from(cost) % lowered;
            Lowering { algorithm, window, units, lowered, uses, until, cost }
        },
    )
}

/// Whether the client of the lowered quota, where it has to wait, waits no longer than another who
/// has just used up the new one. `Ok(false)` where it does not have to.
fn holds(stand: &Stand, number: u64, it: &Lowering) -> Result<bool, TestCaseError> {
    let policy = |units| policy("p", it.algorithm, units, it.window);
    let (old, new): (Arc<Policy>, Arc<Policy>) = (policy(it.units), policy(it.lowered));
    let of = |policy| [charge(&format!("user {number}"), policy)];
    let mut now = NOW;
    for &(step, cost) in &it.uses {
        now += step;
        stand.clock.set(now);
        stand.acquire(&of(&old), cost, 1);
    }
    now += it.until;
    stand.clock.set(now);
    let lowered = stand.acquire(&of(&new), it.cost, 1);
    if lowered.admitted == 1 {
        return Ok(false);
    }
    let fresh = [charge(&format!("fresh {number}"), &new)];
    prop_assert!(stand.admits(&fresh, it.lowered));
    let used_up = stand.acquire(&fresh, it.cost, 1);
    let (wait, longest) = (wait_of(&lowered.standings), wait_of(&used_up.standings));
    prop_assert!(wait <= longest, "{wait} ms, but {longest} ms for a client that just used it up");
    stand.clock.set(now + wait);
    prop_assert!(stand.admits(&of(&new), it.cost), "after {wait} ms");
    Ok(true)
}

#[test]
fn promise_7_lowering_a_quota_locks_nobody_out_for_longer_than_it_does_on_its_own() {
    on_each_store(|stand| {
        let mut waits = 0;
        for_all(600, lowerings(), |number, lowering| {
            waits += u32::from(holds(stand, number, &lowering)?);
            Ok(())
        });
        assert!(waits >= 100, "only {waits} had to wait");
    });
}
