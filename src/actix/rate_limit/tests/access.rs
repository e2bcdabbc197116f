//! Who is refused before anything is asked, and who passes unasked.

use super::*;
use crate::limiter::AccessEntry;
use crate::store::{Acquire, Acquired, Answer, Key, Store};

/// A store that must not be asked.
#[derive(Debug)]
struct Unasked;

impl Store for Unasked {
    fn acquire(&self, asked: &Acquire) -> Answer<Acquired> {
        panic!("asked: {asked:?}");
    }

    fn reset(&self, _: Vec<Key>) -> Answer<()> {
        Answer::ready(Ok(()))
    }
}

fn entries(texts: &[&str]) -> Vec<AccessEntry> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// The middleware over a store that must not be asked, with `10.0.0.0/8` allowed and `10.6.6.6`
/// blocked, and users likewise; users come from `x-user`.
fn unasked() -> RateLimit {
    let limiter = Limiter::builder(Arc::new(Unasked))
        .policy(policy("default", "1/minute"))
        .route("/*", ["default"], ["other"])
        .policy(policy("other", "1/minute"))
        .allow(entries(&["10.0.0.0/8", "user:ann"]))
        .block(entries(&["10.6.6.6", "user:eve"]))
        .build()
        .unwrap();
    RateLimit::new(limiter).user(|request| {
        request.headers().get("x-user").map(|user| User::new(user.as_bytes()).with_plan("pro"))
    })
}

fn from(peer: &str, user: &str) -> TestRequest {
    let request = TestRequest::get().peer_addr(peer.parse().unwrap());
    if user.is_empty() { request } else { request.insert_header(("x-user", user)) }
}

#[test]
fn who_is_blocked_gets_403_whatever_else_holds() {
    run(async {
        let by_name = unasked().policies(["default"]).unwrap();
        for rate_limit in [unasked(), by_name, unasked().skip(|_| true)] {
            let app = init_service(ok(rate_limit)).await;
            for (peer, user) in [
                ("10.6.6.6:1", ""),
                ("[::ffff:10.6.6.6]:1", ""),
                ("10.6.6.6:1", "ann"),
                ("192.0.2.1:1", "eve"),
                ("10.0.0.1:1", "eve"),
            ] {
                let seen = send(&app, from(peer, user).to_request()).await;
                assert_eq!((seen.status, seen.has_fields()), (403, false), "{user} at {peer}");
                assert_eq!(seen.field("retry-after"), None);
                assert_eq!(seen.field("cache-control"), Some("no-store"));
                assert_eq!(seen.field("content-type"), Some("application/json"));
                let body = r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"This client is refused, whatever it asks for.","message":"Access denied."}"#;
                assert_eq!(seen.body, body);
            }
        }
    });
}

#[test]
fn who_is_allowed_passes_unchecked_and_is_told_nothing() {
    run(async {
        for rate_limit in [unasked(), unasked().policies(["default"]).unwrap()] {
            let app = init_service(ok(rate_limit)).await;
            for (peer, user) in [
                ("10.0.0.1:1", ""),
                ("10.0.0.1:1", "bob"),
                ("[::ffff:10.0.0.1]:1", ""),
                ("192.0.2.1:1", "ann"),
            ] {
                for _ in 0..3 {
                    let seen = send(&app, from(peer, user).to_request()).await;
                    assert_eq!((seen.status, seen.has_fields()), (200, false), "{user} at {peer}");
                }
            }
        }
    });
}

#[test]
fn everyone_else_is_limited_as_ever() {
    run(async {
        let limiter = in_memory([policy("default", "1/minute")])
            .route("/", ["default"], [])
            .allow(entries(&["10.0.0.0/8"]))
            .block(entries(&["2001:db8::/32"]));
        let app = init_service(ok(RateLimit::new(limiter.build().unwrap()))).await;
        let statuses = [
            send(&app, from("192.0.2.1:1", "").to_request()).await.status,
            send(&app, from("192.0.2.1:1", "").to_request()).await.status,
            send(&app, TestRequest::get().uri("/free").to_request()).await.status,
            // Over a Unix socket there is no address, on any list.
            send(&app, TestRequest::get().to_request()).await.status,
        ];
        assert_eq!(statuses, [200, 429, 200, 200]);
    });
}
