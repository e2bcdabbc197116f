//! What stands beside the service: tokens, health, reflection, and the other doors over the same connection.

use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::Signal;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::client::{Envoy, descriptor, request};
use super::{serve, serve_with};
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

#[test]
fn other_requests_are_answered_over_http2_as_over_http1() {
    let gate = port::free_address();
    let options = Options::default().config(CONFIG).set("gate.listen", &gate.to_string());
    let _tollgate = options.serve();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (status, body) = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(gate).await.expect("a connection");
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .expect("a handshake");
        tokio::spawn(connection);
        let request =
            Request::get(format!("http://{gate}/nowhere")).body(Empty::<bytes::Bytes>::new());
        let response = client.send_request(request.expect("a request")).await.expect("a response");
        let (head, body) = response.into_parts();
        (head.status.as_u16(), body.collect().await.expect("a whole body").to_bytes())
    });
    assert_eq!(status, 404);
    assert!(body.starts_with(b"{"), "{body:?}");
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
