use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::app::observation::refusals::tests::Counting;
use crate::domain::clock::ManualClock;

const MINUTE: Millis = 60_000;

fn who() -> (Who, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(0));
    (Who::new(clock.clone()), clock)
}

/// The keys in `top` with their counts.
fn counts(top: &[TopKey]) -> Vec<(&str, u64)> {
    top.iter().map(|it| (&*it.key, it.count)).collect()
}

#[test]
fn the_most_refused_and_the_busiest_of_a_policy_are_told_apart() {
    let (who, clock) = who();
    let (login, api) = (Counting::under("login"), Counting::under("api"));
    for _ in 0..5 {
        who.on_decision(&api.admits("busy").event());
    }
    for _ in 0..3 {
        who.on_decision(&login.denies("wrong").event());
    }
    who.on_decision(&api.denies("busy").event());
    clock.advance(MINUTE);
    assert_eq!(counts(&who.top(None, Rank::Refused, 10)), [("user:wrong", 3), ("user:busy", 1)]);
    assert_eq!(counts(&who.top(None, Rank::Busiest, 1)), [("user:busy", 6)]);
    assert_eq!(counts(&who.top(Some("login"), Rank::Busiest, 10)), [("user:wrong", 3)]);
    assert_eq!(counts(&who.top(Some("none"), Rank::Busiest, 10)), []);
    let busy = &who.top(Some("api"), Rank::Busiest, 10)[0];
    assert_eq!((busy.refused, busy.refused_for, busy.error), (1, Some(MINUTE), 0));
}

#[test]
fn what_is_not_decided_or_only_read_is_no_refusal() {
    let (who, _) = who();
    let api = Counting::under("api");
    who.on_decision(&api.cannot_decide("ann").event());
    who.on_decision(&DecisionEvent { is_peek: true, ..api.denies("ann").event() });
    assert_eq!(who.top(None, Rank::Refused, 10), []);
    assert_eq!(counts(&who.top(None, Rank::Busiest, 10)), [("user:ann", 1)]);
}

#[test]
fn refusals_are_forgotten_after_five_to_ten_minutes_but_not_since_when() {
    let (who, clock) = who();
    let api = Counting::under("api");
    // Each is the last instant of a generation, so that the next refusal is in another.
    for _ in 0..6 {
        clock.set((clock.now() / GENERATION + 1) * GENERATION - 1);
        who.on_decision(&api.denies("ann").event());
        clock.advance(1);
    }
    let ann = &who.top(None, Rank::Refused, 10)[0];
    assert_eq!((ann.count, ann.refused_for), (1, Some(5 * GENERATION + 1)));
    clock.advance(GENERATION - 1);
    assert_eq!(who.top(None, Rank::Refused, 10).len(), 1);
    clock.advance(1);
    assert_eq!(who.top(None, Rank::Refused, 10), []);
    // After the pause it begins anew.
    who.on_decision(&api.denies("ann").event());
    assert_eq!(who.top(None, Rank::Refused, 10)[0].refused_for, Some(0));
}

#[test]
fn after_a_long_pause_nothing_is_left() {
    let (who, clock) = who();
    who.on_decision(&Counting::under("api").denies("ann").event());
    clock.advance(2 * GENERATION);
    assert_eq!(who.top(None, Rank::Refused, 10), []);
    assert!(who.shards.iter().all(|shard| lock(shard).policies.is_empty()));
}

#[test]
fn policies_are_counted_up_to_a_most() {
    let (who, _) = who();
    for number in 0..2 * MOST_POLICIES {
        who.on_decision(&Counting::under(&format!("p{number}")).denies("ann").event());
    }
    assert!(who.shards.iter().all(|shard| lock(shard).policies.len() <= MOST_POLICIES));
}

#[test]
fn users_that_are_hashed_in_the_store_are_hashed_here() {
    let (who, _) = who();
    who.on_decision(&Counting::under("api").hashing_users().denies("ann").event());
    let key = &who.top(None, Rank::Refused, 1)[0].key;
    assert!(key.starts_with("user:#") && !key.contains("ann"), "{key}");
}

#[test]
fn a_million_keys_take_no_more_memory_than_the_counters() {
    let (who, _) = who();
    let api = Counting::under("api");
    for number in 0..1_000_000 {
        who.on_decision(&api.denies(&number.to_string()).event());
    }
    let all = who.top(None, Rank::Refused, usize::MAX);
    assert!(all.len() <= COUNTERS, "{}", all.len());
    assert!(all.iter().all(|it| it.count - it.error <= 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The clients are Zipf-like: client n comes with a chance of about 1/n.
    #[test]
    fn of_a_skewed_stream_the_top_ten_are_within_the_stated_error(
        seed in any::<u64>(),
        clients in 1_000_u64..20_000,
        pause in 0..20_000_usize,
    ) {
        let (who, clock) = who();
        let api = Counting::under("api");
        let mut truth: HashMap<String, u64> = HashMap::new();
        let mut state = seed | 1;
        for number in 0..20_000_usize {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rank = {
                let unit = (state >> 11) as f64 / (1_u64 << 53) as f64;
                (clients as f64).powf(unit) as u64
            };
            let user = rank.to_string();
            who.on_decision(&api.denies(&user).event());
            *truth.entry(format!("user:{user}")).or_default() += 1;
            if number == pause {
                clock.advance(GENERATION);
            }
        }
        let top = who.top(Some("api"), Rank::Refused, 10);
        for it in &top {
            let true_count = truth[&*it.key];
            prop_assert!(it.count >= true_count && it.count - it.error <= true_count, "{it:?} {true_count}");
        }
        // Who is among the true top ten by more than the largest error is among those shown.
        let least = top.last().map_or(0, |it| it.count);
        let shown = |key: &String| top.iter().any(|it| *it.key == **key);
        let missed = truth.iter().find(|(key, count)| **count > least && !shown(key));
        prop_assert_eq!(missed, None);
    }
}
