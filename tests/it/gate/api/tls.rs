//! TLS on the gate, and certificates of callers.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion, version,
};

use super::*;
use crate::support::certificates::{Authority, Files};
use crate::support::threads::until;

const HOST: &str = "127.0.0.1";
const GET: &str = "GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n";
const FAILED: &str = "tollgate_tls_handshakes_failed_total{listener=\"gate\"}";

/// A process whose gate shows this certificate, and demands one of `callers` if there is one.
fn serve(files: &Files, callers: Option<&Authority>) -> Stand {
    let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let options = Options::default()
        .set("store.url", "memory:")
        .set("gate.header_timeout_ms", "1000")
        .set("gate.tls.cert_file", &text(&files.certificate))
        .set("gate.tls.key_file", &text(&files.key));
    Stand::of(match callers {
        Some(callers) => options.set("gate.tls.client_ca_file", &text(&callers.file())),
        None => options,
    })
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    let pem = fs::read(file).expect("a file");
    CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().expect("certificates")
}

/// A connection that trusts `authority`, and shows a certificate if there is one.
fn dial(
    stand: &Stand,
    authority: &Authority,
    shown: Option<&Files>,
    version: &'static SupportedProtocolVersion,
) -> Conversation<StreamOwned<ClientConnection, TcpStream>> {
    encrypt(connect_from([127, 0, 0, 1].into(), stand.port), authority, shown, version)
}

/// The same over a connection that is there already.
fn encrypt(
    stream: TcpStream,
    authority: &Authority,
    shown: Option<&Files>,
    version: &'static SupportedProtocolVersion,
) -> Conversation<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(&authority.file()));
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some(files) => {
            let key = fs::read(&files.key).expect("a file");
            let key = PrivateKeyDer::from_pem_slice(&key).expect("a key");
            config.with_client_auth_cert(certificates(&files.certificate), key).expect("they fit")
        }
    };
    let host = ServerName::try_from(HOST).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), host).expect("a connection");
    Conversation::over(StreamOwned::new(connection, stream))
}

#[test]
fn questions_are_answered_by_tls() {
    let authority = Authority::new();
    let stand = serve(&authority.certify(HOST), None);
    for version in [&version::TLS12, &version::TLS13] {
        let mut client = dial(&stand, &authority, None, version);
        let body = r#"{"path":"/api/data","user":"ann"}"#;
        let head = "POST /v1/check HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n";
        let question = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        // One connection takes several, as without TLS.
        for _ in 0..2 {
            let answer = client.ask(&question);
            assert_eq!((answer.status, &parsed(&answer)["allowed"]), (200, &json!(true)));
        }
    }
    assert_eq!(stand.check_over_tls_remaining(&authority), 5);
    assert_eq!(stand.metric(FAILED), 0);
}

impl Stand {
    /// What is left after one more check over TLS.
    fn check_over_tls_remaining(&self, authority: &Authority) -> u64 {
        let mut client = dial(self, authority, None, &version::TLS13);
        let body = r#"{"path":"/api/data","user":"ann"}"#;
        let head = "POST /v1/check HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n";
        let answer = client.ask(format!("{head}content-length: {}\r\n\r\n{body}", body.len()));
        parsed(&answer)["policies"][0]["remaining"].as_u64().expect("a number")
    }
}

#[test]
fn callers_show_a_certificate_where_an_authority_is_set() {
    let (own, callers, other) = (Authority::new(), Authority::new(), Authority::new());
    let stand = serve(&own.certify(HOST), Some(&callers));
    for version in [&version::TLS12, &version::TLS13] {
        let known = callers.certify_client("caller");
        assert_eq!(dial(&stand, &own, Some(&known), version).ask(GET).status, 200);
    }
    let refused =
        [None, Some(other.certify_client("caller")), Some(callers.certify_once("caller"))];
    for (count, files) in (1..).zip(&refused) {
        let mut client = dial(&stand, &own, files.as_ref(), &version::TLS12);
        client.try_say(GET).expect_err("the handshake fails");
        until("it is counted", || stand.metric(FAILED) == count);
    }
}

#[test]
fn plain_http_to_tls_and_the_reverse_are_refused() {
    let authority = Authority::new();
    let stand = serve(&authority.certify(HOST), None);
    let mut plain = stand.dial();
    plain.say(GET);
    let mut stream = plain.stream();
    let answer = crate::support::raw::read_to_close(&mut stream);
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    until("it is counted", || stand.metric(FAILED) == 1);

    let stand = Stand::new();
    let mut client = dial(&stand, &authority, None, &version::TLS13);
    client.try_say(GET).expect_err("it answers in HTTP");
    assert_eq!(stand.check(&json!({ "path": "/api/data" }))["allowed"], true);
}

#[test]
fn a_handshake_must_come_in_time() {
    let authority = Authority::new();
    let stand = serve(&authority.certify(HOST), None);
    // Nothing, and the beginning of a record.
    for begin in [&b""[..], &[0x16, 0x03, 0x01, 0x02, 0x00]] {
        let mut client = stand.dial();
        client.say(begin);
        client.ends();
    }
    assert_eq!(stand.metric(FAILED), 2);
    let limit = r#"tollgate_connection_limits_total{listener="gate",setting="header_timeout_ms"}"#;
    assert_eq!(stand.metric(limit), 2);
}

#[test]
fn handshakes_that_never_end_keep_nobody_out() {
    let authority = Authority::new();
    let files = authority.certify(HOST);
    let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let options = Options::default()
        .set("store.url", "memory:")
        .set("gate.max_connections", "10")
        .set("gate.header_timeout_ms", "60000")
        .set("gate.tls.cert_file", &text(&files.certificate))
        .set("gate.tls.key_file", &text(&files.key));
    let stand = Stand::of(options);
    let slow: Vec<_> = (0..30).map(|_| stand.dial()).collect();
    let accepted = "tollgate_connections_accepted_total{listener=\"gate\"}";
    until("they are in", || stand.metric(accepted) == 30);
    assert_eq!(dial(&stand, &authority, None, &version::TLS13).ask(GET).status, 200);
    assert!(stand.metric("tollgate_connections{listener=\"gate\"}") <= 10 + 64);
    drop(slow);
}

#[test]
fn a_header_of_the_proxy_protocol_comes_before_tls() {
    let authority = Authority::new();
    let files = authority.certify(HOST);
    let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let stand = Stand::of(
        Options::default()
            .set("store.url", "memory:")
            .set("client_ip.trusted_proxies", "127.0.0.1")
            .set("gate.proxy_protocol", "required")
            .set("gate.tls.cert_file", &text(&files.certificate))
            .set("gate.tls.key_file", &text(&files.key)),
    );
    let dial = || connect_from([127, 0, 0, 1].into(), stand.port);
    let mut proxied = dial();
    proxied.write_all(b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n").expect("the gate reads");
    let mut encrypted = encrypt(proxied, &authority, None, &version::TLS13);
    assert_eq!(encrypted.ask(GET).status, 200);
    // A handshake that comes first is no header.
    let refused = encrypt(dial(), &authority, None, &version::TLS13).try_say(GET);
    assert!(refused.is_err());
}
