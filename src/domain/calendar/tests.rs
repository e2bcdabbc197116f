use jiff::Timestamp;
use jiff::civil::Date;
use proptest::prelude::*;

use super::*;

const HOUR: Millis = 3_600_000;
const MINUTE: Millis = 60_000;

fn zone(name: &str) -> Zone {
    name.parse().expect("a zone")
}

fn at(text: &str) -> Millis {
    let at: Timestamp = text.parse().expect("an instant");
    at.as_millisecond().try_into().expect("a time after the epoch")
}

const SUNDAYS: CalendarUnit = CalendarUnit::Week(Weekday::Sunday);
const MONDAYS: CalendarUnit = CalendarUnit::Week(Weekday::Monday);

#[test]
fn a_window_begins_and_ends_as_the_local_calendar_says() {
    use CalendarUnit::{Day, Month, Year};
    // (unit, zone, first millisecond, first one after it, hours), by another implementation of the rules.
    let cases = [
        // The clocks go forward, and back.
        (Day, "Europe/Berlin", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23.0),
        (Day, "Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25.0),
        (MONDAYS, "Europe/Berlin", "2026-03-22T23:00Z", "2026-03-29T22:00Z", 167.0),
        (SUNDAYS, "Europe/Berlin", "2026-03-28T23:00Z", "2026-04-04T22:00Z", 167.0),
        (Month, "Europe/Berlin", "2026-02-28T23:00Z", "2026-03-31T22:00Z", 743.0),
        (Month, "Europe/Berlin", "2026-09-30T22:00Z", "2026-10-31T23:00Z", 745.0),
        (Year, "Europe/Berlin", "2025-12-31T23:00Z", "2026-12-31T23:00Z", 8_760.0),
        // By half an hour.
        (Day, "Australia/Lord_Howe", "2026-04-04T13:00Z", "2026-04-05T13:30Z", 24.5),
        // Offsets of half and of quarter hours.
        (Month, "Asia/Kolkata", "2026-04-30T18:30Z", "2026-05-31T18:30Z", 744.0),
        (Month, "Asia/Kathmandu", "2026-04-30T18:15Z", "2026-05-31T18:15Z", 744.0),
        // The day before the one that does not exist, and the one after it.
        (Day, "Pacific/Apia", "2011-12-29T10:00Z", "2011-12-30T10:00Z", 24.0),
        (Day, "Pacific/Apia", "2011-12-30T10:00Z", "2011-12-31T10:00Z", 24.0),
        (Month, "Pacific/Apia", "2011-12-01T10:00Z", "2011-12-31T10:00Z", 720.0),
        // The last day of the year does not exist.
        (Year, "Pacific/Kiritimati", "1994-01-01T10:00Z", "1994-12-31T10:00Z", 8_736.0),
        // A gap skips midnight: the day begins at one.
        (Day, "America/Sao_Paulo", "2018-11-04T03:00Z", "2018-11-05T02:00Z", 23.0),
        (Day, "Africa/Cairo", "2026-04-23T22:00Z", "2026-04-24T21:00Z", 23.0),
        // Midnight comes twice: at one, and a minute after midnight.
        (Day, "America/Havana", "2020-11-01T04:00Z", "2020-11-02T05:00Z", 25.0),
        (Day, "America/St_Johns", "2010-11-07T02:30Z", "2010-11-08T03:30Z", 25.0),
        // Leap days, and a year that has none.
        (Month, "UTC", "2028-02-01T00:00Z", "2028-03-01T00:00Z", 29.0 * 24.0),
        (Month, "UTC", "2100-02-01T00:00Z", "2100-03-01T00:00Z", 28.0 * 24.0),
        (Year, "UTC", "2028-01-01T00:00Z", "2029-01-01T00:00Z", 366.0 * 24.0),
        // December and January.
        (Month, "America/New_York", "2025-12-01T05:00Z", "2026-01-01T05:00Z", 744.0),
        (Month, "America/New_York", "2026-01-01T05:00Z", "2026-02-01T05:00Z", 744.0),
        (MONDAYS, "UTC", "2025-12-29T00:00Z", "2026-01-05T00:00Z", 168.0),
    ];
    for (unit, name, start, end, hours) in cases {
        let calendar = Calendar::new(unit, zone(name));
        let (start, end) = (at(start), at(end));
        let case = format!("{unit:?} in {name} from {start}");
        for it in [start, start + 1, (start + end) / 2, end - 1] {
            assert_eq!(calendar.window(it), start..end, "{case}, at {it}");
        }
        assert_eq!(calendar.window(start - 1).end, start, "{case}: the one before");
        assert_eq!(calendar.window(end).start, end, "{case}: the one after");
        assert!(((end - start) as f64 / HOUR as f64 - hours).abs() < 1e-6, "{case}");
    }
}

#[test]
fn a_day_that_has_begun_goes_on_when_the_clocks_go_back_over_midnight() {
    // A minute after midnight, at 02:31Z, it is 23:01 of the day before again, for 59 minutes.
    let zone = zone("America/St_Johns");
    let day = at("2010-11-07T02:30Z")..at("2010-11-08T03:30Z");
    for it in ["2010-11-07T02:30:59Z", "2010-11-07T02:31Z", "2010-11-07T03:29Z"] {
        // None that is known from another question.
        let windows = Windows::around(at(it), CalendarUnit::Day, zone);
        assert_eq!(windows.this(), day, "at {it}");
    }
}

#[test]
fn windows_are_known_from_the_one_before_to_two_after_the_next() {
    let calendar = Calendar::new(CalendarUnit::Day, zone("Pacific/Apia"));
    let days = ["2011-12-28", "2011-12-29", "2011-12-30", "2011-12-31", "2012-01-01"];
    let starts = days.map(|day| at(&format!("{day}T10:00Z")));
    let windows = calendar.windows(starts[2] - 1);
    assert_eq!(windows.starts(), starts, "without the day that does not exist");
    assert_eq!((windows.this(), windows.next()), (starts[1]..starts[2], starts[2]..starts[3]));
}

#[test]
fn no_window_begins_before_the_epoch_and_the_last_has_no_end() {
    for (unit, name) in [(CalendarUnit::Month, "America/New_York"), (MONDAYS, "Asia/Tokyo")] {
        let calendar = Calendar::new(unit, zone(name));
        let first = calendar.windows(0);
        assert_eq!((first.this().start, first.starts()[0]), (0, 0), "{name}");
        assert!(first.this().end > 0 && first.this().end < 32 * DAY, "{name}");
        let last = calendar.windows((1 << 53) - 1);
        assert_eq!(last.this().end, 1 << 53, "{name}");
        assert!(last.this().start > at("9999-11-01T00:00Z"), "{name}");
    }
}

#[test]
fn a_zone_has_one_spelling_and_there_is_one_of_each() {
    let berlin = zone("EUROPE/berlin");
    assert_eq!((berlin.name(), berlin), ("Europe/Berlin", zone("Europe/Berlin")));
    assert_eq!(zone("utc"), Zone::utc());
    assert_ne!(berlin, zone("Europe/Paris"));
    let month = Calendar::new(CalendarUnit::Month, berlin);
    assert_eq!(month, Calendar::new(CalendarUnit::Month, berlin));
    assert_ne!(month, Calendar::new(CalendarUnit::Month, Zone::utc()));
    assert_ne!(Calendar::new(MONDAYS, berlin), Calendar::new(SUNDAYS, berlin));
}

#[test]
fn a_text_that_is_no_zone_says_which_one_may_be_meant() {
    for (text, meant) in [
        ("Berlin", "\"Europe/Berlin\""),
        ("new york", "\"America/New_York\""),
        ("+02:00", "as in \"Europe/Berlin\" or \"UTC\""),
        ("", "as in \"Europe/Berlin\" or \"UTC\""),
    ] {
        let error = text.parse::<Zone>().expect_err(text).to_string();
        assert!(error.starts_with(&format!("{text:?} is not a time zone")), "{error}");
        assert!(error.contains(meant), "{error}");
    }
}

#[test]
fn a_code_reads_back_and_nothing_else_is_one() {
    for (unit, code) in [
        (CalendarUnit::Day, "dEurope/Berlin"),
        (MONDAYS, "w1Europe/Berlin"),
        (SUNDAYS, "w7Europe/Berlin"),
        (CalendarUnit::Month, "mEurope/Berlin"),
        (CalendarUnit::Year, "yEurope/Berlin"),
    ] {
        let calendar = Calendar::new(unit, zone("Europe/Berlin"));
        assert_eq!(calendar.code(), code);
        assert_eq!(Calendar::of_code(code), Some(calendar));
    }
    for code in ["", "m", "mEUROPE/BERLIN", "w0UTC", "wUTC", "xUTC", "mAtlantis", "1h"] {
        assert_eq!(Calendar::of_code(code), None, "{code}");
    }
}

#[test]
fn a_weekday_is_read_by_its_name() {
    assert_eq!("Sunday".parse(), Ok(Weekday::Sunday));
    let error = "so".parse::<Weekday>().expect_err("no name").to_string();
    assert_eq!(
        error,
        "\"so\" is not a day of the week: expected one as in \"monday\" or \"sunday\""
    );
}

/// The latest local date of all minutes up to `at`, as far back as clocks ever went.
fn latest_date(zone: Zone, at: Millis) -> Date {
    let minutes = (0..4 * 60).map(|minute| at.saturating_sub(minute * MINUTE));
    let dates = minutes.map(|at| {
        let at = i64::try_from(at).expect("a time");
        zone.local(Timestamp::from_millisecond(at).expect("in range")).date()
    });
    dates.max().expect("some minutes")
}

/// The window of `date`, as a name that sorts, by arithmetic on the date alone.
fn name_of(unit: CalendarUnit, date: Date) -> (i64, i64) {
    let days = date.since(Date::constant(1970, 1, 1)).expect("a span").get_days();
    match unit {
        CalendarUnit::Day => (i64::from(days), 0),
        // 1970-01-01 was a Thursday.
        MONDAYS => ((i64::from(days) + 3).div_euclid(7), 0),
        SUNDAYS => ((i64::from(days) + 4).div_euclid(7), 0),
        CalendarUnit::Month => (date.year().into(), date.month().into()),
        CalendarUnit::Year => (date.year().into(), 0),
        CalendarUnit::Week(_) => unreachable!("it is not tried"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_window_holds_the_instants_whose_latest_date_is_in_it(
        name in prop::sample::select(vec![
            "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Sao_Paulo",
            "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia",
            "Pacific/Kiritimati", "Pacific/Kwajalein", "America/Havana", "Africa/Casablanca",
            "Asia/Gaza", "Antarctica/Troll", "Asia/Pyongyang",
        ]),
        unit in prop::sample::select(vec![
            CalendarUnit::Day, MONDAYS, SUNDAYS, CalendarUnit::Month, CalendarUnit::Year,
        ]),
        // To the minute, like all changes of the clocks since.
        at in (10 * 366 * DAY / MINUTE..130 * 366 * DAY / MINUTE).prop_map(|it| it * MINUTE),
        near_a_change in any::<bool>(),
    ) {
        let zone = zone(name);
        let at = if near_a_change {
            let from = Timestamp::from_millisecond(i64::try_from(at).unwrap()).unwrap();
            zone.next_change(from).map_or(at, |it| {
                u64::try_from(it.as_millisecond()).unwrap() / MINUTE * MINUTE + at % (2 * HOUR) - HOUR
            })
        } else {
            at
        };
        let name_at = |at| name_of(unit, latest_date(zone, at));
        let windows = Calendar::new(unit, zone).windows(at);
        let (this, next) = (windows.this(), windows.next());
        prop_assert!(this.contains(&at));
        prop_assert!(this.end - this.start <= Calendar::new(unit, zone).longest());
        prop_assert_eq!(name_at(this.start), name_at(at));
        prop_assert!(name_at(this.start - MINUTE) < name_at(at));
        prop_assert_eq!(name_at(this.end - MINUTE), name_at(at));
        prop_assert!(name_at(this.end) > name_at(at));
        prop_assert_eq!(next.start, this.end);
        prop_assert_eq!(name_at(next.end - MINUTE), name_at(next.start));
        prop_assert!(name_at(next.end) > name_at(next.start));
        let starts = windows.starts();
        prop_assert_eq!(name_at(starts[0]), name_at(this.start - MINUTE));
        prop_assert!(starts.is_sorted_by(|a, b| a < b));
        prop_assert!(name_at(starts[4] - MINUTE) == name_at(starts[3]));
    }
}
