//! `tollgate doctor`: what it says of a Redis, with which code it ends, and what it leaves there.

use crate::support::cluster::Cluster;
use crate::support::process::{Finished, Options};
use crate::support::redis::Server;
use crate::support::sentinels::Watched;

fn examine(url: &str) -> Finished {
    Options::default().set("store.url", url).set("store.timeout_ms", "5000").run(&["doctor"])
}

/// The lines about `about`.
fn line<'a>(finished: &'a Finished, about: &str) -> &'a str {
    let is = |line: &&str| line.split_whitespace().nth(1) == Some(about);
    let found = finished.stdout.lines().find(is);
    found.unwrap_or_else(|| panic!("nothing about {about}:\n{finished:?}"))
}

#[track_caller]
fn assert_found(finished: &Finished, about: &str, level: &str, words: &str) {
    let line = line(finished, about);
    assert!(line.starts_with(level) && line.contains(words), "{line}");
}

#[test]
fn a_good_redis_is_fit_and_is_left_as_it_was() {
    let server = Server::start_tcp();
    let before = server.dump();
    let finished = examine(&server.tcp_url());
    assert_eq!((finished.status.code(), &*finished.stderr), (Some(0), ""), "{finished:?}");
    for about in ["reachable", "permissions", "time", "counting", "version", "eviction", "clock"] {
        assert_found(&finished, about, "ok", "");
    }
    assert_found(&finished, "latency", "ok", "median");
    assert_found(&finished, "persistence", "warn", "a restart forgets");
    let left = server.dump();
    let own = |key: &&Vec<u8>| !key.starts_with(b"tollgate:{probe");
    assert_eq!(left.keys().filter(own).count(), before.len());
    assert!(left.values().all(|entry| entry.expires_at.is_some()), "{left:?}");
}

#[test]
fn of_a_cluster_it_looks_at_one_node_and_says_so() {
    let cluster = Cluster::start();
    let finished = examine(&cluster.url());
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    assert_found(&finished, "cluster", "warn", "the others are not checked");
    for about in ["reachable", "permissions", "time", "counting", "version", "eviction"] {
        assert_found(&finished, about, "ok", "");
    }
}

#[test]
fn what_a_user_of_a_cluster_lacks_is_named() {
    let cluster = Cluster::start();
    let user = ["ACL", "SETUSER", "doctored", "on", ">hush", "~*", "+@all"];
    let examine_without = |rules: &[&str]| {
        cluster.nodes[0].tell(&[&user[..], rules].concat());
        examine(&cluster.url().replace("//", "//doctored:hush@"))
    };
    assert_found(&examine_without(&[]), "permissions", "ok", "");
    let finished = examine_without(&["-cluster|slots", "-asking"]);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "permissions", "fail", "its user needs +cluster|slots +asking, ");
}

#[test]
fn what_users_of_sentinels_and_of_their_primary_lack_is_named() {
    let mut watched = Watched::start();
    let finished = examine(&watched.url());
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    let primary = format!("names 127.0.0.1:{}", watched.servers[0].port());
    let named = finished.stdout.lines().filter(|line| line.ends_with(&primary));
    assert_eq!(named.count(), 3, "{finished:?}");

    let user = ["ACL", "SETUSER", "doctored", "on", ">hush", "~*", "+@all"];
    watched.servers[0].tell(&[&user[..], &["-role"]].concat());
    let sentinels = watched.sentinels();
    let rights = [&user[..], &["-sentinel|get-master-addr-by-name"]].concat();
    sentinels[0].tell(&rights);
    sentinels[1].tell(&user);
    sentinels[2].stop();
    let url = watched.url().replace("//", "//doctored:hush@");
    let finished = examine(&format!("{url}?sentinel_user=doctored&sentinel_pass=hush"));
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "permissions", "fail", "its user needs +role, ");
    let mut found = finished.stdout.lines().filter(|line| line.contains("sentinel "));
    for (level, words) in [
        ("fail", "its user needs +sentinel|get-master-addr-by-name"),
        ("ok", &*primary),
        ("warn", "does not answer"),
    ] {
        let line = found.next().expect("a line for each");
        assert!(line.starts_with(level) && line.contains(words), "{line}");
    }
    assert!(!format!("{finished:?}").contains("hush"), "{finished:?}");

    let unknown = examine(&watched.url().replace("/limits", "/other"));
    assert_found(&unknown, "sentinel", "fail", "knows no primary called other");
    let wrong = examine(&format!("{}?sentinel_user=doctored&sentinel_pass=no", watched.url()));
    assert_found(&wrong, "sentinel", "fail", "Correct sentinel_user and sentinel_pass");
}

#[test]
fn what_is_wrong_is_named_with_its_remedy_and_the_code_is_1() {
    let server = Server::start();
    server.tell(&["CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "volatile-lru"]);
    let user = ["ACL", "SETUSER", "doctored", "on", ">hush", "~*", "+@all", "-time", "-zrem"];
    server.tell(&user);
    let finished = examine(&format!("{}?user=doctored&pass=hush", server.url()));
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "permissions", "fail", "+time +zrem");
    assert_found(&finished, "time", "fail", "+time");
    assert_found(&finished, "counting", "fail", "");
    assert_found(&finished, "eviction", "fail", "set noeviction");
    assert!(finished.stderr.contains("not fit for production: 4 checks failed"), "{finished:?}");
    assert!(!format!("{finished:?}").contains("hush"), "{finished:?}");
}

#[test]
fn a_redis_that_is_not_there_or_does_not_let_in_is_one_failure() {
    let mut server = Server::start();
    server.tell(&["CONFIG", "SET", "requirepass", "hush"]);
    let finished = examine(&server.url());
    assert_eq!(finished.status.code(), Some(1));
    assert_found(&finished, "reachable", "fail", "it wants a password");
    let finished = examine(&format!("{}?pass=hushhush", server.url()));
    assert_eq!(finished.status.code(), Some(1));
    assert_found(&finished, "reachable", "fail", "wrong");
    assert!(!format!("{finished:?}").contains("hush"), "{finished:?}");
    server.stop();
    let finished = examine(&server.url());
    assert_eq!(finished.status.code(), Some(1));
    assert_found(&finished, "reachable", "fail", "does not answer");
    assert!(finished.stderr.contains("1 check failed"), "{finished:?}");
}

#[test]
fn a_replica_and_a_full_redis_do_not_count() {
    let server = Server::start();
    server.tell(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_found(&examine(&server.url()), "counting", "fail", "Point store.url at the primary.");
    server.tell(&["REPLICAOF", "NO", "ONE"]);
    server.tell(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_found(&examine(&server.url()), "counting", "fail", "its memory is full");
}

#[test]
fn the_documented_user_lacks_nothing_but_what_only_the_doctor_asks() {
    let readme = include_str!("../../README.md");
    let rules = readme.lines().find_map(|line| line.split_once("ACL SETUSER tollgate "));
    let rules: Vec<&str> = rules.expect("an ACL").1.split_whitespace().collect();
    let server = Server::start();
    server.tell(&[&["ACL", "SETUSER", "tollgate"], &rules[..]].concat());
    let finished = examine(&format!("{}?user=tollgate&pass=secret", server.url()));
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    assert_found(&finished, "permissions", "ok", "");
    assert_found(&finished, "server", "warn", "INFO");
}

#[test]
fn usage_and_configuration_end_as_elsewhere_and_memory_needs_no_doctor() {
    assert_eq!(Options::default().run(&["doctor", "more"]).status.code(), Some(2));
    let bad = Options::default().set("store.url", "nonsense").run(&["doctor"]);
    assert_eq!(bad.status.code(), Some(78), "{bad:?}");
    let memory = Options::default().set("store.url", "memory:").run(&["doctor"]);
    assert_eq!(memory.status.code(), Some(0), "{memory:?}");
    assert_found(&memory, "store", "ok", "every process counts alone");
}
