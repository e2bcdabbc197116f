//! Each reason why Redis cannot count: it is logged with its remedy, and never leads to a crash, a hang
//! or a wrong answer.

use std::sync::Arc;
use std::time::Duration;

use tollgate::store::{Acquire, Store as _};
use tollgate::{OnStoreFailure, RedisOptions, RedisStore, StoreErrorKind};

use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::stores::{HOUR, ask, charge, dump, each_policy};
use crate::support::threads::until;
use crate::support::traffic::{admitted, limiter, options, store};

/// A store on `url` that cannot count for `cause`, and counts by itself meanwhile.
fn cannot_count(url: &str, cause: &str) -> Arc<RedisStore> {
    let store = Arc::new(RedisStore::start(&options(url)).expect("a store that is down"));
    assert_eq!((store.is_up(), store.status().cause), (false, Some(cause)));
    assert!(store.status().down_for.is_some());
    let local = limiter(&store, 5, OnStoreFailure::Local);
    assert_eq!(admitted(&local, "one", 9), 5, "{cause}");
    store
}

/// That it counts in Redis as soon as it may, with what was admitted until then.
fn counts(store: &Arc<RedisStore>) {
    until("the store is up", || store.is_up());
    let local = limiter(store, 5, OnStoreFailure::Deny);
    assert_eq!(admitted(&local, "two", 9), 5);
    assert_eq!(store.status().down_for, None);
}

/// A user called tollgate, with `rules` on top of everything.
fn with_user(server: &Server, rules: &[&str]) -> String {
    let user = ["ACL", "SETUSER", "tollgate", "on", ">secret", "~*", "+@all"];
    server.tell(&[&user[..], rules].concat());
    format!("{}?user=tollgate&pass=secret", server.url())
}

#[test]
fn no_redis_at_all() {
    let mut server = Server::start();
    server.stop();
    let store = cannot_count(&server.url(), "unreachable");
    server.restart();
    counts(&store);
}

#[test]
fn a_wrong_password_and_none() {
    let server = Server::start();
    let url = with_user(&server, &["resetpass", ">other"]);
    let store = cannot_count(&url, "wrong password");
    server.tell(&["ACL", "SETUSER", "tollgate", ">secret"]);
    counts(&store);
    server.tell(&["ACL", "SETUSER", "default", "resetpass", ">secret"]);
    cannot_count(&server.url(), "no password");
}

#[test]
fn a_redis_that_is_loading() {
    let mut server = Server::start();
    for key in 0..100 {
        server.tell(&["SET", &format!("key {key}"), &"x".repeat(2_000)]);
    }
    server.reload(30_000);
    let store = cannot_count(&server.url(), "loading");
    counts(&store);
}

#[test]
fn a_full_redis() {
    let server = Server::start();
    server.tell(&["CONFIG", "SET", "maxmemory", "1"]);
    let store = cannot_count(&server.url(), "out of memory");
    server.tell(&["CONFIG", "SET", "maxmemory", "0"]);
    counts(&store);
}

#[test]
fn a_full_redis_takes_no_charge_under_any_algorithm() {
    let server = Server::start();
    let policies = each_policy(5, HOUR);
    let asks = store(&options(&server.url()));
    for policy in &policies {
        ask(&*asks, &[charge("old", policy)], 1, 1);
    }
    let before = dump(&server);
    for (policy, user) in policies.iter().flat_map(|it| [(it, "old"), (it, "new")]) {
        server.tell(&["CONFIG", "SET", "maxmemory", "0"]);
        let full = store(&options(&server.url()));
        server.tell(&["CONFIG", "SET", "maxmemory", "1"]);
        let charges = vec![charge(user, policy)];
        let answer = full.acquire(&Acquire::new(charges, 1)).wait();
        let kind = answer.map_err(|error| error.kind());
        assert_eq!(kind, Err(StoreErrorKind::Declined), "{user}, {}", policy.name());
        assert_eq!(full.status().cause, Some("out of memory"));
    }
    server.tell(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(dump(&server), before);
}

#[test]
fn a_redis_that_has_too_many_clients() {
    let server = Server::start();
    let mut operator = server.connection();
    let mut most = |clients: &str| {
        let mut set = redis::cmd("CONFIG");
        set.arg(&["SET", "maxclients", clients]).exec(&mut operator).expect("an option");
    };
    most("1");
    let store = cannot_count(&server.url(), "too many clients");
    most("100");
    counts(&store);
}

#[test]
fn a_read_only_replica() {
    let server = Server::start();
    server.tell(&["REPLICAOF", "127.0.0.1", "1"]);
    let store = cannot_count(&server.url(), "read-only replica");
    server.tell(&["REPLICAOF", "NO", "ONE"]);
    counts(&store);
}

#[test]
fn a_permission_that_is_missing() {
    for rule in ["-evalsha", "-getrange", "-script|load"] {
        let server = Server::start();
        let url = with_user(&server, &[rule]);
        let store = cannot_count(&url, "missing permission");
        server.tell(&["ACL", "SETUSER", "tollgate", "+@all"]);
        counts(&store);
    }
    let server = Server::start();
    let url = with_user(&server, &["resetkeys", "~other:*"]);
    cannot_count(&url, "missing permission");
}

#[test]
fn scripts_that_may_not_call_time() {
    let server = Server::start();
    let url = with_user(&server, &["-time"]);
    // By a clock of its own it would not ask for the time.
    let options = RedisOptions::new(&url).timeout(Duration::from_millis(100));
    let store = RedisStore::start(&options).expect("a store that is down");
    assert_eq!(store.status().cause, Some("no TIME in scripts"));
    server.tell(&["ACL", "SETUSER", "tollgate", "+time"]);
    until("the store is up", || store.is_up());
}

#[test]
fn the_log_names_the_cause_and_the_remedy_in_one_line_and_tells_of_the_way_back() {
    let server = Server::start_tcp();
    let url = with_user(&server, &["resetpass", ">other"]);
    // In a window that does not end meanwhile, so that what was admitted is charged.
    let options = Options::default().set("policies.default.quota", "10/52 weeks");
    let mut tollgate = options.set("store.url", &url).set("store.timeout_ms", "5000").serve();
    let says = tollgate.wait_for_line("refuses to count");
    for words in [
        "(user or password are wrong)",
        "counting in this process, or as on_store_failure says",
        "Correct them in store.url.",
    ] {
        assert!(says.contains(words), "{says}");
    }
    for _ in 0..3 {
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    }
    server.tell(&["ACL", "SETUSER", "tollgate", ">secret"]);
    let says = tollgate.wait_for_line("counting there again");
    assert!(says.contains("in which 3 requests were decided without it"), "{says}");
    let says = tollgate.wait_for_line("was charged with");
    assert!(says.contains("3 units of 1 keys"), "{says}");
    let warnings = tollgate.stderr().iter().filter(|line| line.contains("WARN")).count();
    assert_eq!(warnings, 1, "{:?}", tollgate.stderr());
}
