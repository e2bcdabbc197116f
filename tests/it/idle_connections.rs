//! A server, or something on the way to it, may close an idle connection. No request is under way on it,
//! so none is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::cmd;
use tollgate::{OnStoreFailure, RedisOptions, RedisStore, RedisTls};

use crate::support::certificates::{Authority, Certified};
use crate::support::cluster::Cluster;
use crate::support::process::Options;
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::sentinels::Watched;
use crate::support::threads::until;
use crate::support::traffic::{admitted, check, limiter, options, store};

/// So many users have keys on every node of a cluster.
const USERS: usize = 20;

/// How a store is reached that waits for whatever it is asked.
fn patient(url: &str) -> RedisOptions {
    options(url).timeout(Duration::from_secs(10))
}

/// The connections to `server` but the one that asks and those of sentinels, by their IDs.
fn clients(server: &Server) -> BTreeSet<u64> {
    let mut connection = server.connection();
    let own: u64 = cmd("CLIENT").arg("ID").query(&mut connection).expect("an ID");
    let list: String = cmd("CLIENT")
        .arg(&["LIST", "TYPE", "normal"])
        .query(&mut connection)
        .expect("a list of clients");
    let id = |line: &str| line.strip_prefix("id=")?.split(' ').next()?.parse().ok();
    let lines = list.lines().filter(|line| !line.contains(" name=sentinel-"));
    lines.filter_map(id).filter(|id| *id != own).collect()
}

/// Waits until all who are connected to `server` now are so no more.
fn until_all_are_gone(server: &Server) {
    let before = clients(server);
    until("connections that idled are closed", || clients(server).is_disjoint(&before));
}

/// Has connections idle until `end` is through with each of `servers`, again and again: every request
/// is decided by Redis, and no failure is counted.
#[track_caller]
fn loses_nothing(store: &Arc<RedisStore>, servers: &[&Server], end: impl Fn(&Server)) {
    let limiter = limiter(store, 1_000, OnStoreFailure::Deny);
    for round in 0..4 {
        for user in 0..USERS {
            let decision = check(&limiter, &format!("u{user}"));
            assert!(decision.is_ok(), "round {round}, user {user}: {:?}", store.status());
        }
        servers.iter().for_each(|server| end(server));
    }
    let status = store.status();
    let counts = (status.outages, status.failures, status.unanswered, status.slow);
    assert_eq!(counts, (0, 0, 0, 0), "{status:?}");
}

fn kill(server: &Server) {
    server.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
}

fn close_what_idles(server: &Server) {
    server.tell(&["CONFIG", "SET", "timeout", "1"]);
}

#[test]
fn a_server_that_closes_what_idles_loses_no_request() {
    let server = Server::start_tcp();
    close_what_idles(&server);
    for url in [server.url(), server.tcp_url()] {
        loses_nothing(&store(&patient(&url)), &[&server], until_all_are_gone);
    }
}

#[test]
fn connections_that_are_killed_while_they_idle_lose_no_request() {
    let server = Server::start_tcp();
    for url in [server.url(), server.tcp_url()] {
        loses_nothing(&store(&patient(&url)), &[&server], kill);
    }
}

#[test]
fn nor_by_tls() {
    let own = Authority::new();
    let files = own.certify("127.0.0.1");
    let certified = Certified { files: &files, authority: &own, of_clients: false };
    let server = Server::certified(Some(&certified), &[]);
    let pem = std::fs::read(own.file()).expect("a file");
    let tls = RedisTls::default().with_authorities(&pem).expect("an authority");
    let url = format!("rediss://127.0.0.1:{}", server.port());
    let store = store(&patient(&url).tls(tls));
    loses_nothing(&store, &[&server], kill);
    close_what_idles(&server);
    loses_nothing(&store, &[&server], until_all_are_gone);
}

#[test]
fn nor_behind_sentinels() {
    let watched = Watched::start();
    loses_nothing(&store(&patient(&watched.url())), &[&watched.servers[0]], kill);
}

#[test]
fn nor_in_a_cluster() {
    let cluster = Cluster::start();
    let nodes: Vec<&Server> = cluster.nodes.iter().collect();
    let store = store(&patient(&cluster.url()));
    loses_nothing(&store, &nodes, kill);
    nodes.iter().for_each(|node| close_what_idles(node));
    loses_nothing(&store, &nodes, until_all_are_gone);
}

#[test]
fn nothing_is_admitted_uncharged() {
    let server = Server::start();
    let store = store(&patient(&server.url()));
    let local = limiter(&store, 3, OnStoreFailure::Local);
    let mut count = 0;
    for _ in 0..8 {
        count += admitted(&local, "one", 1);
        kill(&server);
    }
    assert_eq!(count, 3);
}

#[test]
fn what_idles_for_long_is_replaced_before_a_request_comes() {
    let limit = Duration::from_millis(300);
    let server = Server::start_tcp();
    let cluster = Cluster::start();
    let watched = Watched::start();
    let nodes: Vec<&Server> = cluster.nodes.iter().collect();
    let cases = [
        (server.url(), vec![&server]),
        (server.tcp_url(), vec![&server]),
        (cluster.url(), nodes),
        (watched.url(), vec![&watched.servers[0]]),
    ];
    for (url, servers) in cases {
        let options = patient(&url).idle_timeout(limit);
        let store = store(&options);
        loses_nothing(&store, &servers, until_all_are_gone);
    }
}

#[test]
fn what_is_forgotten_on_the_way_is_not_used_any_more() {
    let server = Server::start();
    let proxy = Proxy::to(server.socket());
    let idle_timeout = Duration::from_millis(300);
    let forgets = 2 * idle_timeout;
    proxy.set(Fault::Forgets(forgets));
    // Who used a forgotten one would wait for this long.
    let store = store(&patient(&proxy.url()).idle_timeout(idle_timeout));
    let limiter = limiter(&store, 1_000, OnStoreFailure::Deny);
    for _ in 0..4 {
        let flows = proxy.flows();
        until("what idles is forgotten", || flows.are_over(forgets));
        check(&limiter, "one").expect("a decision");
    }
    let status = store.status();
    assert_eq!((status.failures, proxy.swallowed()), (0, 0), "{status:?}");
    assert_eq!(admitted(&limiter, "one", 1_000), 996);
}

#[test]
fn the_command_takes_the_limit_and_denies_nobody_for_what_idled() {
    let server = Server::start_tcp();
    let text = "[policies.default]\nquota = \"1000/hour\"\non_store_failure = \"deny\"\n\
                [routes.\"/api/data\"]\npolicies = [\"default\"]\n";
    let tollgate = Options::default()
        .config(text)
        .set("store.url", &server.tcp_url())
        .set("store.timeout_ms", "10000")
        .set("store.idle_timeout_ms", "200")
        .serve();
    for _ in 0..3 {
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
        until_all_are_gone(&server);
    }
    close_what_idles(&server);
    for _ in 0..3 {
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
        kill(&server);
    }
}
