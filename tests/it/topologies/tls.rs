//! TLS: a server with a wrong certificate is not used, and the client shows its certificate if asked.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

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
    let options = RedisOptions::new(url).tls(tls);
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
    assert_eq!(distrustful.status().cause, Some("certificate not trusted"));
    assert!(!store(right, RedisTls::default()).is_up(), "of none that the public trusts");

    for (files, cause) in [
        (own.certify_once(HOST), "certificate expired"),
        (own.certify_early(HOST), "certificate not yet valid"),
        (own.certify("192.0.2.1"), "certificate of another host"),
        (own.certify_client(HOST), "certificate not for servers"),
    ] {
        let (_server, port) = serve(&files, &own, false);
        assert_eq!(refused(port, trusting(&own)), cause);
    }
}

/// Why nothing is counted at this port.
fn refused(port: u16, tls: RedisTls) -> &'static str {
    refused_at(format!("rediss://{HOST}:{port}"), tls, 10_000)
}

fn refused_at(url: String, tls: RedisTls, limit: u64) -> &'static str {
    let options = RedisOptions::new(url).tls(tls);
    let store = RedisStore::start(&with_limit(options, limit)).expect("a store that is down");
    assert!(!store.is_up());
    store.status().cause.expect("a cause")
}

fn trusting_file(file: &Path) -> RedisTls {
    let pem = fs::read(file).expect("a file");
    RedisTls::default().with_authorities(&pem).expect("an authority")
}

#[test]
fn a_certificate_that_the_operator_lists_is_taken_though_it_is_of_an_authority() {
    let own = Authority::new();
    let files = own.of_itself(HOST);
    let (_server, port) = serve(&files, &own, false);
    assert_eq!(admitted(&store(port, trusting_file(&files.certificate))), 5);
    // One among several, with another authority.
    let both = [fs::read(own.file()), fs::read(&files.certificate)].map(|it| it.expect("a file"));
    let both = RedisTls::default().with_authorities(&both.concat()).expect("two authorities");
    assert!(store(port, both).is_up());

    // Another of the same name is not the one that is listed.
    let (again, once) = (own.of_itself(HOST), own.of_itself_once(HOST));
    let elsewhere = own.of_itself("192.0.2.1");
    let (_server, another) = serve(&again, &own, false);
    // The files of the two have the same names: what is listed now is what is served.
    assert_eq!(admitted(&store(another, trusting_file(&again.certificate))), 5);
    assert_eq!(refused(port, trusting_file(&again.certificate)), "certificate of an authority");
    assert_eq!(refused(port, trusting(&own)), "certificate of an authority");
    for (files, cause) in
        [(once, "certificate expired"), (elsewhere, "certificate of another host")]
    {
        let (_server, port) = serve(&files, &own, false);
        assert_eq!(refused(port, trusting_file(&files.certificate)), cause);
    }
}

#[test]
fn a_listed_authority_certifies_others_as_before() {
    let own = Authority::new();
    let (_server, port) = serve(&own.certify(HOST), &own, false);
    assert_eq!(admitted(&store(port, trusting_file(&own.file()))), 5);
}

#[test]
fn each_side_that_speaks_no_tls_or_tls_alone_is_told_from_one_that_is_away() {
    let own = Authority::new();
    let (_server, with) = serve(&own.certify(HOST), &own, false);
    let plain = RedisTls::default();
    for scheme in ["redis", "redis+cluster"] {
        let url = format!("{scheme}://{HOST}:{with}");
        assert_eq!(refused_at(url, plain.clone(), 10_000), "TLS wanted");
    }
    let url = format!("redis+sentinel://{HOST}:{with}/name");
    assert_eq!(refused_at(url, plain, 10_000), "TLS wanted");
    let without = Server::start_tcp();
    // A plain Redis waits for more: only the time limit ends that.
    for scheme in ["rediss", "rediss+cluster"] {
        let url = format!("{scheme}://{HOST}:{}", without.port());
        assert_eq!(refused_at(url, trusting(&own), 1_000), "no TLS there");
    }
    without.pause();
    let url = format!("rediss://{HOST}:{}", without.port());
    assert_eq!(refused_at(url, trusting(&own), 100), "TLS unanswered");
    // What else may listen there says at least something.
    let other = TcpListener::bind((HOST, 0)).expect("a port");
    let port = other.local_addr().expect("its address").port();
    thread::spawn(move || {
        for client in other.incoming().map_while(Result::ok) {
            let mut client = client;
            let _ = client.read(&mut [0; 1_024]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    assert_eq!(refused(port, trusting(&own)), "no TLS there");
}

#[test]
fn a_server_that_agrees_to_nothing_is_no_server_that_is_away() {
    let own = Authority::new();
    let files = own.certify(HOST);
    let certified = Certified { files: &files, authority: &own, of_clients: false };
    // A cipher that is not offered.
    let only = ["--tls-protocols", "TLSv1.3", "--tls-ciphersuites", "TLS_AES_128_CCM_SHA256"];
    let server = Server::certified(Some(&certified), &only);
    assert_eq!(refused(server.port(), trusting(&own)), "no TLS in common");
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
    assert_eq!(refused(port, trusting(&own)), "client certificate wanted");
    assert_eq!(refused(port, showing(&other.certify("client"))), "client certificate refused");
    assert_eq!(refused(port, showing(&own.certify_once("client"))), "client certificate refused");
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
    assert_eq!(distrustful.status().cause, Some("certificate not trusted"));
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
    assert_eq!(distrustful.status().cause, Some("certificate not trusted"));
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
    let line = tollgate.wait_for_line("does not answer (its certificate has expired)");
    assert!(line.contains("Give it a new one, or set this host's clock"), "{line}");
}
