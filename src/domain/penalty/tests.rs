use super::*;

const NOW: Millis = 1_700_000_000_000;

fn penalty() -> Penalty {
    Penalty::new(3, 1_000, 10_000, 35_000).unwrap()
}

/// A client of which nothing is known, and how it is counted and banned over time.
#[derive(Default)]
struct Client {
    state: PenaltyState,
}

impl Client {
    fn denied(&mut self, at: Millis, denials: u32) -> Millis {
        let mut read = self.state.read(&penalty(), at);
        read.count(&penalty(), at, denials);
        self.state = read;
        self.banned_for(at)
    }

    fn banned_for(&self, at: Millis) -> Millis {
        self.state.read(&penalty(), at).banned_for(at)
    }
}

#[test]
fn the_denial_that_completes_the_number_begins_a_ban() {
    let mut client = Client::default();
    assert_eq!([client.denied(NOW, 1), client.denied(NOW + 500, 1)], [0, 0]);
    assert_eq!(client.denied(NOW + 999, 1), 10_000);
    assert_eq!(client.banned_for(NOW + 999 + 9_999), 1);
    assert_eq!(client.banned_for(NOW + 999 + 10_000), 0);
}

#[test]
fn denials_are_counted_from_the_first_one_for_as_long_as_is_set() {
    let mut client = Client::default();
    assert_eq!(client.denied(NOW, 2), 0);
    assert_eq!(client.denied(NOW + 1_000, 2), 0, "a window began with this one");
    assert_eq!(client.denied(NOW + 1_999, 1), 10_000);
}

#[test]
fn each_further_ban_is_twice_as_long_up_to_the_longest() {
    let mut client = Client::default();
    let mut at = NOW;
    for banned_for in [10_000, 20_000, 35_000, 35_000] {
        assert_eq!(client.denied(at, 3), banned_for);
        at += banned_for;
    }
}

#[test]
fn bans_are_forgotten_after_as_long_as_the_longest_without_one() {
    for (pause, next) in [(34_999, 20_000), (35_000, 10_000)] {
        let mut client = Client::default();
        let end = NOW + client.denied(NOW, 3);
        assert_eq!(client.denied(end + pause, 3), next, "{pause} ms after the end");
    }
}

#[test]
fn a_state_is_kept_until_it_means_nothing() {
    let mut client = Client::default();
    client.denied(NOW, 1);
    assert_eq!(client.state.kept_until(&penalty()), NOW + 1_000);
    client.denied(NOW + 10, 2);
    assert_eq!(client.state.kept_until(&penalty()), NOW + 10 + 10_000 + 35_000);
    let later = client.state.read(&penalty(), client.state.kept_until(&penalty()));
    assert_eq!((later.denied, later.bans), (0, 0));
}

#[test]
fn a_clock_that_steps_back_ends_no_ban_and_a_wrong_one_locks_nobody_out() {
    let mut client = Client::default();
    client.denied(NOW, 3);
    assert_eq!(client.banned_for(NOW - 5_000), 15_000);
    assert_eq!(client.banned_for(NOW - 25_001), 0, "longer than any ban: a wrong clock");
    let mut counted = Client::default();
    counted.denied(NOW, 2);
    assert_eq!(counted.denied(NOW - 1_000, 1), 10_000);
    let mut counted = Client::default();
    counted.denied(NOW, 2);
    assert_eq!(counted.denied(NOW - 1_001, 1), 0);
}

#[test]
fn what_a_wrong_clock_wrote_is_written_again_without_it() {
    let mut client = Client::default();
    client.denied(NOW, 3);
    let (near, far) = (NOW - 25_000, NOW - 25_001);
    assert!(!client.state.is_astray(&penalty(), near) && client.state.is_astray(&penalty(), far));
    let read = client.state.read(&penalty(), far);
    assert_eq!(read, PenaltyState::default());
    assert!(!read.is_astray(&penalty(), far));
}

#[test]
fn very_many_bans_are_no_longer_than_the_longest() {
    let penalty = Penalty::new(1, 1, 1, MAX_WINDOW).unwrap();
    let mut state = PenaltyState::default();
    let mut at = NOW;
    for _ in 0..300 {
        let mut read = state.read(&penalty, at);
        read.count(&penalty, at, 1);
        state = read;
        at = state.banned_until;
    }
    assert_eq!(state.banned_for(at - MAX_WINDOW), MAX_WINDOW);
}

#[test]
fn with_fewer_denials_set_than_counted_the_next_one_begins_a_ban() {
    let mut state = PenaltyState::default();
    state.count(&penalty(), NOW, 2);
    let stricter = Penalty::new(1, 1_000, 10_000, 35_000).unwrap();
    assert_eq!(state.denials_until_ban(&stricter), 1);
    state.count(&stricter, NOW, 1);
    assert_eq!(state.banned_for(NOW), 10_000);
}

#[test]
fn numbers_that_make_no_penalty_are_refused() {
    for (denials, within, ban, longest, error) in [
        (0, 1, 1, 1, PenaltyError::Denials),
        (1_000_001, 1, 1, 1, PenaltyError::Denials),
        (1, 0, 1, 1, PenaltyError::Duration),
        (1, 1, 0, 1, PenaltyError::Duration),
        (1, 1, 1, MAX_WINDOW + 1, PenaltyError::Duration),
        (1, 1, 2, 1, PenaltyError::LongestBan),
    ] {
        assert_eq!(Penalty::new(denials, within, ban, longest), Err(error));
    }
}
