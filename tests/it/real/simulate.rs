//! A replay decides as the server does: the same requests are sent to a running process, whose clock and that of
//! its Redis are set to the times of the log.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::clock::SharedClock;
use crate::support::process::{Options, Tollgate};
use crate::support::random::seed;
use crate::support::redis::Server;

/// A little before the edge of an hour.
const START: u64 = 1_795_773_500;

const POLICIES: &str = r#"
[policies.window]
quota = "2/10 seconds"
key = "ip"
[policies.bucket]
quota = "10/minute"
algorithm = "token-bucket"
burst = 5
key = "ip"
[policies.log]
quota = "3/5 seconds"
algorithm = "sliding-log"
key = "ip"
penalty = { denials = 3, within_ms = 60000, ban_ms = 20000, ban_at_most_ms = 40000 }
[policies.sliding]
quota = "20/minute"
algorithm = "sliding-window"
key = "ip"
[policies.everybody]
quota = "9/10 seconds"
key = "global"
[routes."/api/window/*"]
policies = ["window", "sliding"]
[routes."POST /api/*"]
policies = ["bucket", "everybody"]
[routes."/api/log"]
policies = ["log"]
cost = 2
[access]
block = ["198.51.100.7"]
[client_ip]
trusted_proxies = ["127.0.0.1"]
"#;

/// A request of the log.
struct Sent {
    at: u64,
    client: String,
    method: &'static str,
    path: &'static str,
}

/// Requests at random times, by seven clients.
fn requests() -> Vec<Sent> {
    let mut random = seed();
    let mut below = |most: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) % most
    };
    let mut at = START;
    let mut requests = Vec::new();
    for _ in 0..1_500 {
        at += u64::from(below(5) == 0);
        let client = format!("198.51.100.{}", 1 + below(7));
        let (method, path) = [
            ("GET", "/api/window/a"),
            ("GET", "/api/win%64ow/b?c=1"),
            ("POST", "/api/x"),
            ("GET", "/api/log"),
            ("GET", "/elsewhere"),
        ][usize::try_from(below(5)).expect("a small number")];
        requests.push(Sent { at, client, method, path });
    }
    requests
}

/// What became of the requests, by what is said of them.
type Outcomes = BTreeMap<String, u64>;

/// Sends `requests` to a process that counts in `store`, each at its time.
fn sent(requests: &[Sent], store: &str, clock: &SharedClock) -> Outcomes {
    let environment = clock.environment();
    let options = Options::default().config(POLICIES).set("store.url", store);
    let options = options.set("store.deny_cache_ms", "0").set("store.timeout_ms", "5000");
    let with = |options: Options, (name, value): &(String, String)| options.env(name, value);
    let tollgate: Tollgate = environment.iter().fold(options, with).serve();
    let mut outcomes = Outcomes::new();
    for request in requests {
        clock.set(request.at);
        let client = request.client.as_bytes();
        let answer = tollgate.request(request.method, request.path, &[("x-forwarded-for", client)]);
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let mut count = |what: String| *outcomes.entry(what).or_default() += 1;
        match answer.status {
            429 => {
                count("denied".to_owned());
                for policy in body["violated-policies"].as_array().into_iter().flatten() {
                    count(format!("denied by {}", policy.as_str().expect("a name")));
                }
                count(format!("denied {}", request.client));
            }
            403 if answer.body.contains("client-banned") => count("banned".to_owned()),
            403 => count("blocked".to_owned()),
            _ => count("passed".to_owned()),
        }
    }
    outcomes
}

/// The same, by the replay of their log.
fn replayed(requests: &[Sent]) -> Value {
    let directory = TempDir::with_prefix("tollgate-log-").expect("a directory");
    let lines: String = requests
        .iter()
        .map(|Sent { at, client, method, path }| {
            format!("{{\"time\":{at},\"ip\":\"127.0.0.1\",\"forwarded\":\"{client}\",\"method\":\"{method}\",\"path\":\"{path}\"}}\n")
        })
        .collect();
    let log = directory.path().join("requests.jsonl");
    fs::write(&log, lines).expect("a log");
    let log = log.to_str().expect("a path of text");
    let finished = Options::default().config(POLICIES).run(&[
        "simulate",
        log,
        "--json",
        "--field",
        "forwarded=forwarded",
    ]);
    assert!(finished.status.success(), "{finished:?}");
    serde_json::from_str(&finished.stdout).expect("JSON")
}

#[track_caller]
fn assert_alike(requests: &[Sent], outcomes: &Outcomes) {
    let report = replayed(requests);
    let of = |what: &str| outcomes.get(what).copied().unwrap_or(0);
    for policy in ["window", "bucket", "log", "sliding", "everybody"] {
        let denied = &report["policies"][policy]["denied"];
        assert_eq!(*denied, of(&format!("denied by {policy}")), "{policy}: {report:#}");
    }
    let totals = |what: &str| report["totals"][what].as_u64().expect("a number");
    for what in ["denied", "banned", "blocked"] {
        assert_eq!(totals(what), of(what), "{what}: {report:#}");
    }
    let passed = totals("admitted") + totals("unlimited") + totals("allowed");
    assert_eq!(passed, of("passed"), "{report:#}");
    assert!(totals("denied") > 50 && passed > 50, "it is a poor test: {report:#}");
}

#[test]
#[ignore = "make test-real"]
fn the_replay_of_a_log_agrees_with_a_server_that_counts_in_memory() {
    let requests = requests();
    let clock = SharedClock::at(START);
    assert_alike(&requests, &sent(&requests, "memory:", &clock));
}

#[test]
#[ignore = "make test-real"]
fn the_replay_of_a_log_agrees_with_a_server_that_counts_in_redis() {
    let requests = requests();
    let clock = SharedClock::at(START);
    let redis = Server::start_in(&clock.environment());
    assert_alike(&requests, &sent(&requests, &redis.url(), &clock));
}
