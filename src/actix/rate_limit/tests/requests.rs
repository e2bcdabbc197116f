//! What a request costs, who sends it, and which policies it meets.

use std::fmt;

use actix_web::ResponseError;
use actix_web::http::StatusCode;

use super::*;
use crate::limiter::LimiterError;

fn header(request: &ServiceRequest, name: &str) -> Option<String> {
    request.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

/// The middleware over a policy `default` of `quota`, keyed by `key`, with users from `x-user`.
fn keyed(quota: &str, key: KeySource) -> RateLimit {
    let limiter = in_memory([policy("default", quota).with_key(key)]).build().unwrap();
    let user = |request: &ServiceRequest| header(request, "x-user").map(User::new);
    RateLimit::new(limiter).policies(["default"]).unwrap().user(user)
}

#[test]
fn policies_are_met_in_the_order_they_are_named_and_others_are_not() {
    run(async {
        let policies = [policy("a", "9/minute"), policy("b", "8/minute"), policy("c", "1/minute")];
        let limiter = in_memory(policies).route("/", ["c"], []).build().unwrap();
        let app = ok(RateLimit::new(limiter).policies(["b", "a"]).unwrap());
        let app = init_service(app).await;
        send(&app, TestRequest::get().to_request()).await;
        let seen = send(&app, TestRequest::get().to_request()).await;
        assert_eq!(seen.status, 200);
        assert_eq!(seen.field("ratelimit"), Some(r#""b";r=6;t=42, "a";r=7;t=42"#));
    });
}

#[test]
fn a_policy_that_does_not_exist_is_an_error_before_anything_is_served() {
    let rate_limit = || RateLimit::new(in_memory([policy("a", "9/minute")]).build().unwrap());
    let error = rate_limit().policies(["a", "other"]).unwrap_err();
    assert_eq!(error, LimiterError::UnknownPolicy("other".into()));
    let error = rate_limit().policies(["a", "a"]).unwrap_err();
    assert_eq!(error, LimiterError::DuplicatePolicy("a".into()));
}

#[test]
fn a_request_meets_nothing_where_no_route_is_listed() {
    run(async {
        let limiter = in_memory([policy("default", "1/minute")]).route("/a", ["default"], []);
        let app = init_service(ok(RateLimit::new(limiter.build().unwrap()))).await;
        assert_eq!(statuses!(&app, "/b", 3), [200; 3]);
        assert!(!send(&app, TestRequest::with_uri("/b").to_request()).await.has_fields());
        assert_eq!(statuses!(&app, "/a", 2), [200, 429]);
    });
}

#[test]
fn a_request_is_charged_what_it_costs() {
    run(async {
        let cost = |request: &ServiceRequest| {
            let units = header(request, "x-cost").map_or(1, |units| units.parse().unwrap());
            Cost::new(units).unwrap()
        };
        let app = init_service(ok(default_of("10/minute").cost(cost))).await;
        // (cost, status, RateLimit, Retry-After)
        for (cost, status, standing, wait) in [
            ("4", 200, r#""default";r=6;t=42"#, None),
            ("4", 200, r#""default";r=2;t=42"#, None),
            ("4", 429, r#""default";r=2;t=42"#, Some("42")),
            // What is left is for smaller ones.
            ("1", 200, r#""default";r=1;t=42"#, None),
            // More than the whole quota: there is no wait after which it would pass.
            ("11", 429, r#""default";r=1"#, None),
            ("1", 200, r#""default";r=0;t=42"#, None),
        ] {
            let request = TestRequest::get().insert_header(("x-cost", cost)).to_request();
            let seen = send(&app, request).await;
            assert_eq!((seen.status, seen.field("ratelimit")), (status, Some(standing)), "{cost}");
            assert_eq!(seen.field("retry-after"), wait, "{cost}");
        }
    });
}

#[test]
fn a_request_is_charged_what_its_route_costs_unless_the_host_says() {
    run(async {
        let routes = || {
            let builder = in_memory([policy("default", "10/minute")]);
            let cost = Cost::new(4).unwrap();
            let builder = builder.route_of_cost(cost, "POST /{kind}/export", ["default"], []);
            RateLimit::new(builder.route("/*", ["default"], []).build().unwrap())
        };
        let hosts = routes().cost(|_| Cost::new(2).unwrap());
        for (rate_limit, expected) in [(routes(), [6, 5]), (hosts, [8, 6])] {
            let app = init_service(ok(rate_limit)).await;
            let export = TestRequest::post().uri("/items/export").to_request();
            let seen =
                [send(&app, export).await, send(&app, TestRequest::get().to_request()).await];
            for (seen, left) in seen.iter().zip(expected) {
                let standing = format!(r#""default";r={left};t=42"#);
                assert_eq!(seen.field("ratelimit"), Some(&*standing));
            }
        }
    });
}

#[test]
fn a_request_takes_the_most_specific_route_for_its_method_and_path() {
    run(async {
        let policies = ["all", "item", "write"].map(|name| policy(name, "9/minute"));
        let limiter = in_memory(policies)
            .route("/*", ["all"], [])
            .route("/items/{id}", ["item"], [])
            .route("POST /items/{id}", ["write"], []);
        let app = init_service(ok(RateLimit::new(limiter.build().unwrap()))).await;
        for (request, name) in [
            (TestRequest::get().uri("/items/7?x=/other"), "item"),
            (TestRequest::get().uri("/%69tems/7"), "item"),
            (TestRequest::post().uri("/items/7"), "write"),
            (TestRequest::get().uri("/items/7/"), "all"),
            (TestRequest::get().uri("/"), "all"),
        ] {
            let seen = send(&app, request.to_request()).await;
            let policy = format!("\"{name}\";q=9;w=60");
            assert_eq!(seen.field("ratelimit-policy"), Some(&*policy));
        }
    });
}

#[test]
fn a_request_that_is_skipped_is_neither_counted_nor_denied() {
    run(async {
        let skip = |request: &ServiceRequest| request.path() == "/health";
        let app = init_service(ok(default_of("2/minute").skip(skip))).await;
        assert_eq!(statuses!(&app, "/health", 5), [200; 5]);
        assert_eq!(statuses!(&app, "/", 3), [200, 200, 429]);
        let seen = send(&app, TestRequest::with_uri("/health").to_request()).await;
        assert_eq!((seen.status, seen.has_fields()), (200, false));
    });
}

#[test]
fn each_client_has_its_own_quota_and_cannot_spend_anothers() {
    run(async {
        // The key; requests, each of a user and from an address; their statuses.
        type Case = (KeySource, &'static [(&'static str, &'static str)], &'static [u16]);
        let cases: [Case; 4] = [
            (
                KeySource::User,
                &[("ann", "1"), ("ann", "2"), ("bob", "1"), ("ann", "3"), ("bob", "1")],
                &[200, 200, 200, 429, 200],
            ),
            // Without a user the address counts, and not against the users behind it.
            (
                KeySource::UserOrIp,
                &[
                    ("ann", "1"),
                    ("ann", "1"),
                    ("", "1"),
                    ("", "1"),
                    ("", "1"),
                    ("", "2"),
                    ("ann", "2"),
                ],
                &[200, 200, 200, 200, 429, 200, 429],
            ),
            (
                KeySource::Ip,
                &[("ann", "1"), ("bob", "1"), ("cid", "1"), ("ann", "2")],
                &[200, 200, 429, 200],
            ),
            (KeySource::Global, &[("ann", "1"), ("bob", "2"), ("", "3")], &[200, 200, 429]),
        ];
        for (key, requests, expected) in cases {
            let app = init_service(ok(keyed("2/minute", key.clone()))).await;
            let mut seen = Vec::new();
            for (user, address) in requests {
                let peer = format!("203.0.113.{address}:1").parse().unwrap();
                let mut request = TestRequest::get().peer_addr(peer);
                if !user.is_empty() {
                    request = request.insert_header(("x-user", *user));
                }
                seen.push(send(&app, request.to_request()).await.status);
            }
            assert_eq!(seen, expected, "by {key}");
        }
    });
}

#[test]
fn a_route_that_peeks_tells_the_standing_and_charges_nothing() {
    run(async {
        let limiter = in_memory([policy("default", "2/minute")])
            .route("/data", ["default"], [])
            .route("/status", [], ["default"]);
        let app = init_service(ok(RateLimit::new(limiter.build().unwrap()))).await;
        for (used, standing) in [
            (0, r#""default";r=2"#),
            (1, r#""default";r=1;t=42"#),
            (2, r#""default";r=0;t=42"#),
            // Also where the gate is closed.
            (3, r#""default";r=0;t=42"#),
        ] {
            for _ in 0..3 {
                let seen = send(&app, TestRequest::with_uri("/status").to_request()).await;
                assert_eq!((seen.status, seen.field("ratelimit")), (200, Some(standing)));
                assert_eq!(seen.field("ratelimit-policy"), Some(r#""default";q=2;w=60"#));
                assert_eq!(seen.field("retry-after"), None);
                assert_eq!(seen.field("cache-control"), None);
            }
            let expected = if used < 2 { 200 } else { 429 };
            assert_eq!(statuses!(&app, "/data", 1), [expected]);
        }
    });
}

#[test]
fn a_route_may_charge_one_policy_and_tell_of_another() {
    run(async {
        let limiter = in_memory([policy("charged", "1/minute"), policy("told", "5/hour")]).route(
            "/",
            ["charged"],
            ["told"],
        );
        let app = init_service(ok(RateLimit::new(limiter.build().unwrap()))).await;
        let seen = send(&app, TestRequest::get().to_request()).await;
        assert_eq!(seen.status, 200);
        assert_eq!(seen.all("ratelimit").join(", "), r#""charged";r=0;t=42, "told";r=5"#);
        let seen = send(&app, TestRequest::get().to_request()).await;
        assert_eq!((seen.status, seen.field("retry-after")), (429, Some("42")));
        assert!(seen.all("ratelimit").join(", ").starts_with(r#""charged";r=0;t=42"#));
    });
}

#[derive(Debug)]
struct Teapot;

impl fmt::Display for Teapot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("short and stout")
    }
}

impl ResponseError for Teapot {
    fn status_code(&self) -> StatusCode {
        StatusCode::IM_A_TEAPOT
    }
}

#[test]
fn the_errors_of_handlers_pass_through_and_are_counted() {
    run(async {
        let handler = || async { Err::<HttpResponse, _>(Teapot) };
        let app = App::new().wrap(default_of("2/minute")).route("/", web::get().to(handler));
        let app = init_service(app).await;
        for standing in [r#""default";r=1;t=42"#, r#""default";r=0;t=42"#] {
            let seen = send(&app, TestRequest::get().to_request()).await;
            assert_eq!((seen.status, &*seen.body), (418, "short and stout"));
            assert_eq!(seen.field("ratelimit"), Some(standing));
        }
        assert_eq!(statuses!(&app, "/", 1), [429]);
    });
}

#[test]
fn the_errors_of_a_middleware_inside_stay_what_they_are() {
    run(async {
        let app = App::new()
            .wrap_fn(|_, _| async { Err::<ServiceResponse, Error>(Teapot.into()) })
            .wrap(default_of("2/minute"));
        let app = init_service(app).await;
        let error = app.call(TestRequest::get().to_request()).await.map(drop).unwrap_err();
        assert!(error.as_error::<Teapot>().is_some(), "{error:?}");
    });
}
