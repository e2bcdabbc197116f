//! Promise 1 for the quotas of one policy: a request is charged under all of them, or under none.

use std::sync::Arc;
use std::thread;

use serde_json::Value;
use tollgate::{Client, Cost, Decision, Limiter, Policy};

use crate::support::http;
use crate::support::port;
use crate::support::process::Options;
use crate::support::stores::{HOUR, Stand, dump, on_each_store, policy};

const ALGORITHMS: [&str; 4] = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"];

/// A limiter of 8 in four hours and 5 in one hour.
fn limiter(stand: &Stand, algorithm: &str) -> Limiter {
    let policy = Policy::clone(&policy("p", algorithm, 8, 4 * HOUR));
    let policy = policy.with_further_quota("5/hour".parse().expect("a quota")).expect("a policy");
    Limiter::builder(stand.store.clone()).policy(policy).build().expect("a limiter")
}

fn check(limiter: &Limiter, cost: u64, user: &str) -> Decision {
    let policies = limiter.policies(["p"]).expect("it exists");
    let cost = Cost::new(cost).expect("a cost");
    limiter.check(&policies, cost, &Client::user(user)).wait().expect("the store answers")
}

fn remaining(decision: &Decision) -> Vec<u64> {
    decision.policies().map(|(_, standing)| standing.remaining).collect()
}

#[test]
fn promise_1_a_request_that_one_quota_denies_uses_nothing_of_the_others() {
    for algorithm in ALGORITHMS {
        on_each_store(|stand| {
            let limiter = limiter(stand, algorithm);
            let admitted = (0..20).filter(|_| check(&limiter, 1, "a").is_allowed()).count();
            assert_eq!(admitted, 5, "{algorithm}");
            let denied = check(&limiter, 1, "a");
            assert_eq!(remaining(&denied), [3, 0], "{algorithm}");
            assert_eq!(denied.violated().count(), 1, "{algorithm}");
            // What costs more than one of the quotas is never admitted.
            assert_eq!(check(&limiter, 6, "b").retry_after(), None, "{algorithm}");
            assert_eq!(remaining(&check(&limiter, 4, "b")), [4, 1], "{algorithm}");
            if let Some(server) = &stand.server {
                assert_eq!(dump(server).len(), 4, "a key for each quota of each client");
            }
        });
    }
}

#[test]
fn promise_1_callers_at_once_never_exceed_any_quota_of_a_policy() {
    on_each_store(|stand| {
        let limiter = Arc::new(limiter(stand, "fixed-window"));
        let admitted: usize = thread::scope(|scope| {
            let count = |_| {
                let limiter = limiter.clone();
                let count =
                    move || (0..20).filter(|_| check(&limiter, 1, "a").is_allowed()).count();
                scope.spawn(count)
            };
            let threads: Vec<_> = (0..8).map(count).collect();
            threads.into_iter().map(|it| it.join().expect("it ends")).sum()
        });
        assert_eq!(admitted, 5);
        assert_eq!(remaining(&check(&limiter, 1, "a")), [3, 0]);
    });
}

#[test]
fn operators_see_each_quota_and_who_has_which() {
    let listen = format!("127.0.0.1:{}", port::free());
    let options = Options::default()
        .set("admin.listen", &listen)
        .set("store.url", "memory:")
        .set("policies.default.quota", "9/52 weeks; 7/51 weeks")
        .set("policies.default.networks.\"127.0.0.0/8\"", "5/52 weeks; 2/51 weeks")
        .set("policies.default.networks.\"10.0.0.0/8\"", "unlimited");
    let tollgate = options.serve();
    let operator = http::Client::of(format!("http://{listen}"));
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    let run = |arguments: &[&str]| {
        let options = Options::default().set("admin.listen", &listen).env("USER", "ann");
        let finished = options.run(arguments);
        assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
        finished.stdout
    };
    let peeked = run(&["peek", "ip:127.0.0.1"]);
    for line in [
        "default: 5/52 weeks from the network: 1 used, 4 left",
        "default: 2/51 weeks from the network: 1 used, 1 left",
    ] {
        assert!(peeked.contains(line), "{peeked}");
    }
    let explained = |ip: &str| -> Value {
        let text = run(&["explain", "GET", "/api/data", "--ip", ip, "--json"]);
        serde_json::from_str(&text).expect("JSON")
    };
    let quotas = |explanation: &Value| -> Vec<String> {
        let policies = explanation["policies"].as_array().expect("a list");
        let told = |it: &Value| format!("{} {} {}", it["quota"], it["from"], it["role"]);
        policies.iter().map(|it| told(it).replace('"', "")).collect()
    };
    let explanation = explained("127.0.0.1");
    assert_eq!(
        quotas(&explanation),
        ["5/52 weeks network in-force", "2/51 weeks network in-force"]
    );
    assert_eq!(quotas(&explained("10.1.2.3")), ["unlimited network unlimited"]);
    assert_eq!(
        quotas(&explained("203.0.113.7")),
        ["9/52 weeks policy in-force", "7/51 weeks policy in-force"]
    );
    let boosted =
        run(&["boost", "ip:127.0.0.1", "--quota", "6/52 weeks; 3/51 weeks", "--for", "1day"]);
    assert!(boosted.contains("6/52 weeks; 3/51 weeks"), "{boosted}");
    let policies = operator.get("/v1/policies", &[]).body;
    let policies: Value = serde_json::from_str(&policies).expect("JSON");
    let default = &policies["policies"][0];
    assert_eq!(default["quota"], "9/52 weeks; 7/51 weeks", "{default}");
    assert_eq!(default["counts"]["admitted"], 1, "one request, however many quotas: {default}");
}
