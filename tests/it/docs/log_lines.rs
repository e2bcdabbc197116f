//! The lines of the log that pages show.

use super::page::Page;
use super::shown::{assert_shown, curl, figures_aside, is_alike};
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

/// The lines of the log that a page shows, in order.
fn shown(page: &str) -> Vec<String> {
    let blocks = Page::named(page).blocks("text");
    let lines = blocks.iter().flat_map(|block| block.text.lines());
    lines.filter(|line| line.starts_with("[… ")).map(figures_aside).collect()
}

/// Waits until the log has a line that is `shown`, whatever its numbers are.
#[track_caller]
fn assert_logged(tollgate: &mut Tollgate, shown: &str) {
    // Where a Redis is, is up to the test.
    let place = |line: &str| match line.split_once("Redis at ") {
        Some((before, rest)) => {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            format!("{before}Redis at {}", &rest[end..])
        }
        None => line.to_owned(),
    };
    let shown = place(shown);
    let is_shown = |line: &String| is_alike(&shown, &place(&figures_aside(line)));
    until(&shown, || tollgate.stderr().iter().any(is_shown));
}

fn set(redis: &Server, name: &str, value: &str) {
    redis.tell(&["CONFIG", "SET", name, value]);
}

#[test]
fn about_a_proxy_that_is_not_listed() {
    let mut tollgate = Options::default().set("store.url", "memory:").serve();
    tollgate.get("/api/data", &[("x-forwarded-for", b"203.0.113.7")]);
    for line in shown("docs/src/proxy.md") {
        assert_logged(&mut tollgate, &line);
    }
}

#[test]
fn about_a_stop() {
    let mut tollgate = Options::default().set("store.url", "memory:").serve();
    tollgate.stop();
    let lines = shown("docs/src/signals.md");
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_logged(&mut tollgate, &line);
    }
}

#[test]
fn about_memory_that_is_full() {
    let tenant = "[policies.tenant]\nquota = \"10/52 weeks\"\nkey = \"header:x-tenant\"\n\
                  [routes.\"/api/data\"]\npolicies = [\"tenant\"]\n";
    let admin = format!("127.0.0.1:{}", port::free());
    let options = Options::default().config(tenant).set("store.max_keys", "100");
    let options = options.set("store.url", "memory:").set("admin.listen", &admin);
    let mut tollgate = options.serve();
    for number in 0..200 {
        tollgate.get("/api/data", &[("x-tenant", number.to_string().as_bytes())]);
    }
    let lines = shown("docs/src/memory.md");
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_logged(&mut tollgate, &line);
    }
    let ready = &Page::named("docs/src/metrics.md").blocks("text")[0].text;
    let ready = ready.replace("\"default\"", "\"tenant\"");
    assert_shown(&ready, &curl("curl http://h/ready", &format!("http://{admin}")));
}

#[test]
fn about_an_outage() {
    let redis = Server::start();
    // On a busy machine, the first failure would otherwise be that Redis does not answer in time.
    let options = Options::default().set("store.url", &redis.url());
    let options = options.set("store.timeout_ms", "1000");
    // In a window that does not end meanwhile, so that what was admitted is charged.
    let mut tollgate = options.set("policies.default.quota", "10/52 weeks").serve();
    let lines = shown("docs/src/outages.md");
    let [refuses, charged, answers] = &lines[..] else { panic!("{lines:?}") };
    set(&redis, "maxmemory", "1");
    until("it counts here", || {
        tollgate.get("/api/data", &[]);
        tollgate.stderr().iter().any(|line| line.contains("its memory is full"))
    });
    assert_logged(&mut tollgate, refuses);
    tollgate.get("/api/data", &[]);
    set(&redis, "maxmemory", "0");
    assert_logged(&mut tollgate, charged);
    assert_logged(&mut tollgate, answers);
}

#[test]
fn about_a_redis_that_is_not_fit() {
    let redis = Server::start();
    let options = Options::default().set("store.url", &redis.url());
    let admin = format!("127.0.0.1:{}", port::free());
    let options = options.set("admin.listen", &admin).set("store.examine_interval_ms", "100");
    let mut tollgate = options.serve();
    let lines = shown("docs/src/redis.md");
    let [eviction, evicted, well] = &lines[..] else { panic!("{lines:?}") };
    set(&redis, "maxmemory-policy", "allkeys-lru");
    set(&redis, "maxmemory", "3mb");
    assert_logged(&mut tollgate, eviction);
    let value = "x".repeat(10_000);
    let mut number = 0;
    until("keys are evicted", || {
        number += 1;
        redis.tell(&["SET", &format!("other-{number}"), &value]);
        redis.info("evicted_keys:") > 100
    });
    assert_logged(&mut tollgate, evicted);
    set(&redis, "maxmemory-policy", "noeviction");
    assert_logged(&mut tollgate, well);
}
