//! Policies that count a request only if its response has some status.

use std::sync::Arc;

use tollgate::{Limiter, ManualClock, MemoryStore, Statuses};

use super::{Door, Limit, NOW, Served, on_each_store, policy, through_each_door};
use crate::support::redis::Server;
use crate::support::stores::redis_store;
use crate::support::threads::together;

through_each_door! {
    only_what_fails_uses_up_the_quota,
    a_fault_of_the_server_is_given_back,
    only_the_policies_that_count_by_outcome_give_back,
    failures_never_exceed_the_quota_however_many_come_at_once,
    if_the_store_gives_nothing_back_the_charge_stands_and_the_request_is_answered,
    while_redis_is_away_this_process_gives_back_what_it_counted,
}

fn statuses(list: &[&str]) -> Statuses {
    Statuses::new(list).expect("statuses")
}

/// The status, and the field that tells where the policies stand.
fn ask(served: &Served, wanted: &str) -> (u16, Option<String>) {
    let response = served.ask("GET", "/", &[("x-answer", wanted)]);
    (response.status, response.header("ratelimit").map(str::to_owned))
}

fn told(status: u16, field: &str) -> (u16, Option<String>) {
    (status, Some(field.to_owned()))
}

fn only_what_fails_uses_up_the_quota(door: Door) {
    on_each_store(|counts| {
        let failures = policy("failures", "2/minute").with_charge_on(statuses(&["401", "404"]));
        let served = Limit::by(counts.limiter([failures]), ["failures"]).serve(door);
        for _ in 0..5 {
            assert_eq!(ask(&served, "200"), told(200, r#""failures";r=2"#));
        }
        assert_eq!(ask(&served, "404"), told(404, r#""failures";r=1;t=42"#));
        assert_eq!(ask(&served, "200"), told(200, r#""failures";r=1;t=42"#));
        assert_eq!(ask(&served, "404"), told(404, r#""failures";r=0;t=42"#));
        assert_eq!(ask(&served, "200"), told(429, r#""failures";r=0;t=42"#));
        // It is admitted when it was told.
        counts.clock.set(NOW + 42_000);
        assert_eq!(ask(&served, "404"), told(404, r#""failures";r=1;t=60"#));
    });
}

fn a_fault_of_the_server_is_given_back(door: Door) {
    on_each_store(|counts| {
        let served = policy("served", "2/minute").with_refund_on(statuses(&["5xx"]));
        let served = Limit::by(counts.limiter([served]), ["served"]).serve(door);
        for _ in 0..5 {
            assert_eq!(ask(&served, "500"), told(500, r#""served";r=2"#));
        }
        assert_eq!(ask(&served, "200"), told(200, r#""served";r=1;t=42"#));
        assert_eq!(ask(&served, "404"), told(404, r#""served";r=0;t=42"#));
    });
}

fn only_the_policies_that_count_by_outcome_give_back(door: Door) {
    on_each_store(|counts| {
        let failures = policy("failures", "5/minute").with_charge_on(statuses(&["4xx"]));
        let limiter = counts.limiter([policy("all", "5/minute"), failures]);
        let served = Limit::by(limiter, ["all", "failures"]).serve(door);
        let field = r#""all";r=4;t=42, "failures";r=5"#;
        assert_eq!(ask(&served, "200"), told(200, field));
        let field = r#""all";r=3;t=42, "failures";r=4;t=42"#;
        assert_eq!(ask(&served, "404"), told(404, field));
    });
}

/// Those that do not fail come in between, and are given back.
fn failures_never_exceed_the_quota_however_many_come_at_once(door: Door) {
    on_each_store(|counts| {
        let failures = policy("failures", "5/minute").with_charge_on(statuses(&["404"]));
        let served = Limit::by(counts.limiter([failures]), ["failures"]).serve(door);
        let served = Arc::new(served);
        let asked = served.clone();
        let seen = together(8, move |thread| {
            let wanted =
                |number: usize| if (thread + number).is_multiple_of(2) { "404" } else { "200" };
            (0..10).map(|number| ask(&asked, wanted(number)).0).collect::<Vec<_>>()
        });
        let failed = |statuses: &[u16]| statuses.iter().filter(|it| **it == 404).count();
        let at_once: usize = seen.iter().map(|it| failed(it)).sum();
        assert!(at_once <= 5, "{seen:?}");
        let later: Vec<u16> = (0..8).map(|_| ask(&served, "404").0).collect();
        assert_eq!(at_once + failed(&later), 5, "{seen:?}, then {later:?}");
    });
}

fn if_the_store_gives_nothing_back_the_charge_stands_and_the_request_is_answered(door: Door) {
    let server = Server::start();
    // A key that nothing else was charged to is deleted, to give that back.
    server.tell(&["ACL", "SETUSER", "default", "-del"]);
    let clock = Arc::new(ManualClock::new(NOW));
    let failures = policy("failures", "1/minute").with_charge_on(statuses(&["404"]));
    let limiter = Limiter::builder(Arc::new(redis_store(&server.url(), &clock))).policy(failures);
    let served = Limit::by(limiter, ["failures"]).serve(door);
    assert_eq!(ask(&served, "200"), told(200, r#""failures";r=0;t=42"#));
    assert_eq!(ask(&served, "200").0, 429);
}

fn while_redis_is_away_this_process_gives_back_what_it_counted(door: Door) {
    let clock = Arc::new(ManualClock::new(NOW));
    let mut server = Server::start();
    let store = redis_store(&server.url(), &clock);
    server.kill();
    let failures = policy("failures", "2/minute").with_charge_on(statuses(&["404"]));
    let local = Arc::new(MemoryStore::with_clock(1_000, clock));
    let limiter = Limiter::builder(Arc::new(store)).local(local).policy(failures);
    let served = Limit::by(limiter, ["failures"]).serve(door);
    // The first one may have been charged in Redis, for all that is known.
    ask(&served, "404");
    let found: Vec<u16> = (0..9).map(|_| ask(&served, "200").0).collect();
    assert_eq!(found, [200; 9]);
    assert_eq!(["404", "404"].map(|wanted| ask(&served, wanted).0), [404, 429]);
}
