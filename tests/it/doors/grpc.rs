//! Refusals of gRPC requests, as a client of tonic gets them from a server of tonic.

use std::net::Ipv4Addr;
use std::sync::Arc;

use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use tokio::runtime::Runtime;
use tollgate::{Limiter, LimiterBuilder, ManualClock, OnStoreFailure, RateLimitLayer, Share};
use tonic::body::Body;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tonic::transport::{Channel, Server as GrpcServer};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceExt as _;

use super::{Counts, NOW, on_each_store, policy};
use crate::support::redis::Server;
use crate::support::stores::redis_store;

const PATH: &str = "/grpc.health.v1.Health/Check";

/// A server of the health check behind a limiter, and a connection to it.
fn serve(limiter: LimiterBuilder) -> (Runtime, Channel) {
    serve_with_jitter(limiter, Share::NONE)
}

/// The same, where those who are denied are told waits that are longer by up to this share.
fn serve_with_jitter(limiter: LimiterBuilder, jitter: Share) -> (Runtime, Channel) {
    let limiter = limiter.build().expect("policies and routes that fit");
    let rate_limit = RateLimitLayer::new(limiter).peer(|it: &TcpConnectInfo| it.remote_addr());
    let rate_limit = rate_limit.retry_jitter(jitter);
    let runtime = Runtime::new().expect("a runtime");
    let channel = runtime.block_on(async {
        let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let address = incoming.local_addr().expect("it is bound");
        let (_, health) = tonic_health::server::health_reporter();
        let server = GrpcServer::builder().layer(rate_limit).add_service(health);
        tokio::spawn(server.serve_with_incoming(incoming));
        let channel = Channel::from_shared(format!("http://{address}")).expect("a URL");
        channel.connect().await.expect("a server")
    });
    (runtime, channel)
}

/// What `count` calls come to.
fn calls(limiter: LimiterBuilder, count: usize) -> Vec<Result<HeaderMap, Status>> {
    calls_of(serve(limiter), count)
}

/// What `count` calls over this connection come to.
fn calls_of(
    (runtime, channel): (Runtime, Channel),
    count: usize,
) -> Vec<Result<HeaderMap, Status>> {
    let mut client = HealthClient::new(channel);
    let mut seen = Vec::new();
    for _ in 0..count {
        let answer = client.check(HealthCheckRequest { service: String::new() });
        seen.push(runtime.block_on(answer).map(|answer| answer.into_parts().0.into_headers()));
    }
    seen
}

#[test]
fn a_denied_call_is_resource_exhausted_and_says_when_to_come_back() {
    on_each_store(|counts| {
        let limiter = counts.limiter([policy("default", "2/minute")]);
        let seen = calls(limiter.route(format!("POST {PATH}"), ["default"], []), 3);
        for (seen, left) in seen.iter().zip([1, 0]) {
            let fields = seen.as_ref().expect("it passes");
            let standing = format!(r#""default";r={left};t=42"#);
            assert_eq!(fields["ratelimit"], standing.as_str());
        }
        let status = seen[2].as_ref().expect_err("it is denied");
        assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "Quota Exceeded"));
        let fields = status.metadata().clone().into_headers();
        assert_eq!(fields["grpc-retry-pushback-ms"], "42000");
        assert_eq!(fields["retry-after"], "42");
        assert_eq!(fields["ratelimit"], r#""default";r=0;t=42"#);
        assert_eq!(fields["ratelimit-policy"], r#""default";q=2;w=60"#);
    });
}

#[test]
fn a_longer_wait_is_told_alike_in_all_fields_and_never_shorter() {
    on_each_store(|counts| {
        let limiter = counts.limiter([policy("default", "1/hour")]).route(PATH, ["default"], []);
        let seen = calls_of(serve_with_jitter(limiter, "50%".parse().expect("a share")), 11);
        let passes = seen[0].as_ref().expect("it passes");
        assert_eq!(passes["ratelimit"], r#""default";r=0;t=3582"#, "exact");
        let waits = seen[1..].iter().map(|denied| {
            let status = denied.as_ref().expect_err("it is denied");
            let fields = status.metadata().clone().into_headers();
            let text = |name| fields[name].to_str().expect("text");
            let millis: u64 = text("grpc-retry-pushback-ms").parse().expect("a number");
            let seconds = millis.div_ceil(1_000);
            assert_eq!(text("retry-after"), seconds.to_string());
            assert_eq!(text("ratelimit"), format!(r#""default";r=0;t={seconds}"#));
            millis
        });
        let waits: Vec<_> = waits.collect();
        assert!(waits.iter().all(|it| (3_582_000..=5_373_000).contains(it)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    });
}

#[test]
fn a_call_that_can_never_pass_must_not_be_tried_again() {
    let cost = tollgate::Cost::new(3).expect("a cost");
    let limiter = Counts::in_memory().limiter([policy("default", "2/minute")]);
    let seen = calls(limiter.route_of_cost(cost, PATH, ["default"], []), 1);
    let status = seen[0].as_ref().expect_err("it is denied");
    assert_eq!(status.code(), Code::ResourceExhausted);
    let fields = status.metadata();
    assert_eq!(fields.get("grpc-retry-pushback-ms").expect("a wait"), "-1");
    assert!(fields.get("retry-after").is_none());
}

#[test]
fn a_blocked_call_is_permission_denied() {
    let limiter = Counts::in_memory().limiter([]);
    let seen = calls(limiter.block(["127.0.0.0/8".parse().expect("an entry")]), 1);
    let status = seen[0].as_ref().expect_err("it is blocked");
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "Forbidden"));
    assert!(status.metadata().get("grpc-retry-pushback-ms").is_none());
}

#[test]
fn an_undecided_call_is_unavailable() {
    let mut server = Server::start();
    let store = redis_store(&server.url(), &Arc::new(ManualClock::new(NOW)));
    server.kill();
    let policy = policy("default", "2/minute").with_on_store_failure(OnStoreFailure::Deny);
    let limiter = Limiter::builder(Arc::new(store)).policy(policy);
    for seen in calls(limiter.route("/*", ["default"], []), 3) {
        let status = seen.expect_err("nothing is decided");
        let expected = (Code::Unavailable, "Temporary Reduced Capacity");
        assert_eq!((status.code(), status.message()), expected);
    }
}

#[test]
fn a_refusal_is_trailers_only_and_others_than_grpc_get_problem_details() {
    let limiter = Counts::in_memory().limiter([policy("default", "1/minute")]);
    let (runtime, channel) = serve(limiter.route("/*", ["default"], []));
    let ask = |content_type: &'static str| {
        let request = Request::post(PATH).header("content-type", content_type);
        let request = request.body(Body::empty()).expect("a request");
        runtime.block_on(async {
            let response = channel.clone().oneshot(request).await.expect("a response");
            let (head, body) = response.into_parts();
            let body = body.collect().await.expect("a whole body");
            let trailers = body.trailers().cloned();
            (head.status.as_u16(), head.headers, body.to_bytes(), trailers)
        })
    };
    ask("application/grpc");
    for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;x=1"] {
        let (status, fields, body, trailers) = ask(content_type);
        assert_eq!((status, body.len(), trailers), (200, 0, None), "{content_type}");
        assert_eq!(
            (&fields["grpc-status"], &fields["content-type"]),
            (&"8".parse().expect("text"), &"application/grpc".parse().expect("text"))
        );
    }
    for content_type in ["application/grpc-web", "application/json", "text/plain"] {
        let (status, fields, body, _) = ask(content_type);
        assert_eq!((status, fields.contains_key("grpc-status")), (429, false), "{content_type}");
        assert!(body.starts_with(b"{\"type\""));
    }
}
