//! What stands beside the service: tokens, health, reflection, and the other doors over the same connection.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::client::{Code as OverallCode, Envoy, codes, descriptor, request};
use super::{serve, serve_with};
use crate::support::certificates::Authority;
use crate::support::port;
use crate::support::process::Options;
use crate::support::redis::Server;

const CONFIG: &str = r#"
[store]
url = "memory:"

[policies.logins]
quota = "10/day"
key = "descriptor"

[descriptors.edge."generic_key"]
policies = ["logins"]
"#;

/// The SHA-256 of `secret`.
const DIGEST: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn health(envoy: &Envoy, service: &str) -> Result<ServingStatus, Code> {
    let mut client = HealthClient::new(envoy.channel.clone());
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = envoy.runtime.block_on(client.check(request));
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

#[test]
fn whoever_has_no_token_is_unauthenticated_but_may_ask_for_the_health() {
    let gate = port::free_address();
    let options = Options::default().config(CONFIG).set("gate.listen", &gate.to_string());
    let _tollgate = options.set("gate.token_sha256", DIGEST).serve();
    let ask = |envoy: &Envoy| envoy.ask(request(vec![descriptor("generic_key=a")]));
    let status = ask(&Envoy::at(gate)).expect_err("no token");
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), "a token is needed: authorization: Bearer TOKEN");
    let status = ask(&Envoy::at(gate).with_token("wrong")).expect_err("a wrong token");
    assert_eq!(status.code(), Code::Unauthenticated);
    ask(&Envoy::at(gate).with_token("secret")).expect("an answer");
    assert_eq!(health(&Envoy::at(gate), ""), Ok(ServingStatus::Serving));
}

#[test]
fn the_health_is_known_by_three_names() {
    let (_tollgate, envoy) = serve(CONFIG);
    for name in ["", "envoy.service.ratelimit.v3.RateLimitService", "ratelimit"] {
        assert_eq!(health(&envoy, name), Ok(ServingStatus::Serving), "{name:?}");
    }
    assert_eq!(health(&envoy, "other"), Err(Code::NotFound));
}

#[test]
fn without_its_store_a_process_that_refuses_is_not_healthy() {
    let mut redis = Server::start();
    let options = Options::default().config(CONFIG).set("store.url", &redis.url());
    let (_tollgate, envoy) = serve_with(options.set("policies.logins.on_store_failure", "deny"));
    assert_eq!(health(&envoy, ""), Ok(ServingStatus::Serving));
    redis.kill();
    let ask = || envoy.ask(request(vec![descriptor("generic_key=a")]));
    crate::support::threads::until("the store is known to be down", || {
        let status = ask().expect_err("nothing is decided");
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        health(&envoy, "") == Ok(ServingStatus::NotServing)
    });
}

/// A request for the health over HTTP/2, and then a check.
async fn ask_over_http2<T>(stream: T, gate: SocketAddr) -> Vec<(u16, Bytes)>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut client, connection) = handshake.await.expect("a handshake");
    tokio::spawn(connection);
    let check = r#"{"policies":["logins"],"user":"ann"}"#;
    let mut answers = Vec::new();
    for (method, path, body) in
        [("GET", "/healthz", ""), ("POST", "/v1/check", check), ("GET", "/none", "")]
    {
        let request = Request::builder().method(method).uri(format!("http://{gate}{path}"));
        let request = request.header("content-type", "application/json");
        let request = request.body(Full::new(Bytes::from(body))).expect("a request");
        let response = client.send_request(request).await.expect("a response");
        let (head, body) = response.into_parts();
        answers.push((head.status.as_u16(), body.collect().await.expect("a body").to_bytes()));
    }
    answers
}

#[test]
fn other_requests_are_answered_over_http2_as_over_http1() {
    let gate = port::free_address();
    let options = Options::default().config(CONFIG).set("gate.listen", &gate.to_string());
    let _tollgate = options.serve();
    let runtime = Runtime::new().expect("a runtime");
    let answers = runtime.block_on(async {
        ask_over_http2(TcpStream::connect(gate).await.expect("a connection"), gate).await
    });
    assert_eq!(answers.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [200, 200, 404]);
    assert!(answers[1].1.starts_with(b"{\"allowed\":true,"), "{:?}", answers[1].1);
}

#[test]
fn both_are_answered_by_tls_to_clients_that_choose_http2() {
    let (gate, authority) = (port::free_address(), Authority::new());
    let files = authority.certify("127.0.0.1");
    let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let options = Options::default().config(CONFIG).set("gate.listen", &gate.to_string());
    let options = options.set("gate.tls.cert_file", &text(&files.certificate));
    let _tollgate = options.set("gate.tls.key_file", &text(&files.key)).serve();
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(authority.file()).expect("a file");
    roots
        .add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).map(|it| it.expect("one")));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connect = move || {
        let connector = connector.clone();
        async move {
            let host = ServerName::try_from("127.0.0.1").expect("a name");
            let stream = connector.connect(host, TcpStream::connect(gate).await?).await?;
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            Ok(stream)
        }
    };
    let envoy = Envoy::over(connect.clone());
    assert_eq!(codes(&envoy.decide(vec![descriptor("generic_key=a")])).0, OverallCode::Ok);
    let answers = envoy
        .runtime
        .block_on(async { ask_over_http2(connect().await.expect("a connection"), gate).await });
    assert_eq!(answers.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [200, 200, 404]);
}

#[test]
fn a_process_that_stops_answers_what_is_in_progress_and_closes_in_order() {
    let (mut tollgate, envoy) = serve(CONFIG);
    envoy.decide(vec![descriptor("generic_key=a")]);
    tollgate.signal(Signal::TERM);
    assert!(tollgate.wait().success());
    // The connection is gone, and nothing listens any more.
    let asked = envoy.runtime.block_on(async {
        tokio::time::timeout(
            Duration::from_secs(20),
            envoy.asking(request(vec![descriptor("generic_key=a")])),
        )
        .await
    });
    let status = asked.expect("an answer").expect_err("no server");
    assert_eq!(status.code(), Code::Unavailable);
}
