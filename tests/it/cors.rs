//! CORS middlewares around and within the limiter: the order decides whether scripts in browsers can read a 429.

use std::sync::Arc;

use actix_cors::Cors;
use actix_web::{App, HttpResponse, test, web};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Method, Request};
use tollgate::{Limiter, MemoryStore, Policy, RateLimit, RateLimitLayer};
use tower::ServiceExt as _;
use tower_http::cors::CorsLayer;

const ORIGIN: &str = "https://shop.example";

/// Which middleware is outermost.
#[derive(Clone, Copy, Debug)]
enum Outermost {
    Cors,
    Limiter,
}

/// One request of each of these methods, all with the fields of a preflight.
const ASKED: [&str; 4] = ["OPTIONS", "OPTIONS", "GET", "GET"];

/// What a script of another origin gets of each: the status, and whether the browser shows it the answer.
type Seen = Vec<(u16, bool)>;

fn limiter(passes: bool) -> Limiter {
    let policy = Policy::new("default", "1/day".parse().expect("a quota")).expect("a name");
    let builder = Limiter::builder(Arc::new(MemoryStore::new(100))).policy(policy);
    builder.pass_preflights(passes).build().expect("a limiter")
}

async fn through_actix(outermost: Outermost, passes: bool) -> Seen {
    let limit = RateLimit::new(limiter(passes)).policies(["default"]).expect("a policy");
    let cors = || Cors::default().allowed_origin(ORIGIN).allowed_methods(["GET"]);
    let hello = || web::get().to(async || HttpResponse::Ok().finish());
    let requests = ASKED.map(|method| {
        let request = test::TestRequest::default().method(method.parse().expect("a method"));
        request
            .insert_header(("origin", ORIGIN))
            .insert_header(("access-control-request-method", "GET"))
            .to_request()
    });
    let mut seen = Seen::new();
    // The two services differ in their types.
    macro_rules! ask {
        ($app:expr) => {{
            let app = test::init_service($app.route("/", hello())).await;
            for request in requests {
                let response = test::call_service(&app, request).await;
                let is_shown = response.headers().contains_key("access-control-allow-origin");
                seen.push((response.status().as_u16(), is_shown));
            }
        }};
    }
    match outermost {
        Outermost::Cors => ask!(App::new().wrap(limit).wrap(cors())),
        Outermost::Limiter => ask!(App::new().wrap(cors()).wrap(limit)),
    }
    seen
}

async fn through_tower(outermost: Outermost, passes: bool) -> Seen {
    let limit = RateLimitLayer::new(limiter(passes)).policies(["default"]).expect("a policy");
    let cors = CorsLayer::new()
        .allow_origin(HeaderValue::from_static(ORIGIN))
        .allow_methods([Method::GET]);
    let router = Router::new().route("/", get(async || "Hello"));
    let router = match outermost {
        Outermost::Cors => router.layer(limit).layer(cors),
        Outermost::Limiter => router.layer(cors).layer(limit),
    };
    let mut seen = Seen::new();
    for method in ASKED {
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("origin", ORIGIN)
            .header("access-control-request-method", "GET")
            .body(Body::empty())
            .expect("a request");
        let response = router.clone().oneshot(request).await.expect("it never fails");
        let is_shown = |fields: &HeaderMap| fields.contains_key("access-control-allow-origin");
        seen.push((response.status().as_u16(), is_shown(response.headers())));
    }
    seen
}

#[actix_web::test]
async fn with_cors_outermost_scripts_read_a_429_and_preflights_cost_nothing() {
    for passes in [false, true] {
        let expected = [(200, true), (200, true), (200, true), (429, true)];
        assert_eq!(through_actix(Outermost::Cors, passes).await, expected);
        assert_eq!(through_tower(Outermost::Cors, passes).await, expected);
    }
}

#[actix_web::test]
async fn with_the_limiter_outermost_preflights_use_the_quota_up_and_nobody_reads_a_429() {
    let expected = [(200, true), (429, false), (429, false), (429, false)];
    assert_eq!(through_actix(Outermost::Limiter, false).await, expected);
    assert_eq!(through_tower(Outermost::Limiter, false).await, expected);
}

#[actix_web::test]
async fn with_the_limiter_outermost_preflights_may_pass_but_nobody_reads_a_429() {
    let expected = [(200, true), (200, true), (200, true), (429, false)];
    assert_eq!(through_actix(Outermost::Limiter, true).await, expected);
    assert_eq!(through_tower(Outermost::Limiter, true).await, expected);
}
