//! `tollgate doctor`: what it reports about a Redis, its exit codes, and what it leaves there.

use crate::permissions::documented;
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
    assert_eq!(server.dump(), before);
}

#[test]
fn of_a_cluster_every_node_is_examined_and_what_is_alike_is_one_line() {
    let cluster = Cluster::start();
    let finished = examine(&cluster.url());
    assert_eq!((finished.status.code(), &*finished.stderr), (Some(0), ""), "{finished:?}");
    assert_found(&finished, "prefix", "ok", "keys begin with \"tollgate\"");
    assert_found(&finished, "cluster", "ok", "all slots are with 3 nodes: 127.0.0.1:");
    for about in ["reachable", "role", "permissions", "time", "counting", "version", "eviction"] {
        assert_found(&finished, about, "ok", "");
    }
    assert_found(&finished, "latency", "", "the worst of 3 nodes: median");
    let abouts = finished.stdout.lines().skip(1).map(|line| line.split_whitespace().nth(1));
    let abouts: Vec<_> = abouts.collect();
    let distinct: std::collections::BTreeSet<_> = abouts.iter().collect();
    assert_eq!(abouts.len(), distinct.len(), "{finished:?}");
    for node in &cluster.nodes {
        assert!(node.dump().is_empty(), "{:?}", node.dump());
    }
}

#[test]
fn a_node_of_a_cluster_that_is_given_as_one_server_fails_whichever_it_is() {
    let cluster = Cluster::start();
    for node in &cluster.nodes {
        let finished = examine(&node.tcp_url());
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        assert_found(&finished, "counting", "fail", "Write store.url as redis+cluster://");
        let database = examine(&node.tcp_url().replace("/0", "/1"));
        assert_found(&database, "reachable", "fail", "Write store.url as redis+cluster://");
        assert!(node.dump().is_empty(), "{:?}", node.dump());
    }
}

#[test]
fn a_node_of_a_cluster_that_differs_is_named() {
    let mut cluster = Cluster::start();
    let names: Vec<String> =
        cluster.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    let user = ["ACL", "SETUSER", "doctored", "on", ">hush", "~*", "+@all"];
    cluster.nodes.iter().for_each(|node| node.tell(&user));
    cluster.nodes[1].tell(&["ACL", "SETUSER", "doctored", "-get"]);
    cluster.nodes[2].tell(&["CONFIG", "SET", "maxmemory", "100mb"]);
    cluster.nodes[2].tell(&["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]);
    let url = cluster.url().replace("//", "//doctored:hush@");
    let finished = examine(&url);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    for (about, node, words) in [
        ("permissions", 1, "its user needs +get,"),
        ("counting", 1, "it refuses to count"),
        ("eviction", 2, "volatile-lru"),
    ] {
        let told = |line: &str| line.contains(&format!("{}: {words}", names[node]));
        let mut failed = finished.stdout.lines().filter(|line| line.starts_with("fail"));
        assert!(failed.any(|line| line.contains(about) && told(line)), "{about}: {finished:?}");
    }
    assert!(finished.stderr.contains("3 checks failed"), "{finished:?}");

    // One that is away, and the first of the URL.
    cluster.nodes[0].stop();
    let finished = examine(&url);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "cluster", "warn", &format!("{} of store.url does not", names[0]));
    assert_found(&finished, "reachable", "fail", &format!("{}: it does not answer", names[0]));
}

#[test]
fn what_is_no_cluster_or_no_sentinel_or_one_is_told_apart() {
    let server = Server::start_tcp();
    let place = format!("127.0.0.1:{}", server.port());
    let finished = examine(&format!("redis+cluster://{place}"));
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "cluster", "fail", "Write store.url as redis://");
    let finished = examine(&format!("redis+sentinel://{place}/limits"));
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "sentinel", "fail", "is no sentinel");
    let mut watched = Watched::start();
    let sentinel = format!("redis://127.0.0.1:{}", watched.sentinels()[0].port());
    let finished = examine(&sentinel);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "role", "fail", "Write store.url as redis+sentinel://host:port/name");
}

#[test]
fn databases_commands_and_keys_that_are_not_there_are_named() {
    let server = Server::certified(None, &["--rename-command", "GET", "OTHER"]);
    let finished = examine(&server.tcp_url());
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "commands", "fail", "it does not know GET: see rename-command");
    assert_found(&finished, "counting", "fail", "it does not know a command");

    let server = Server::start_tcp();
    assert_eq!(examine(&server.tcp_url().replace("/0", "/3")).status.code(), Some(0));
    let finished = examine(&server.tcp_url().replace("/0", "/99"));
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "reachable", "fail", "it has no database of that number");
    let keys = ["~tollgate:{probe*", "~tollgate:{user:*"];
    let user = ["ACL", "SETUSER", "doctored", "on", ">hush", "+@all", "-select"];
    server.tell(&[&user[..], &keys].concat());
    let url = server.tcp_url().replace("//", "//doctored:hush@");
    assert_found(&examine(&url.replace("/0", "/1")), "reachable", "fail", "It needs +select");
    let finished = examine(&url);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "permissions", "ok", "");
    assert_found(&finished, "counting", "fail", "so not all keys. It needs ~tollgate:*");
    assert!(server.dump().is_empty(), "{:?}", server.dump());
}

#[test]
fn a_redis_that_is_near_its_limits_is_told_so() {
    let server = Server::start();
    let info: String =
        redis::cmd("INFO").arg("memory").query(&mut server.connection()).expect("its memory");
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    let used: u64 = used.and_then(|used| used.trim().parse().ok()).expect("a number");
    server.tell(&["CONFIG", "SET", "maxmemory", &(used * 100 / 95 + 100_000).to_string()]);
    assert_found(&examine(&server.url()), "memory", "warn", "% of its maxmemory is used: raise");
    server.tell(&["CONFIG", "SET", "maxmemory", &(used * 100).to_string()]);
    assert_found(&examine(&server.url()), "memory", "ok", "% of its maxmemory is used");
    server.tell(&["CONFIG", "SET", "maxclients", "2"]);
    let finished = examine(&server.url());
    assert_found(
        &finished,
        "clients",
        "fail",
        "1 of 2 are connected: each process needs 6, and one for each worker",
    );
    server.tell(&["CONFIG", "SET", "maxclients", "100"]);
    server.tell(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let finished = examine(&server.url());
    assert_found(&finished, "counting", "fail", "too few replicas follow it");
    assert_found(&finished, "replicas", "fail", "0 follow it, and min-replicas-to-write is 1");
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
    let user = ["ACL", "SETUSER", "doctored", "on", ">hush", "~*", "+@all", "-time", "-append"];
    server.tell(&user);
    let finished = examine(&format!("{}?user=doctored&pass=hush", server.url()));
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_found(&finished, "permissions", "fail", "+time +append");
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
    assert_found(&examine(&server.url()), "role", "fail", "a read-only replica of 127.0.0.1:1.");
    assert_found(&examine(&server.url()), "counting", "fail", "Point store.url at the primary.");
    server.tell(&["REPLICAOF", "NO", "ONE"]);
    server.tell(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_found(&examine(&server.url()), "counting", "fail", "its memory is full");
}

#[test]
fn the_documented_user_lacks_nothing_but_what_only_the_doctor_asks() {
    let rules = documented();
    let server = Server::start();
    server.tell(&[&["ACL", "SETUSER", "tollgate"], &rules[..]].concat());
    let finished = examine(&format!("{}?user=tollgate&pass=secret", server.url()));
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    assert_found(&finished, "permissions", "ok", "");
    assert_found(&finished, "server", "warn", "INFO");
}

#[test]
fn where_requests_hold_slots_it_asks_for_what_these_need_and_leaves_nothing() {
    let server = Server::start();
    server.tell(&[&["ACL", "SETUSER", "tollgate"], &documented()[..]].concat());
    let before = server.dump();
    let examine = || {
        let options = Options::default().set("policies.default.in_flight", "5");
        let url = format!("{}?user=tollgate&pass=secret", server.url());
        options.set("store.url", &url).set("store.timeout_ms", "5000").run(&["doctor"])
    };
    assert_found(&examine(), "permissions", "fail", "its user needs +zadd +pexpire +zcount");
    server.tell(&["ACL", "SETUSER", "tollgate", "+@sortedset", "+pexpire"]);
    assert_found(&examine(), "permissions", "ok", "");
    assert_eq!(server.dump(), before);
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
