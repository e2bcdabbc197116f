use super::*;
use crate::domain::standing::Retry;
use crate::domain::window::Window;

const NOW: Millis = 1_700_000_000_000;
const MINUTE: Terms = Terms { units: 10, window: Window::Fixed(60_000), burst: 10 };

fn standing(remaining: u64) -> Standing {
    Standing { remaining, reset_after: 1, retry: Retry::Now }
}

#[test]
fn what_was_learned_last_is_known_and_of_others_nothing() {
    let last_known = LastKnownTable::default();
    last_known.learn(Fingerprint::of_text("a"), &MINUTE, &standing(7), NOW);
    assert_eq!(last_known.of(Fingerprint::of_text("a")), Some(LastKnown { used: 3, at: NOW }));
    assert_eq!(last_known.of(Fingerprint::of_text("b")), None);
    last_known.learn(Fingerprint::of_text("a"), &MINUTE, &standing(6), NOW + 1);
    assert_eq!(last_known.of(Fingerprint::of_text("a")), Some(LastKnown { used: 4, at: NOW + 1 }));
}

#[test]
fn answers_that_come_out_of_order_hand_nothing_back() {
    let last_known = LastKnownTable::default();
    let learn = |remaining, now| {
        last_known.learn(Fingerprint::of_text("a"), &MINUTE, &standing(remaining), now);
        last_known.of(Fingerprint::of_text("a")).unwrap().used
    };
    assert_eq!(learn(2, NOW), 8);
    assert_eq!(learn(4, NOW + REORDERED - 1), 8, "it was under way before the other");
    assert_eq!(learn(4, NOW + REORDERED), 6, "units were refilled");
    // Another window is never the same one out of order.
    let edge = NOW - NOW % 60_000 + 60_000;
    assert_eq!(learn(1, edge - 1), 9);
    assert_eq!(learn(9, edge), 1);
}

#[test]
fn a_key_that_was_forgotten_is_as_good_as_new() {
    let last_known = LastKnownTable::default();
    last_known.learn(Fingerprint::of_text("a"), &MINUTE, &standing(0), NOW);
    last_known.forget(Fingerprint::of_text("a"));
    assert_eq!(last_known.of(Fingerprint::of_text("a")).map(|last_known| last_known.used), Some(0));
}

#[test]
fn a_place_written_by_two_at_once_is_known_of_neither() {
    let slot = Slot::default();
    slot.write(7, LastKnown { used: 3, at: NOW });
    slot.used.store(4, Ordering::Relaxed);
    assert_eq!(slot.read(7), None);
    slot.write(7, LastKnown { used: 4, at: NOW });
    assert_eq!(slot.read(7), Some(LastKnown { used: 4, at: NOW }));
    assert_eq!(slot.read(8), None);
}

#[test]
fn it_takes_three_mebibytes() {
    assert_eq!(size_of::<Slot>() * SLOTS, 3 << 20);
}
