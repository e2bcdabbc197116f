use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::quota::Quota;

const WINDOW: Millis = 30_000;
const NOW: Millis = 1_000_000_000;

fn terms() -> Terms {
    Algorithm::InFlight.terms(Quota::new(5, WINDOW).unwrap())
}

fn slot(number: u64) -> SlotId {
    SlotId::new(7, number)
}

/// What is held at that time.
fn held(state: &State, now: Millis) -> u64 {
    state.read(&terms(), now).held
}

#[test]
fn a_slot_that_has_ended_is_neither_renewed_nor_held_any_more() {
    let mut state = State::default();
    state.hold(&terms(), NOW, 2, slot(1));
    assert!(state.renew(WINDOW, NOW + WINDOW - 1, slot(1)));
    assert!(!state.renew(WINDOW, NOW + WINDOW, slot(2)));
    assert_eq!(held(&state, NOW + WINDOW), 1);
    assert!(!state.release(NOW + WINDOW, slot(2)), "it had ended");
    assert!(state.release(NOW + WINDOW, slot(1)));
    assert!(state.is_untouched(), "nothing is left of either");
}

#[test]
fn slots_that_have_ended_are_forgotten_when_others_are_taken() {
    let mut state = State::default();
    for windows in 0..100 {
        state.hold(&terms(), NOW + windows * WINDOW, 2, slot(2 * windows));
        assert_eq!(state.slots.len(), 2);
    }
}

#[test]
fn a_slot_that_a_wrong_clock_took_counts_as_taken_now() {
    let mut state = State::default();
    state.hold(&terms(), NOW + 100 * WINDOW, 2, slot(1));
    state.hold(&terms(), NOW, 1, slot(3));
    assert_eq!((held(&state, NOW), held(&state, NOW + WINDOW)), (3, 0));
}

#[test]
fn a_state_is_whole_once_its_last_slot_has_ended() {
    let mut state = State::default();
    state.hold(&terms(), NOW, 1, slot(1));
    state.hold(&terms(), NOW + 10, 1, slot(2));
    assert_eq!((state.whole_at(), state.stamp(WINDOW)), (NOW + 10 + WINDOW, NOW + 10));
    state.renew(WINDOW, NOW + 20, slot(1));
    assert_eq!((state.whole_at(), state.stamp(WINDOW)), (NOW + 20 + WINDOW, NOW + 20));
    state.release(NOW + 30, slot(1));
    assert_eq!((state.whole_at(), state.stamp(WINDOW)), (NOW + 10 + WINDOW, NOW + 10));
}
