use std::time::Duration;

use super::*;
use crate::domain::clock::ManualClock;

/// A history that begins in the middle of a minute, and its clock.
fn history() -> (History, Arc<Counts>, Arc<ManualClock>) {
    let (counts, clock) = (Counts::new(), Arc::new(ManualClock::new(1_000 * MINUTE + 30_000)));
    (History::new(counts.clone(), clock.clone()), counts, clock)
}

fn count(counts: &Counts, what: PolicyCount, times: usize) {
    (0..times).for_each(|_| counts.policy("p").add(what));
}

#[test]
fn each_minute_has_what_was_counted_in_it() {
    let (history, counts, clock) = history();
    count(&counts, PolicyCount::Admitted, 3);
    history.look();
    count(&counts, PolicyCount::Admitted, 1);
    history.look();
    clock.set(1_001 * MINUTE);
    count(&counts, PolicyCount::Denied, 2);
    let hour = history.last_hour();
    assert_eq!(hour.begins, 942 * MINUTE);
    let admitted = hour.minutes("p", PolicyCount::Admitted);
    assert_eq!((admitted.len(), &admitted[57..]), (MINUTES, &[0, 4, 0][..]));
    assert_eq!(hour.minutes("p", PolicyCount::Denied)[57..], [0, 0, 2]);
    assert_eq!(hour.total("p", PolicyCount::Admitted), 4);
    assert_eq!(admitted.last(), Some(&0));
    assert_eq!(hour.minutes("unknown", PolicyCount::Denied), [0; MINUTES]);
}

#[test]
fn what_was_counted_before_is_not_of_this_hour_and_an_hour_later_nothing_is() {
    let counts = Counts::new();
    count(&counts, PolicyCount::Admitted, 9);
    let clock = Arc::new(ManualClock::new(MINUTE));
    let history = History::new(counts.clone(), clock.clone());
    assert_eq!(history.last_hour().total("p", PolicyCount::Admitted), 0);
    count(&counts, PolicyCount::Admitted, 1);
    assert_eq!(history.last_hour().total("p", PolicyCount::Admitted), 1);
    clock.set(60 * MINUTE);
    assert_eq!(history.last_hour().total("p", PolicyCount::Admitted), 1);
    clock.set(61 * MINUTE);
    assert_eq!(history.last_hour().total("p", PolicyCount::Admitted), 0);
    assert_eq!(history.state().minutes.len(), 2);
}

#[test]
fn a_clock_that_steps_back_loses_nothing() {
    let (history, counts, clock) = history();
    count(&counts, PolicyCount::Denied, 1);
    history.look();
    clock.set(900 * MINUTE);
    count(&counts, PolicyCount::Denied, 1);
    assert_eq!(history.last_hour().minutes("p", PolicyCount::Denied)[58..], [0, 2]);
}

#[test]
fn waits_are_told_by_the_bound_that_they_do_not_exceed() {
    let (history, counts, clock) = history();
    assert_eq!((history.last_hour().wait_p50, history.last_hour().wait_p99), (None, None));
    let waited = |micros, times| {
        (0..times).for_each(|_| counts.wait_times().observe_time(Duration::from_micros(micros)));
    };
    waited(90, 98);
    waited(900, 1);
    waited(5_000_000, 1);
    let hour = history.last_hour();
    assert_eq!((hour.wait_p50, hour.wait_p99), (Some(100), Some(1_000)));
    waited(5_000_000, 2);
    assert_eq!(history.last_hour().wait_p99, Some(1_000_000), "the highest bound");
    clock.set(1_005 * MINUTE);
    assert_eq!(history.last_hour().wait_p50, None, "five minutes later");
}
