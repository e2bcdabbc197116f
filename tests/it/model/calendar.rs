//! Windows of a calendar, slow and obvious: of all local days, which are found by walking through time.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use tollgate::{Calendar, CalendarUnit, Weekday, Zone};

/// Clocks change by a multiple of this, in ms.
const STEP: i64 = 15 * 60_000;

/// A walk that is so long may still be within a day: days have 21 hours at least.
const SURE: i64 = 21 * 3_600_000;

/// Where the table begins and ends: all histories are within it.
const FIRST: &str = "2015-06-01T12:00Z";
const LAST: &str = "2200-01-01T00:00Z";

/// When the windows of one calendar begin.
type Starts = Arc<Vec<i64>>;

/// The beginning of the window of `calendar` that holds `instant`.
pub(super) fn start_of_window(calendar: Calendar, instant: i128) -> i128 {
    let (starts, next) = around(calendar, instant);
    let this = next.checked_sub(1).expect("an instant after the table begins");
    starts[this].into()
}

/// The end of the window of `calendar` that begins at `begin`.
pub(super) fn end_of_window(calendar: Calendar, begin: i128) -> i128 {
    let (starts, next) = around(calendar, begin);
    starts[next].into()
}

/// The windows of `calendar`, and which of them is the first one after `instant`.
fn around(calendar: Calendar, instant: i128) -> (Starts, usize) {
    let starts = starts(calendar);
    let next = starts.partition_point(|start| i128::from(*start) <= instant);
    (starts, next)
}

fn starts(calendar: Calendar) -> Starts {
    static TABLES: LazyLock<Mutex<HashMap<Calendar, Starts>>> = LazyLock::new(Mutex::default);
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let of_days = || {
        let mut days = days(calendar.zone());
        days.dedup_by_key(|(_, date)| name_of(calendar.unit(), *date));
        Arc::new(days.into_iter().map(|(start, _)| start).collect())
    };
    tables.entry(calendar).or_insert_with(of_days).clone()
}

/// The window that a date is in: any two dates of one window have the same.
fn name_of(unit: CalendarUnit, date: Date) -> (i32, i32) {
    let since = |first: Date| date.since(first).expect("a span of days").get_days();
    match unit {
        CalendarUnit::Day => (since(Date::constant(1970, 1, 1)), 0),
        // The fifth of January 1970 was a Monday, and the fourth a Sunday.
        CalendarUnit::Week(Weekday::Monday) => (since(Date::constant(1970, 1, 5)).div_euclid(7), 0),
        CalendarUnit::Week(Weekday::Sunday) => (since(Date::constant(1970, 1, 4)).div_euclid(7), 0),
        CalendarUnit::Month => (date.year().into(), date.month().into()),
        CalendarUnit::Year => (date.year().into(), 0),
        other => panic!("no history has weeks like {other:?}"),
    }
}

/// Makes the tables of `zones`, which takes longer than some keys are kept in Redis.
pub(super) fn prepare(zones: &[&str]) {
    zones.iter().for_each(|zone| drop(days(zone.parse().expect("a zone"))));
}

/// Every local day of a zone, with the instant at which it begins.
fn days(zone: Zone) -> Vec<(i64, Date)> {
    type Tables = HashMap<Zone, Vec<(i64, Date)>>;
    static TABLES: LazyLock<Mutex<Tables>> = LazyLock::new(Mutex::default);
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    tables.entry(zone).or_insert_with(|| walk(zone.name())).clone()
}

fn walk(zone: &str) -> Vec<(i64, Date)> {
    let rules: TimeZone = TimeZoneDatabase::bundled().get(zone).expect("a zone");
    let date =
        |at: i64| rules.to_datetime(Timestamp::from_millisecond(at).expect("an instant")).date();
    let instant = |text: &str| text.parse::<Timestamp>().expect("an instant").as_millisecond();
    let (mut at, last) = (instant(FIRST), instant(LAST));
    let mut latest = date(at);
    let mut days = Vec::new();
    while at < last {
        at += STEP;
        let today = date(at);
        // If the clocks go back over midnight, the day goes on that has begun.
        if today > latest {
            latest = today;
            days.push((at, today));
            at += SURE;
        }
    }
    days
}
