use proptest::prelude::*;

use crate::domain::algorithm::{Algorithm, State, Terms};
use crate::domain::calendar::{Calendar, CalendarUnit, Weekday};
use crate::domain::clock::Millis;
use crate::domain::quota::{Cost, Quota};
use crate::domain::standing::{Retry, Standing};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// When October 2026 begins in Berlin, November, December, and January.
const MONTHS: [Millis; 4] =
    [1_790_805_600_000, 1_793_487_600_000, 1_796_079_600_000, 1_798_758_000_000];

fn calendar(unit: CalendarUnit, zone: &str) -> Calendar {
    Calendar::new(unit, zone.parse().expect("a zone"))
}

fn terms(units: u64, calendar: Calendar) -> Terms {
    Algorithm::FixedWindow.terms(Quota::by_calendar(units, calendar).expect("a quota"))
}

fn monthly() -> (State, Terms) {
    let month = calendar(CalendarUnit::Month, "Europe/Berlin");
    (State::untouched(Algorithm::FixedWindow), terms(10, month))
}

#[test]
fn a_month_opens_when_the_next_one_begins() {
    let (mut state, terms) = monthly();
    let [october, november, december, _] = MONTHS;
    state.charge(&terms, november - 5, 10, Cost::ONE);
    let standing = |now| state.standing(&terms, now, Cost::ONE);
    let closed = Standing { remaining: 0, reset_after: 5, retry: Retry::After(5) };
    assert_eq!(standing(november - 5), closed);
    assert_eq!(standing(november - 1).retry, Retry::After(1));
    let whole = Standing { remaining: 10, reset_after: 0, retry: Retry::Now };
    assert_eq!(standing(november), whole);
    state.charge(&terms, november, 3, Cost::ONE);
    let standing = state.standing(&terms, december - DAY, Cost::ONE);
    assert_eq!((standing.remaining, standing.reset_after), (7, DAY));
    assert_eq!(november - october, 31 * DAY + HOUR);
}

#[test]
fn a_clock_that_steps_back_stands_still_in_the_next_month_alone() {
    let (mut state, terms) = monthly();
    let [october, november, december, january] = MONTHS;
    state.charge(&terms, december, 10, Cost::ONE);
    for now in [november, december - 1] {
        let there = Standing {
            remaining: 0,
            reset_after: january - now,
            retry: Retry::After(january - now),
        };
        assert_eq!(state.standing(&terms, now, Cost::ONE), there);
        assert!(!state.is_astray(&terms, now));
    }
    // Further back, a wrong clock wrote it, and it is read as of now.
    for now in [october, november - 1] {
        assert!(state.is_astray(&terms, now));
        let wait = november - now;
        assert_eq!(state.standing(&terms, now, Cost::ONE).retry, Retry::After(wait));
    }
    state.charge(&terms, november - 1, 0, Cost::ONE);
    assert!(!state.is_astray(&terms, november - 1));
    assert_eq!(state.standing(&terms, november - 1, Cost::ONE).retry, Retry::After(1));
    assert_eq!(state.standing(&terms, november, Cost::ONE).retry, Retry::Now);
}

#[test]
fn a_charge_is_given_back_in_its_own_month_alone() {
    let [_, november, december, january] = MONTHS;
    for (charged_at, given_back_at, given) in [
        (Some(november), november + DAY, 4),
        (None, november + DAY, 4),
        (Some(november + 2 * DAY), november, 4),
        (Some(november - 1), november + DAY, 0),
        (Some(november), december, 0),
        (None, december, 0),
        (Some(january), november, 0),
    ] {
        let (mut state, terms) = monthly();
        state.charge(&terms, november, 6, Cost::ONE);
        let case = format!("{charged_at:?}, at {given_back_at}");
        assert_eq!(state.refund(&terms, given_back_at, 4, charged_at), given, "{case}");
        assert_eq!(state.standing(&terms, november, Cost::ONE).remaining, 4 + given, "{case}");
    }
}

#[test]
fn what_was_used_stays_used_where_the_rules_of_a_zone_have_changed() {
    // Written by another version, whose rules began the window an hour later, and earlier.
    let [_, november, december, _] = MONTHS;
    let day = calendar(CalendarUnit::Day, "Europe/Berlin");
    let (mut state, terms) = monthly();
    let at = november + HOUR;
    assert_eq!(day.window(november).end - november, DAY);
    state.charge(&terms, at, 10, Cost::ONE);
    let of_days = self::terms(10, day);
    let standing = state.standing(&of_days, at, Cost::ONE);
    assert_eq!((standing.remaining, standing.reset_after), (0, DAY - HOUR));
    // Within the present window, whichever rules are right, it counts until the end of that.
    let shifted = self::terms(10, calendar(CalendarUnit::Month, "Europe/London"));
    let standing = state.standing(&shifted, at, Cost::ONE);
    assert_eq!((standing.remaining, standing.reset_after), (10, 0), "it began an hour too early");
    let shifted = self::terms(10, calendar(CalendarUnit::Month, "Europe/Kyiv"));
    let standing = state.standing(&shifted, at, Cost::ONE);
    assert_eq!((standing.remaining, standing.reset_after), (0, december - HOUR - at));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_request_is_admitted_exactly_from_when_it_was_promised(
        units in 1..30_u64,
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Pacific/Apia", "America/St_Johns"]),
        unit in prop::sample::select(vec![
            CalendarUnit::Day,
            CalendarUnit::Week(Weekday::Monday),
            CalendarUnit::Week(Weekday::Sunday),
            CalendarUnit::Month,
            CalendarUnit::Year,
        ]),
        history in prop::collection::vec((prop_oneof![0..50_u64, 0..DAY, 0..40 * DAY], 1..8_u64), 1..60),
    ) {
        let terms = terms(units, calendar(unit, zone));
        let mut state = State::untouched(Algorithm::FixedWindow);
        let mut now = 1_320_000_000_000;
        for (step, units) in history {
            now += step;
            let cost = Cost::new(units).unwrap();
            match state.standing(&terms, now, cost).retry {
                Retry::Now => {
                    state.charge(&terms, now, units, cost);
                }
                Retry::Never => prop_assert!(units > terms.units),
                Retry::WhenFreed => prop_assert!(false, "nothing is freed"),
                Retry::After(wait) => {
                    prop_assert_eq!(state.standing(&terms, now + wait, cost).retry, Retry::Now);
                    let before = state.standing(&terms, now + wait - 1, cost).retry;
                    prop_assert_eq!(before, Retry::After(1));
                }
            }
            let standing = state.standing(&terms, now, cost);
            let whole = state.standing(&terms, now + standing.reset_after, cost);
            prop_assert_eq!((whole.remaining, whole.reset_after), (terms.units, 0));
        }
    }
}
