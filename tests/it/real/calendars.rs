//! A Redis whose clock is years off: windows by the calendar are those of its own clock.

use std::sync::Arc;
use std::time::Duration;

use tollgate::store::{Refund, Refunded, Store as _};
use tollgate::{Policy, RedisStore, Retry, Weekday};

use super::clock::SharedClock;
use crate::support::redis::Server;
use crate::support::stores::{ask, charge, patient};

const SECOND: u64 = 1_000;

#[test]
#[ignore = "it needs libfaketime: `make test-real`"]
fn a_redis_whose_clock_is_years_off_decides_by_its_own_clock() {
    let policy = Policy::new("p", "3/month".parse().expect("a quota")).expect("a name");
    let zone = "Europe/Berlin".parse().expect("a zone");
    let policy = Arc::new(policy.with_timezone(zone, Weekday::Monday).expect("a fixed window"));
    let calendar = policy.quota().window().calendar().expect("a calendar");
    // The beginning of a month, years ago and years ahead.
    for start in [1_333_231_200, 2_143_234_800] {
        let month = calendar.window(start * SECOND);
        assert_eq!(month.start, start * SECOND);
        let clock = SharedClock::at(start + 100);
        let server = Server::start_in(&clock.environment());
        let options = patient(&server.url()).probe_interval(Duration::from_secs(60));
        let store = RedisStore::start(&options).expect("the private Redis answers");
        let charges = [charge("a", &policy)];
        assert_eq!(ask(&store, &charges, 1, 5).admitted, 3);
        let calls = server.calls("evalsha");
        let closed = ask(&store, &charges, 1, 1);
        assert_eq!(server.calls("evalsha"), calls + 1, "the clock is known now");
        assert_eq!(closed.standings[0].retry, Retry::After(month.end - month.start - 100 * SECOND));
        clock.set(month.end / SECOND - 1);
        assert_eq!(ask(&store, &charges, 1, 1).admitted, 0);
        // Far from what is known by now.
        clock.set(month.end / SECOND);
        assert_eq!(ask(&store, &charges, 1, 5).admitted, 3, "another month");
        let refund = || {
            let refund = Refund::new(charges[0].clone());
            store.refund(vec![refund]).wait().expect("the private Redis answers")
        };
        clock.set(month.end / SECOND + 300 * 86_400);
        assert_eq!(refund(), [Refunded::Given(0)], "it is of another month");
        assert_eq!(ask(&store, &charges, 1, 1).admitted, 1, "300 days later");
        assert_eq!(refund(), [Refunded::Given(1)]);
    }
}
