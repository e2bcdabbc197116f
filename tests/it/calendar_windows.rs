//! Windows that the calendar of a time zone ends, on both stores.

use std::sync::Arc;

use jiff::Timestamp;
use redis::ConnectionLike as _;
use tollgate::store::{Charge, Refund, Refunded};
use tollgate::{Cost, Policy, RedisStore, Retry, Weekday};

use crate::support::redis::Server;
use crate::support::stores::{HOUR, Stand, ask, charge, on_each_store, patient};

fn at(text: &str) -> u64 {
    let at: Timestamp = text.parse().expect("an instant");
    at.as_millisecond().try_into().expect("a time after the epoch")
}

fn in_zone(name: &str, quota: &str, zone: &str) -> Arc<Policy> {
    let policy = Policy::new(name, quota.parse().expect("a quota")).expect("a name");
    let zone = zone.parse().expect("a zone");
    Arc::new(policy.with_timezone(zone, Weekday::Monday).expect("a fixed window"))
}

#[test]
fn a_window_ends_when_the_calendar_says_so() {
    on_each_store(|stand| {
        // (quota, zone, an instant in the window, its last millisecond)
        for (number, (quota, zone, within, last)) in [
            ("3/day", "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-29T21:59:59.999Z"),
            ("3/day", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-25T22:59:59.999Z"),
            ("3/week", "Europe/Berlin", "2026-11-26T12:00Z", "2026-11-29T22:59:59.999Z"),
            ("3/month", "Europe/Berlin", "2026-11-01T00:00Z", "2026-11-30T22:59:59.999Z"),
            ("3/month", "Asia/Kolkata", "2028-02-29T00:00Z", "2028-02-29T18:29:59.999Z"),
            ("3/month", "America/New_York", "2026-12-31T23:00Z", "2027-01-01T04:59:59.999Z"),
            ("3/year", "UTC", "2028-12-31T00:00Z", "2028-12-31T23:59:59.999Z"),
            ("3/day", "Pacific/Apia", "2011-12-30T00:00Z", "2011-12-30T09:59:59.999Z"),
        ]
        .into_iter()
        .enumerate()
        {
            let (within, last) = (at(within), at(last));
            let charges = [charge(&format!("user {number}"), &in_zone("p", quota, zone))];
            stand.clock.set(within);
            assert_eq!(stand.acquire(&charges, 1, 5).admitted, 3, "{quota} in {zone}");
            let closed = stand.acquire(&charges, 1, 1).standings[0];
            let wait = last + 1 - within;
            assert_eq!((closed.retry, closed.reset_after), (Retry::After(wait), wait), "{zone}");
            stand.clock.set(last);
            assert_eq!(stand.acquire(&charges, 1, 1).admitted, 0, "{quota} in {zone}");
            stand.clock.set(last + 1);
            assert_eq!(stand.acquire(&charges, 1, 5).admitted, 3, "{quota} in {zone}");
        }
    });
}

#[test]
fn a_key_is_kept_until_its_window_ends_and_a_second_longer() {
    let stand = Stand::redis();
    let charge = charge("a", &in_zone("p", "3/month", "Europe/Berlin"));
    stand.clock.set(at("2026-10-01T00:00Z"));
    stand.acquire(std::slice::from_ref(&charge), 1, 1);
    let mut redis = stand.server.as_ref().expect("it has one").connection();
    let ttl: u64 = redis::cmd("PTTL").arg(charge.key.as_str()).query(&mut redis).expect("a TTL");
    let most = at("2026-10-31T23:00Z") - at("2026-10-01T00:00Z") + 1_000;
    assert!(ttl <= most && ttl > most - HOUR, "{ttl} ms of {most}");
    assert!(charge.key.as_str().ends_with(":p:cmEurope/Berlin"), "{}", charge.key);
}

#[test]
fn another_unit_or_zone_begins_a_count_of_its_own() {
    on_each_store(|stand| {
        stand.clock.set(at("2026-11-27T12:00Z"));
        let kinds = [
            ("3/month", "Europe/Berlin"),
            ("3/month", "UTC"),
            ("3/day", "UTC"),
            ("3/week", "UTC"),
            ("3/year", "UTC"),
        ];
        for (quota, zone) in kinds {
            let charges = [charge("a", &in_zone("p", quota, zone))];
            assert_eq!(stand.acquire(&charges, 1, 4).admitted, 3, "{quota} in {zone}");
        }
        // Other units keep what was used.
        let charges = [charge("a", &in_zone("p", "5/month", "Europe/Berlin"))];
        assert_eq!(stand.acquire(&charges, 1, 4).admitted, 2);
    });
}

#[test]
fn policies_of_several_calendars_and_others_are_charged_together_or_not_at_all() {
    on_each_store(|stand| {
        stand.clock.set(at("2026-11-27T12:00Z"));
        let minute = crate::support::stores::policy("minute", "token-bucket", 4, 60_000);
        let charges: Vec<Charge> = [
            in_zone("month", "9/month", "Europe/Berlin"),
            minute,
            in_zone("day", "2/day", "Asia/Tokyo"),
        ]
        .iter()
        .map(|policy| charge("a", policy))
        .collect();
        let answer = stand.acquire(&charges, 1, 3);
        assert_eq!(answer.admitted, 2);
        let remaining: Vec<u64> = answer.standings.iter().map(|it| it.remaining).collect();
        assert_eq!(remaining, [7, 2, 0]);
        assert_eq!(answer.standings[2].retry, Retry::After(3 * HOUR), "until midnight in Tokyo");
    });
}

/// The numbers of one call for `charge`, which tells the windows around `told`.
fn call_of(charge: &Charge, now: u64, told: u64) -> redis::Cmd {
    let calendar = charge.policy.quota().window().calendar().expect("a calendar");
    let this = calendar.window(told);
    let (before, next) = (calendar.window(this.start - 1), calendar.window(this.end));
    let starts = [before.start, this.start, this.end, next.end, calendar.window(next.end).end];
    let mut arguments = now.to_be_bytes().to_vec();
    arguments.extend([1_u32, 1, 1, 0].map(u32::to_be_bytes).as_flattened());
    let terms = charge.policy.terms();
    let numbers = [1, terms.units, terms.window.longest(), terms.burst];
    arguments.extend(numbers.map(u64::to_be_bytes).as_flattened());
    arguments.extend(b"calendar-window\0");
    let calendars: Vec<u8> =
        [starts[0], starts[3]].into_iter().chain(starts).flat_map(u64::to_be_bytes).collect();
    let mut call = redis::cmd("EVAL");
    call.arg(tollgate::lua::ACQUIRE).arg(1).arg(charge.key.as_str()).arg(arguments).arg(calendars);
    call
}

#[test]
fn a_script_that_was_not_told_the_windows_of_its_time_says_so_and_charges_nothing() {
    let server = Server::start();
    let mut redis = server.connection();
    let charge = charge("a", &in_zone("p", "3/month", "Europe/Berlin"));
    let told = at("2026-11-27T12:00Z");
    let known = [at("2026-09-30T22:00Z"), at("2026-12-31T23:00Z")];
    for now in [known[0] - 1, known[1], at("1999-01-01T00:00Z"), at("2199-01-01T00:00Z")] {
        let reply = redis.req_packed_command(&call_of(&charge, now, told).get_packed_command());
        let error = reply.and_then(redis::Value::extract_error).expect_err("no such window");
        assert_eq!((error.code(), error.detail()), (Some("CALENDAR"), Some(&*now.to_string())));
    }
    let keys: u64 = redis::cmd("DBSIZE").query(&mut redis).expect("a size");
    assert_eq!(keys, 0, "nothing was charged");
    for now in [known[0], known[1] - 1] {
        call_of(&charge, now, told).exec(&mut redis).expect("windows that were told");
    }
}

#[test]
fn a_refund_gives_back_in_its_own_window_alone() {
    let (november, december) = (at("2026-10-31T23:00Z"), at("2026-11-30T23:00Z"));
    on_each_store(|stand| {
        let policy = in_zone("p", "10/month", "Europe/Berlin");
        for (number, (now, given)) in
            [(november + HOUR, 4), (december - 1, 4), (december, 0), (november - 1, 4)]
                .into_iter()
                .enumerate()
        {
            let charge = charge(&format!("user {number}"), &policy);
            stand.clock.set(november);
            stand.acquire(std::slice::from_ref(&charge), 4, 1);
            stand.clock.set(now);
            let cost = Cost::new(4).expect("a cost");
            let refund = Refund::new(charge.with_cost(cost)).charged_at(november);
            let refunded = stand.store.refund(vec![refund]).wait().expect("the store answers");
            assert_eq!(refunded, [Refunded::Given(given)], "at {now}");
        }
    });
}

#[test]
fn both_see_the_present_month_by_the_clock_of_the_system() {
    let server = Server::start();
    let store = RedisStore::start(&patient(&server.url())).expect("the private Redis answers");
    let policy = in_zone("p", "3/month", "Pacific/Kiritimati");
    // A month that ends in the middle of this is seen, and another key is taken.
    let is_seen = (0..3).any(|number| {
        let charges = [charge(&format!("user {number}"), &policy)];
        let calendar = policy.quota().window().calendar().expect("a calendar");
        let end = || {
            let now = Timestamp::now().as_millisecond();
            calendar.window(now.try_into().expect("a time")).end
        };
        let before = end();
        let admitted = [2, 2].map(|count| ask(&store, &charges, 1, count).admitted);
        before == end() && {
            assert_eq!(admitted, [2, 1]);
            true
        }
    });
    assert!(is_seen, "months do not end three times in a row");
}
