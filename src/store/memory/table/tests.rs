use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::key::Identity;
use crate::domain::quota::{Cost, Quota};
use crate::store::Keyspace;

const NOW: Millis = 1_700_000_040_000;
const MINUTE: Millis = 60_000;

fn table(capacity: usize) -> Table {
    Table::new(capacity, Arc::new(Watches::new(capacity)))
}

fn policy(name: &str, key: KeySource) -> Arc<Policy> {
    let quota = Quota::new(5, MINUTE).unwrap();
    Arc::new(Policy::new(name, quota).unwrap().with_key(key))
}

/// Puts in new keys of `policy` for as long as there is a place, up to `most`, and says how many.
fn fill(table: &mut Table, policy: &Arc<Policy>, most: usize) -> usize {
    let from = table.len();
    let own = |user: &usize| {
        let key = Keyspace::new("t").key(&Identity::user(user.to_string()), policy);
        let charge = Charge::new(policy.clone(), key);
        let own = Counted::own(&charge.key);
        let has_place = table.has_place(own, &charge, [].into_iter(), NOW);
        if has_place {
            let mut state = State::untouched(policy.algorithm());
            state.charge(&policy.terms(), NOW, 1, Cost::ONE);
            table.insert(own.fingerprint, policy, state, NOW + MINUTE);
        }
        has_place
    };
    (from..from + most).filter(own).count()
}

#[test]
fn one_policy_has_all_places_and_several_have_a_part_each_that_no_other_takes() {
    let [a, b, c] = ["a", "b", "c"].map(|name| policy(name, KeySource::User));
    assert_eq!(fill(&mut table(100), &a, 1_000), 100);

    for (policies, of_first, of_others) in [(&[&a, &b][..], 75, 25), (&[&a, &b, &c], 68, 16)] {
        let mut table = table(100);
        policies.iter().for_each(|policy| table.prepare(policy));
        assert_eq!(fill(&mut table, policies[0], 1_000), of_first, "its own and all that is free");
        for other in &policies[1..] {
            assert_eq!(fill(&mut table, other, 1_000), of_others, "what is reserved for it");
        }
        assert_eq!(table.len(), 100);
    }
}

#[test]
fn what_is_shared_is_for_whoever_comes_first_and_what_is_reserved_stays_so() {
    let [a, b] = ["a", "b"].map(|name| policy(name, KeySource::User));
    let mut table = table(100);
    table.prepare(&a);
    table.prepare(&b);
    assert_eq!(fill(&mut table, &a, 60), 60);
    let (own, shared) = (table.rooms[0].own, table.rooms[0].shared);
    assert!((19..=21).contains(&own), "{own} of 25, as {shared} of 50");
    assert_eq!(fill(&mut table, &b, 1_000), 25 + 50 - shared);
    assert_eq!(fill(&mut table, &a, 1_000), 25 - own, "nobody took the rest of its own places");
    assert_eq!(table.len(), 100);
}

#[test]
fn one_place_is_kept_for_a_policy_of_one_key() {
    let (many, one) = (policy("many", KeySource::User), policy("one", KeySource::Global));
    let mut table = table(100);
    table.prepare(&many);
    table.prepare(&one);
    assert_eq!(fill(&mut table, &many, 1_000), 99);
    assert_eq!(fill(&mut table, &one, 1), 1);
}

#[test]
fn a_policy_that_nobody_announced_has_what_is_left() {
    let [a, b] = ["a", "b"].map(|name| policy(name, KeySource::User));
    let mut table = table(100);
    assert_eq!(fill(&mut table, &a, 90), 90);
    assert_eq!(fill(&mut table, &b, 1_000), 10);
    // From then on a quarter is for it.
    let far = NOW + 2 * MINUTE;
    table.sweep(far);
    assert_eq!((table.len(), fill(&mut table, &a, 1_000)), (0, 75));
}

#[test]
fn more_policies_than_a_table_has_rooms_for_share_the_last_room() {
    let mut table = table(10_000);
    let names = (0..MAX_ROOMS + 10).map(|number| policy(&number.to_string(), KeySource::User));
    let policies: Vec<_> = names.collect();
    policies.iter().for_each(|policy| table.prepare(policy));
    assert_eq!(table.rooms.len(), MAX_ROOMS);
    for policy in &policies {
        assert_eq!(fill(&mut table, policy, 1), 1);
    }
    assert_eq!(table.rooms[MAX_ROOMS - 1].len(), 11);
}

#[test]
fn every_way_in_and_out_is_counted() {
    let (a, mut table) = (policy("a", KeySource::User), table(100));
    fill(&mut table, &a, 10);
    let fingerprint = *table.entries.keys().next().unwrap();
    table.insert(fingerprint, &a, State::untouched(a.algorithm()), NOW + MINUTE);
    assert_eq!(table.rooms[0].len(), 10, "it replaced one");
    table.remove(&fingerprint);
    table.remove(&fingerprint);
    assert_eq!((table.rooms[0].len(), table.len()), (9, 9));
    table.sweep(NOW + MINUTE);
    assert_eq!((table.rooms[0].len(), table.len()), (0, 0));
}

#[test]
fn a_policy_of_a_short_window_does_not_wait_for_one_of_a_long_window() {
    let (long, short) = (policy("long", KeySource::User), policy("short", KeySource::User));
    let day = Quota::new(5, 24 * 60 * MINUTE).unwrap();
    let long = Arc::new(long.of_quota(day));
    let mut table = table(100);
    table.prepare(&long);
    table.prepare(&short);
    for (policy, places, for_ms) in [(&long, 75, 24 * 60 * MINUTE), (&short, 25, MINUTE)] {
        for number in 0..places {
            let fingerprint = Fingerprint::of_text(&format!("{} {number}", policy.name()));
            table.insert(fingerprint, policy, State::untouched(policy.algorithm()), NOW + for_ms);
        }
        table.sweep_for_room(NOW);
    }
    table.sweep_for_room(NOW + MINUTE);
    assert_eq!(table.rooms.iter().map(Room::len).collect::<Vec<_>>(), [75, 0]);
}

/// What a wrong clock wrote is kept as long as if it had been written when the clock was right again,
/// under every algorithm: no shorter, or its client would have a fresh quota, and no longer.
#[test]
fn what_a_clock_wrote_that_was_ahead_is_kept_as_if_it_had_been_written_now() {
    let quota = Quota::new(6, MINUTE).unwrap();
    for (name, kept_for) in [
        ("fixed-window", MINUTE),
        ("sliding-window", 2 * MINUTE),
        ("sliding-log", MINUTE),
        ("token-bucket", MINUTE / 6 * 2),
    ] {
        let policy = Policy::new("p", quota).unwrap();
        let policy = policy.with_algorithm(Algorithm::named(name, quota).unwrap()).unwrap();
        let ahead = NOW + 30 * 24 * 60 * MINUTE;
        let mut table = table(100);
        let mut state = State::untouched(policy.algorithm());
        let standing = state.charge(&policy.terms(), ahead, 2, Cost::ONE);
        let key = Fingerprint::of_text(name);
        table.insert(key, &policy, state, ahead + standing.reset_after);
        for (after, stays) in [(0, true), (1_000, true), (kept_for - 1, true), (kept_for, false)] {
            table.sweep(NOW + after);
            assert_eq!(table.get(&key).is_some(), stays, "{name} after {after} ms");
        }
    }
}

#[test]
fn a_table_without_room_is_swept_when_there_is_one_to_find_and_never_without_end() {
    let (a, mut table) = (policy("a", KeySource::User), table(1_000));
    fill(&mut table, &a, 1_000);
    table.sweep_for_room(NOW + MINUTE - 1);
    assert_eq!((table.len(), table.swept_at), (1_000, NOW), "there is none to find");
    // Where some are whole every millisecond, it is not swept every millisecond.
    for (number, fingerprint) in
        table.entries.keys().copied().collect::<Vec<_>>().into_iter().enumerate()
    {
        let whole_at = NOW + 1 + number as Millis;
        table.insert(fingerprint, &a, State::untouched(a.algorithm()), whole_at);
    }
    let mut sweeps = 0;
    for now in NOW..NOW + 500 {
        let before = table.swept_at;
        table.sweep_for_room(now);
        sweeps += usize::from(table.swept_at != before);
    }
    // Of a thousand keys, and five hundred in the end: every 7 to 3 ms.
    assert!((500 / 8..=500 / 4).contains(&sweeps), "{sweeps} sweeps in 500 ms");
}
