//! What `tollgate doctor` is shown to say.

use super::page::Page;
use super::shown::figures_aside;
use crate::permissions::documented;
use crate::support::cluster::Cluster;
use crate::support::process::{Finished, Options};
use crate::support::redis::Server;
use crate::support::sentinels::Watched;

/// What is shown of the command that begins so, without the numbers.
fn shown(begin: &str) -> Vec<String> {
    let steps = Page::named("docs/src/redis.md").steps();
    let step = steps.iter().find(|step| step.command.starts_with(begin)).expect("a command");
    step.output.lines().map(comparable).collect()
}

/// Without the numbers, and without the name of a server that is no Redis.
fn comparable(line: &str) -> String {
    figures_aside(line).replace("Valkey #", "Redis #")
}

fn examine(url: &str) -> Finished {
    Options::default().set("store.url", url).set("store.timeout_ms", "5000").run(&["doctor"])
}

fn said(finished: &Finished) -> Vec<String> {
    [&*finished.stdout, &*finished.stderr]
        .iter()
        .flat_map(|it| it.lines())
        .map(comparable)
        .collect()
}

#[test]
fn of_a_redis_that_is_not_fit_it_says_what_is_shown() {
    let redis = Server::start_tcp();
    let rules = [documented(), vec!["+info", "+config|get", "-time"]].concat();
    redis.tell(&[&["ACL", "SETUSER", "tollgate"], &rules[..]].concat());
    redis.tell(&["CONFIG", "SET", "maxmemory", "100mb"]);
    redis.tell(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let finished = examine(&redis.tcp_url().replace("redis://", "redis://tollgate:secret@"));
    assert_eq!(said(&finished), shown("tollgate doctor --set 'store.url=redis://tollgate:secret@"));
}

#[test]
fn of_a_cluster_with_a_bad_node_it_says_what_is_shown() {
    let cluster = Cluster::start();
    cluster.nodes[2].tell(&["CONFIG", "SET", "maxmemory", "100mb"]);
    cluster.nodes[2].tell(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let finished = examine(&format!("redis+cluster://127.0.0.1:{}", cluster.nodes[0].port()));
    assert_eq!(said(&finished), shown("tollgate doctor --set store.url=redis+cluster://"));
}

#[test]
fn of_sentinels_and_users_that_lack_something_it_says_what_is_shown() {
    let mut watched = Watched::start();
    let rules = documented();
    let user = [&["ACL", "SETUSER", "tollgate"], &rules[..], &["+info", "+config|get"]].concat();
    watched.servers.iter().for_each(|server| server.tell(&user));
    let [_, lacks, gone] = watched.sentinels() else { panic!("three sentinels") };
    lacks.tell(&["ACL", "SETUSER", "default", "-sentinel|get-master-addr-by-name"]);
    gone.stop();
    let url = watched.url().replace("//", "//tollgate:secret@");
    let said = said(&examine(&url));
    let shown = shown("tollgate doctor --set 'store.url=redis+sentinel://");
    let (begin, end) = shown.split_at(shown.iter().position(|line| line == "…").expect("a gap"));
    assert_eq!(&said[..begin.len()], begin);
    assert_eq!(said.last(), end.last());
}

#[test]
fn of_a_node_that_is_given_as_one_server_it_says_what_is_shown() {
    let cluster = Cluster::start();
    let blocks = Page::named("docs/src/redis.md").blocks("text");
    let shown = blocks.iter().find(|block| block.text.starts_with("fail  counting")).expect("it");
    let said = said(&examine(&cluster.nodes[0].tcp_url()));
    assert!(said.contains(&comparable(&shown.text)), "{said:?}");
}
