//! Promise 4: only the Redis server's clock counts. If it steps back, no quota appears and nobody is
//! locked out.

use tollgate::{RedisStore, Retry, Standing};

use crate::support::redis::Server;
use crate::support::stores::{
    HOUR, MINUTE, NOW, Stand, ask, charge, each_policy, on_each_store, patient, policy, wait_of,
};

/// Whole milliseconds since the epoch, as the server has them.
fn time(server: &Server) -> u64 {
    let (seconds, micros): (u64, u64) =
        redis::cmd("TIME").query(&mut server.connection()).expect("TIME");
    seconds * 1_000 + micros / 1_000
}

#[test]
fn promise_4_stores_without_a_clock_of_their_own_share_the_servers() {
    let server = Server::start();
    let start = || RedisStore::start(&patient(&server.url())).expect("the private Redis answers");
    let (one, other) = (start(), start());
    // Windows that end in the middle of this are seen, and another is taken.
    let ended = (0..10).all(|i| {
        let charges = [charge(&format!("user {i}"), &policy("p", "fixed-window", 3, HOUR))];
        let before = time(&server);
        let first = ask(&one, &charges, 2, 1);
        let second = ask(&other, &charges, 1, 1);
        let third = ask(&one, &charges, 1, 1);
        let after = time(&server);
        if before / HOUR != after / HOUR {
            return true;
        }
        assert_eq!([first.admitted, second.admitted, third.admitted], [1, 1, 0]);
        // As late in its window as the server is.
        let (latest, earliest) = (HOUR - before % HOUR, HOUR - after % HOUR);
        for answer in [first, second, third] {
            let Standing { reset_after, .. } = answer.standings[0];
            assert!((earliest..=latest).contains(&reset_after), "{reset_after} ms");
        }
        false
    });
    assert!(!ended, "hours do not end ten times in a row");
}

/// How far clocks step back, for windows of a minute: within a window, and far beyond it.
const STEPS: [u64; 9] = [
    1,
    1_000,
    MINUTE / 2,
    MINUTE - 1,
    MINUTE,
    MINUTE + 1,
    2 * MINUTE,
    10 * MINUTE,
    10_000 * MINUTE,
];

/// The longest wait of whoever has just used up all of a quota a minute: the two-window counter
/// remembers for two.
fn longest_wait(algorithm: &str) -> u64 {
    if algorithm == "sliding-window" { 2 * MINUTE } else { MINUTE }
}

#[test]
fn promise_4_a_clock_that_steps_back_mints_nothing() {
    for_each_step(|stand, charges, step| {
        assert_eq!(stand.acquire(charges, 1, 3).admitted, 3);
        stand.clock.set(NOW - step);
        assert_eq!(stand.peek(&charges[0], 1).remaining, 2, "{step} ms back");
        assert_eq!(stand.acquire(charges, 1, 9).admitted, 2, "{step} ms back");
        assert_eq!(stand.acquire(charges, 1, 9).admitted, 0, "{step} ms back");
        assert_eq!(stand.acquire(charges, 1, 9).admitted, 0, "{step} ms back");
    });
}

#[test]
fn promise_4_a_clock_that_trembles_at_the_edge_of_a_window_mints_nothing() {
    on_each_store(|stand| {
        for policy in each_policy(5, MINUTE) {
            let charges = [charge("a", &policy)];
            let edge = NOW - NOW % MINUTE + MINUTE;
            let mut admitted = 0;
            for tremble in 0..200 {
                // Used on both sides of the edge, which the clock passes again and again.
                stand.clock.set(edge - tremble % 3);
                admitted += stand.acquire(&charges, 1, 1).admitted;
            }
            assert_eq!(admitted, 5, "{}", policy.name());
            stand.clock.set(NOW);
        }
    });
}

#[test]
fn promise_4_a_clock_that_steps_back_locks_nobody_out() {
    for_each_step(|stand, charges, step| {
        let name = charges[0].policy.name();
        assert_eq!(stand.acquire(charges, 1, 9).admitted, 5);
        stand.clock.set(NOW - step);
        let denied = stand.acquire(charges, 1, 1);
        assert_eq!(denied.admitted, 0, "{name} {step} ms back");
        let wait = wait_of(&denied.standings);
        // Time stands still for at most a window, and then goes on.
        let most = longest_wait(name) + step.min(MINUTE);
        assert!(wait <= most, "{name} {step} ms back: {wait} ms");
        stand.clock.set(NOW - step + wait);
        assert!(stand.admits(charges, 1), "{name} {wait} ms after {step} ms back");
    });
}

#[test]
fn promise_4_a_peek_under_a_clock_that_stepped_back_writes_nothing() {
    for_each_step(|stand, charges, step| {
        assert_eq!(stand.acquire(charges, 1, 9).admitted, 5);
        let before = stand.image(charges, NOW);
        stand.clock.set(NOW - step);
        for _ in 0..10 {
            assert!(matches!(stand.peek(&charges[0], 1).retry, Retry::After(_)));
        }
        assert_eq!(stand.image(charges, NOW), before, "{step} ms back");
    });
}

/// Every algorithm in every store, with a quota of 5 a minute and a key of its own for each step.
fn for_each_step(test: impl Fn(&Stand, &[tollgate::store::Charge], u64)) {
    on_each_store(|stand| {
        for policy in each_policy(5, MINUTE) {
            for step in STEPS {
                stand.clock.set(NOW);
                println!("{} {step} ms back", policy.name());
                test(stand, &[charge(&step.to_string(), &policy)], step);
            }
        }
    });
}
