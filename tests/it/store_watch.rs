//! Trouble in Redis that arises while the app runs is logged once, without the doctor.

use redis::{Connection, cmd};

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

/// An app that looks at `redis` all the time, and its operators' listener.
fn watch(url: &str) -> (Tollgate, Client) {
    let admin = format!("127.0.0.1:{}", port::free());
    let options = Options::default().set("store.url", url).set("admin.listen", &admin);
    let tollgate = options.set("store.examine_interval_ms", "100").serve();
    (tollgate, Client::of(format!("http://{admin}")))
}

/// The value of a metric, as it is written.
fn metric(operator: &Client, name: &str) -> Option<String> {
    let text = operator.get("/metrics", &[]).body;
    let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(' ')?.to_owned());
    text.lines().find_map(value)
}

fn set(connection: &mut Connection, name: &str, value: &str) {
    cmd("CONFIG").arg("SET").arg(name).arg(value).exec(connection).expect("a setting");
}

/// How many lines of the log hold `text`.
fn said(tollgate: &mut Tollgate, text: &str) -> usize {
    tollgate.stderr().iter().filter(|line| line.contains(text)).count()
}

#[test]
fn a_redis_that_forgets_counts_is_told_once_and_once_when_it_no_longer_does() {
    let redis = Server::start();
    let mut connection = redis.connection();
    let (mut tollgate, operator) = watch(&redis.url());
    let eviction = "tollgate_store_finding{about=\"eviction\"}";
    until("it is seen", || metric(&operator, eviction).as_deref() == Some("0"));

    set(&mut connection, "maxmemory", "3mb");
    set(&mut connection, "maxmemory-policy", "allkeys-lru");
    tollgate.wait_for_line("WARN ] Redis at ");
    until("it is seen", || metric(&operator, eviction).as_deref() == Some("2"));
    let value = "x".repeat(10_000);
    let evicted = "tollgate_store_evicted_keys_total";
    let mut number = 0;
    until("keys are evicted again and again", || {
        for _ in 0..200 {
            let key = format!("other-{number}");
            cmd("SET").arg(key).arg(&value).exec(&mut connection).expect("it has room");
            number += 1;
        }
        metric(&operator, evicted).is_some_and(|it| it.parse::<u64>().is_ok_and(|it| it > 1_000))
    });
    set(&mut connection, "maxmemory-policy", "noeviction");
    until("it is well again", || metric(&operator, eviction).as_deref() == Some("0"));
    until("that is said", || said(&mut tollgate, ", eviction, is well again: noeviction") == 1);
    until("that as well", || said(&mut tollgate, ", evicted, is well again: 0 keys") == 1);
    let of_policy = ", eviction: allkeys-lru: when its memory is full, counts are forgotten";
    assert_eq!(said(&mut tollgate, of_policy), 1);
    assert_eq!(said(&mut tollgate, " keys were evicted since the last look: counts may be"), 1);
    assert_eq!(said(&mut tollgate, ", persistence: none: a restart forgets what was used."), 1);
    for name in ["tollgate_store_clock_offset_seconds", "tollgate_store_round_trip_seconds"] {
        let value = metric(&operator, name).expect(name);
        assert!(value.parse::<f64>().is_ok_and(|it| it < 60.0), "{name} {value}");
    }
}

#[test]
fn a_user_who_may_not_ask_costs_no_line_and_leaves_it_unknown() {
    let redis = Server::start();
    redis.tell(&["ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-info", "-config"]);
    let (mut tollgate, operator) = watch(&format!("{}?user=limited&pass=secret", redis.url()));
    let latency = "tollgate_store_finding{about=\"latency\"}";
    until("it is looked at", || metric(&operator, latency).is_some());
    for about in ["eviction", "persistence"] {
        assert_eq!(metric(&operator, &format!("tollgate_store_finding{{about={about:?}}}")), None);
    }
    assert_eq!(metric(&operator, "tollgate_store_evicted_keys_total"), None);
    assert_eq!(said(&mut tollgate, "WARN"), 0);
}

#[test]
fn a_redis_that_is_away_is_not_told_of_here_and_is_looked_at_when_it_is_back() {
    let mut redis = Server::start();
    let (mut tollgate, operator) = watch(&redis.url());
    let eviction = "tollgate_store_finding{about=\"eviction\"}";
    until("it is seen", || metric(&operator, eviction).is_some());
    redis.kill();
    until("nothing is known", || metric(&operator, eviction).is_none());
    redis.restart();
    until("it is seen again", || metric(&operator, eviction).as_deref() == Some("0"));
    assert_eq!(said(&mut tollgate, ", persistence: none"), 1);
}

#[test]
fn it_is_said_without_an_operators_listener_as_well() {
    let redis = Server::start();
    let options = Options::default().set("store.url", &redis.url());
    let mut tollgate = options.set("store.examine_interval_ms", "100").serve();
    tollgate.wait_for_line(", persistence: none");
    // Not by the look at the start alone.
    set(&mut redis.connection(), "maxmemory", "100mb");
    set(&mut redis.connection(), "maxmemory-policy", "allkeys-lru");
    tollgate.wait_for_line(", eviction: allkeys-lru");
}
