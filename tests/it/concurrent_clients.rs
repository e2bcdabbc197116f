//! Many clients at once get exactly the quota between them, in whatever order they come.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use crate::support::http::Client;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;

const QUOTA: usize = 500;
const CLIENTS: usize = 8;
const REQUESTS_EACH: usize = 250;

/// A server whose gate opens [`QUOTA`] times, and not again while a test lives.
fn serve(url: &str, algorithm: &str, key: &str) -> Tollgate {
    Options::default()
        .set("store.url", url)
        // A busy machine is no dead store: this test is not about time limits.
        .set("store.timeout_ms", "10000")
        .set("server.workers", "4")
        .set("policies.default.quota", &format!("{QUOTA}/52 weeks"))
        .set("policies.default.algorithm", algorithm)
        .set("policies.default.key", key)
        .serve()
}

/// How often each status came, when all clients ask at once over connections that they keep, each
/// client one of the `servers`.
fn statuses(servers: &[&Tollgate]) -> BTreeMap<u16, usize> {
    let urls: Vec<String> = servers.iter().map(|server| server.url().to_owned()).collect();
    let start = Barrier::new(CLIENTS);
    let client = |url: &String| {
        let client = Client::of(url.clone());
        start.wait();
        (0..REQUESTS_EACH).map(|_| client.get("/api/data", &[]).status).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|index| {
                let (client, url) = (&client, &urls[index % urls.len()]);
                scope.spawn(move || client(url))
            })
            .collect();
        let mut statuses = BTreeMap::new();
        for client in clients {
            for status in client.join().expect("a client that ends") {
                *statuses.entry(status).or_default() += 1;
            }
        }
        statuses
    })
}

fn exactly_the_quota() -> BTreeMap<u16, usize> {
    BTreeMap::from([(200, QUOTA), (429, CLIENTS * REQUESTS_EACH - QUOTA)])
}

/// Every algorithm, and quotas of one client as well as of all together.
const CASES: [(&str, &str); 4] = [
    ("fixed-window", "ip"),
    ("sliding-window", "global"),
    ("sliding-log", "ip"),
    ("token-bucket", "global"),
];

#[test]
fn in_memory_exactly_the_quota_is_admitted() {
    for (algorithm, key) in CASES {
        let tollgate = serve("memory:", algorithm, key);
        assert_eq!(statuses(&[&tollgate]), exactly_the_quota(), "{algorithm} by {key}");
    }
}

#[test]
fn in_redis_exactly_the_quota_is_admitted() {
    for (algorithm, key) in CASES {
        let redis = Server::start();
        let tollgate = serve(&redis.url(), algorithm, key);
        assert_eq!(statuses(&[&tollgate]), exactly_the_quota(), "{algorithm} by {key}");
    }
}

#[test]
fn two_processes_on_one_redis_share_exactly_the_quota() {
    for (algorithm, key) in CASES {
        let redis = Server::start_tcp();
        // As they may be configured: one by the socket, one by the port.
        let one = serve(&redis.url(), algorithm, key);
        let other = serve(&redis.tcp_url(), algorithm, key);
        assert_eq!(statuses(&[&one, &other]), exactly_the_quota(), "{algorithm} by {key}");
    }
}
