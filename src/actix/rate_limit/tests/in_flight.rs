use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;

use actix_web::body::BodySize;
use bytes::Bytes;

use super::*;
use crate::domain::policy::KeySource;

/// One request at a time, of each address.
fn one_at_a_time(key: KeySource) -> RateLimit {
    let policy = policy("default", "9/minute").with_key(key).with_in_flight(1, 30_000).unwrap();
    let limiter = in_memory([policy]).build().unwrap();
    RateLimit::new(limiter).policies(["default"]).unwrap()
}

/// A body whose length nobody knows before: its parts, the last one first.
struct Parts(Vec<&'static str>);

impl MessageBody for Parts {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes, Infallible>>> {
        std::task::Poll::Ready(self.0.pop().map(|part| Ok(part.into())))
    }
}

/// An app that answers `/empty` without a body, `/parts` with a stream of two parts, and all else with a text.
macro_rules! app {
    ($rate_limit:expr) => {
        init_service(
            App::new()
                .wrap($rate_limit)
                .route("/empty", web::get().to(HttpResponse::NoContent))
                .route(
                    "/parts",
                    web::get().to(|| async { HttpResponse::Ok().body(Parts(vec!["two", "one"])) }),
                )
                .default_service(web::to(|| async { HttpResponse::Ok().body("text") })),
        )
        .await
    };
}

fn get(path: &str) -> TestRequest {
    TestRequest::with_uri(path).peer_addr(([203, 0, 113, 7], 1).into())
}

/// The next part of a body that stays open.
async fn part(body: &mut (impl MessageBody + Unpin)) -> Option<Bytes> {
    let next = poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await;
    next.map(|part| part.unwrap_or_else(|_| panic!("a body that fails")))
}

#[test]
fn a_request_holds_its_slot_until_its_client_hangs_up() {
    run(async {
        let app = app!(one_at_a_time(KeySource::Ip));
        let first = call_service(&app, get("/").to_request()).await;
        assert_eq!(first.status(), 200);
        let denied = send(&app, get("/").to_request()).await;
        assert_eq!((denied.status, denied.field("retry-after")), (429, None));
        let quota = r#""default";q=9;w=60, "default/in-flight";q=1;qu="concurrent-requests""#;
        assert_eq!(denied.field("ratelimit-policy"), Some(quota));
        assert_eq!(denied.field("ratelimit"), Some(r#""default/in-flight";r=0"#));
        assert!(denied.body.contains("allows 1 request at once"), "{}", denied.body);
        drop(first);
        let next = send(&app, get("/").to_request()).await;
        assert_eq!(next.status, 200);
        assert!(
            next.field("ratelimit").unwrap().starts_with(r#""default";r=7;"#),
            "denials use nothing"
        );
    });
}

#[test]
fn the_slot_is_free_before_the_last_part_of_the_body_is_sent() {
    run(async {
        let app = app!(one_at_a_time(KeySource::Ip));
        let mut whole = Box::pin(call_service(&app, get("/").to_request()).await.into_body());
        assert_eq!(part(&mut whole).await.as_deref(), Some(&b"text"[..]));
        assert_eq!(send(&app, get("/").to_request()).await.status, 200);

        let mut parts = Box::pin(call_service(&app, get("/parts").to_request()).await.into_body());
        for expected in ["one", "two"] {
            assert_eq!(part(&mut parts).await.as_deref(), Some(expected.as_bytes()));
            assert_eq!(send(&app, get("/").to_request()).await.status, 429, "more may come");
        }
        assert_eq!(part(&mut parts).await, None);
        assert_eq!(send(&app, get("/").to_request()).await.status, 200);

        let empty = call_service(&app, get("/empty").to_request()).await;
        assert_eq!(send(&app, get("/").to_request()).await.status, 200, "it has ended");
        drop(empty);
    });
}

#[test]
fn a_server_that_is_busy_with_requests_of_all_clients_says_503() {
    run(async {
        let app = app!(one_at_a_time(KeySource::Global));
        let first = call_service(&app, get("/").to_request()).await;
        let denied = send(&app, get("/").to_request()).await;
        assert_eq!((denied.status, denied.field("retry-after")), (503, None));
        assert!(denied.body.contains("temporary-reduced-capacity"), "{}", denied.body);
        drop(first);
    });
}
