//! TLS: who is not what it should be is not asked, and who must show a certificate does.

use std::fs;

use tollgate::{RedisOptions, RedisStore, RedisTls};

use super::{admitted, with_limit};
use crate::support::certificates::{Authority, Certified, Files};
use crate::support::cluster::Cluster;
use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::sentinels::Watched;
use crate::support::stores::{HOUR, ask, charge, policy};

const HOST: &str = "127.0.0.1";

/// A server with the certificate of `files`, and its port.
fn serve(files: &Files, authority: &Authority, of_clients: bool) -> (Server, u16) {
    let server = Server::certified(Some(&Certified { files, authority, of_clients }), &[]);
    let port = server.port();
    (server, port)
}

fn store(port: u16, tls: RedisTls) -> RedisStore {
    store_at(format!("rediss://{HOST}:{port}"), tls)
}

fn store_at(url: String, tls: RedisTls) -> RedisStore {
    let options = RedisOptions { tls, ..RedisOptions::new(url) };
    RedisStore::start(&with_limit(options, 10_000)).expect("a store, up or down")
}

fn trusting(authority: &Authority) -> RedisTls {
    let pem = fs::read(authority.file()).expect("a file");
    RedisTls::default().with_authorities(&pem).expect("an authority")
}

#[test]
fn a_server_is_asked_only_if_its_certificate_is_right() {
    let (own, other) = (Authority::new(), Authority::new());
    let (_server, right) = serve(&own.certify(HOST), &own, false);
    assert_eq!(admitted(&store(right, trusting(&own))), 5);
    let distrustful = store(right, trusting(&other));
    assert!(!distrustful.is_up(), "of an authority that is not trusted");
    assert_eq!(distrustful.status().cause, Some("TLS failed"));
    assert!(!store(right, RedisTls::default()).is_up(), "of none that the public trusts");

    let (_server, expired) = serve(&own.certify_once(HOST), &own, false);
    assert!(!store(expired, trusting(&own)).is_up(), "expired");
    let (_server, elsewhere) = serve(&own.certify("192.0.2.1"), &own, false);
    assert!(!store(elsewhere, trusting(&own)).is_up(), "another host's");
}

#[test]
fn a_client_shows_the_certificate_that_the_server_wants() {
    let (own, other) = (Authority::new(), Authority::new());
    let (_server, port) = serve(&own.certify(HOST), &own, true);
    let showing = |files: &Files| {
        let [certificate, key] =
            [&files.certificate, &files.key].map(|path| fs::read(path).expect("a file"));
        trusting(&own).with_identity(&certificate, &key).expect("a pair")
    };
    assert!(!store(port, trusting(&own)).is_up(), "none");
    assert!(!store(port, showing(&other.certify("client"))).is_up(), "one of another authority");
    assert_eq!(admitted(&store(port, showing(&own.certify("client")))), 5);
}

#[test]
fn every_node_of_a_cluster_is_asked_by_tls_and_only_if_its_certificate_is_right() {
    let (own, other) = (Authority::new(), Authority::new());
    let files = own.certify(HOST);
    let certified = Certified { files: &files, authority: &own, of_clients: false };
    let cluster = Cluster::certified(&certified);
    assert!(cluster.url().starts_with("rediss+cluster://"));
    let store = store_at(cluster.url(), trusting(&own));
    assert!(store.is_up(), "{:?}", store.status());
    let policy = policy("p", "fixed-window", 2, HOUR);
    for user in 0..30 {
        let charges = [charge(&format!("u{user}"), &policy)];
        assert_eq!(ask(&store, &charges, 1, 3).admitted, 2, "{user}");
    }
    for node in &cluster.nodes {
        assert!(node.dump().keys().any(|key| key.starts_with(b"test:{user:")));
    }
    let distrustful = store_at(cluster.url(), trusting(&other));
    assert!(!distrustful.is_up());
    assert_eq!(distrustful.status().cause, Some("TLS failed"));
}

#[test]
fn sentinels_and_the_primary_that_they_name_are_asked_by_tls_and_only_if_both_are_right() {
    let (own, other) = (Authority::new(), Authority::new());
    let files = own.certify(HOST);
    let certified = Certified { files: &files, authority: &own, of_clients: false };
    let watched = Watched::certified(&certified);
    assert!(watched.url().starts_with("rediss+sentinel://"));
    let store = store_at(watched.url(), trusting(&own));
    assert!(store.is_up(), "{:?}", store.status());
    assert_eq!(admitted(&store), 5);
    assert!(watched.servers[0].dump().keys().any(|key| key.starts_with(b"test:{user:a}")));
    let distrustful = store_at(watched.url(), trusting(&other));
    assert!(!distrustful.is_up());
    assert_eq!(distrustful.status().cause, Some("TLS failed"));
}

#[test]
fn the_command_takes_the_files_and_says_what_is_wrong_with_a_certificate() {
    let own = Authority::new();
    let client = own.certify("client");
    let start = |files: &Files| {
        let (server, port) = serve(files, &own, true);
        let text = |path: &std::path::Path| path.to_str().expect("text").to_owned();
        let tollgate = Options::default()
            .set("store.url", &format!("rediss://{HOST}:{port}"))
            .set("store.timeout_ms", "10000")
            .set("store.tls.ca_file", &text(&own.file()))
            .set("store.tls.cert_file", &text(&client.certificate))
            .set("store.tls.key_file", &text(&client.key))
            .serve();
        (server, tollgate)
    };
    let (server, tollgate) = start(&own.certify(HOST));
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    assert!(server.dump().keys().any(|key| key.starts_with(b"tollgate:{ip:")));

    let (_server, mut tollgate) = start(&own.certify_once(HOST));
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    tollgate.wait_for_line("certificate expired");
}
