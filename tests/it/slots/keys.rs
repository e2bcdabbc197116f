//! The key of a policy in Redis: for how long it is kept, and what is made of one that something else wrote.

use std::sync::Arc;

use tollgate::ManualClock;
use tollgate::store::Slot;

use super::{WINDOW, in_flight, release, renew, slots};
use crate::support::redis::Server;
use crate::support::stores::{NOW, ask, charge, redis_store};

#[test]
fn a_key_is_kept_for_two_windows_from_when_a_slot_was_taken_or_renewed() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(NOW));
    let store = redis_store(&server.url(), &clock);
    let charges = [charge("a", &in_flight("p", 3))];
    let key = charges[0].key.as_str();
    // By the server's own time, as the expiry is.
    let is_kept_after = |act: &dyn Fn() -> Vec<Slot>| {
        let time = redis::cmd("TIME").query(&mut server.connection());
        let (seconds, micros): (u64, u64) = time.expect("TIME");
        let held = act();
        let expires_at = server.dump().get(key.as_bytes()).and_then(|entry| entry.expires_at);
        assert!(expires_at >= Some(seconds * 1_000 + micros / 1_000 + 2 * WINDOW));
        held
    };
    let held = is_kept_after(&|| slots(&ask(&store, &charges, 1, 1), &charges[0], 0));
    server.tell(&["PEXPIRE", key, &WINDOW.to_string()]);
    is_kept_after(&|| {
        assert_eq!(renew(&store, &held), [true]);
        Vec::new()
    });
}

#[test]
fn a_value_that_something_else_wrote_holds_no_slots_and_is_overwritten() {
    let server = Server::start();
    let store = redis_store(&server.url(), &Arc::new(ManualClock::new(NOW)));
    let charges = [charge("a", &in_flight("p", 3))];
    let key = charges[0].key.as_str();
    server.tell(&["SET", key, "5"]);
    assert_eq!(ask(&store, &charges, 1, 0).standings[0].remaining, 3);
    let acquired = ask(&store, &charges, 1, 5);
    assert_eq!(acquired.admitted, 3);
    assert_eq!(renew(&store, &slots(&acquired, &charges[0], 0)), [true; 3]);
    server.tell(&["SET", key, "5"]);
    assert_eq!(release(&store, &slots(&acquired, &charges[0], 0)), [false; 3]);
}
