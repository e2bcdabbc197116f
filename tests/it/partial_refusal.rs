//! A Redis that answers some requests and refuses others for good: it is given up at most once, without
//! a storm of probes or log lines.

use std::sync::Arc;

use tollgate::{OnStoreFailure, RedisOptions, RedisStore};

use crate::support::cluster::Cluster;
use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::threads::{start, until};
use crate::support::traffic::{admitted, check, limiter, options, store};

/// A user who may touch the keys of the probe, and of clients whose names begin with `a`.
fn with_half_of_the_keys(server: &Server, kind: &str) -> String {
    let keys = format!("~tollgate:{{{kind}:a*");
    let user = ["ACL", "SETUSER", "tollgate", "on", ">secret", "+@all", "~tollgate:{probe*", &keys];
    server.tell(&user);
    "tollgate:secret".to_owned()
}

/// Until the store has been given up once for what it is refused, and taken up.
fn settle(store: &Arc<RedisStore>) {
    let strict = limiter(store, 1, OnStoreFailure::Deny);
    until("it is given up once, and taken up", || {
        check(&strict, "bob").is_err() && store.status().outages == 1 && store.is_up()
    });
}

/// How often the server ran `command` so far.
fn calls(server: &Server, command: &str) -> u64 {
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut server.connection())
        .expect("what it ran");
    let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let calls = line.and_then(|line| line.split_once("calls=")?.1.split(',').next()?.parse().ok());
    calls.unwrap_or(0)
}

#[test]
fn keys_that_are_refused_for_good_cost_the_others_nothing() {
    const QUOTA: usize = 500;
    let server = Server::start();
    with_half_of_the_keys(&server, "user");
    let url = format!("{}?user=tollgate&pass=secret", server.url());
    let store = store(&options(&url).connections(1));
    let strict = limiter(&store, QUOTA as u64, OnStoreFailure::Deny);
    settle(&store);
    // Six threads, so that what waits together is both.
    let threads = start(6, move |thread| {
        let user = if thread % 2 == 0 { "alice" } else { "bob" };
        let decide = |_| check(&strict, user).map(|decision| decision.is_allowed()).ok();
        (user, (0..QUOTA).map(decide).collect::<Vec<_>>())
    });
    let decided = threads.join();
    let of = |user| decided.iter().filter(move |it| it.0 == user).flat_map(|it| &it.1);
    assert!(of("bob").all(Option::is_none), "bob's keys are refused");
    assert!(of("alice").all(Option::is_some), "alice's are not, whoever asks beside her");
    assert_eq!(of("alice").filter(|it| **it == Some(true)).count(), QUOTA);
    let status = store.status();
    assert_eq!((store.is_up(), status.outages), (true, 1), "{status:?}");
    assert_eq!(status.cause, Some("missing permission"));
}

#[test]
fn refusals_in_a_row_are_one_short_outage_while_the_probe_is_answered() {
    let server = Server::start();
    with_half_of_the_keys(&server, "user");
    let store = store(&options(&format!("{}?user=tollgate&pass=secret", server.url())));
    let local = limiter(&store, 5, OnStoreFailure::Local);
    settle(&store);
    let before = calls(&server, "script|load");
    for round in 0..100 {
        assert_eq!(admitted(&local, &format!("bob {round}"), 9), 5);
    }
    assert_eq!(admitted(&local, "alice", 9), 5);
    let status = store.status();
    assert_eq!((store.is_up(), status.outages), (true, 1), "{status:?}");
    // A probe, and what is tried to be charged, need a connection now and then; not each time.
    let made = calls(&server, "script|load") - before;
    assert!(made < 30, "{made} connections for {} failures", status.failures);
    server.tell(&["ACL", "SETUSER", "tollgate", "allkeys"]);
    until("what was admitted is charged", || store.status().charged_back == 500);
    assert_eq!(admitted(&local, "bob 0", 9), 0);
}

#[test]
fn a_server_that_then_refuses_everything_is_given_up() {
    let server = Server::start();
    with_half_of_the_keys(&server, "user");
    let store = store(&options(&format!("{}?user=tollgate&pass=secret", server.url())));
    let local = limiter(&store, 1_000, OnStoreFailure::Local);
    settle(&store);
    server.tell(&["ACL", "SETUSER", "tollgate", "-evalsha"]);
    until("it is given up", || check(&local, "alice").is_ok() && !store.is_up());
    assert_eq!(store.status().outages, 2);
    server.tell(&["ACL", "SETUSER", "tollgate", "+evalsha"]);
    until("it is taken up", || store.is_up());
}

#[test]
fn the_log_says_it_once_and_that_others_are_counted() {
    let server = Server::start_tcp();
    let credentials = with_half_of_the_keys(&server, "header:x-client");
    let url = server.tcp_url().replace("//", &format!("//{credentials}@"));
    let mut tollgate = Options::default()
        .set("store.url", &url)
        .set("store.timeout_ms", "5000")
        .set("policies.default.key", "header:x-client")
        .serve();
    for round in 0..200 {
        for client in ["alice", "bob", "carol", "dave"] {
            let client = format!("{client}{round}");
            assert_eq!(tollgate.get("/api/data", &[("x-client", client.as_bytes())]).status, 200);
        }
    }
    tollgate.wait_for_line("failed");
    let lines = tollgate.stderr();
    // That it keeps nothing is said of every server of the tests.
    let is_about_it = |line: &&String| line.contains("WARN") && !line.contains(", persistence: ");
    let warnings: Vec<&String> = lines.iter().filter(is_about_it).collect();
    // That it is given up, and that it fails some calls.
    assert!(matches!(warnings[..], [_, _]), "{lines:?}");
    let some = warnings.iter().find(|line| line.contains("answered"));
    let some = some.unwrap_or_else(|| panic!("{warnings:?}"));
    for words in ["missing permission", "Give the user the permissions"] {
        assert!(some.contains(words), "{some}");
    }
    let returns = lines.iter().filter(|line| line.contains("counting there again")).count();
    assert_eq!(returns, 1, "{lines:?}");
}

#[test]
fn a_node_of_a_cluster_that_is_given_as_one_server_is_found_out_at_the_start() {
    let cluster = Cluster::start();
    for node in &cluster.nodes {
        let options = RedisOptions::new(node.tcp_url());
        let store = RedisStore::start(&options).expect("a store that is down");
        assert_eq!((store.is_up(), store.status().cause), (false, Some("cluster")));
    }
}
