//! Who is refused before anything is asked, and who passes unasked.

use tollgate::store::{Acquire, Acquired, Answer, Key, Store};
use tollgate::{AccessEntry, Limiter, LimiterBuilder, User};

use super::{Door, Limit, behind_a_proxy, has_fields, policy, through_each_door};

through_each_door! {
    who_is_blocked_gets_403_whatever_else_holds,
    who_is_allowed_passes_unchecked_and_is_told_nothing,
    everyone_else_is_limited_as_ever,
}

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
    texts.iter().map(|text| text.parse().expect("an entry")).collect()
}

/// A limiter over a store that must not be asked, with `10.0.0.0/8` allowed and `10.6.6.6` blocked, and
/// users likewise.
fn unasked() -> LimiterBuilder {
    Limiter::builder(std::sync::Arc::new(Unasked))
        .policy(policy("default", "1/minute"))
        .route("/*", ["default"], ["other"])
        .policy(policy("other", "1/minute"))
        .allow(entries(&["10.0.0.0/8", "user:ann"]))
        .block(entries(&["10.6.6.6", "user:eve"]))
}

/// The ways to have requests limited.
fn limits() -> [Limit; 2] {
    [Limit::new(unasked()), Limit::by(unasked(), ["default"])].map(|limit| Limit {
        client_ip: behind_a_proxy(),
        user: Some(|head| head.field("x-user").map(|user| User::new(user).with_plan("pro"))),
        ..limit
    })
}

fn lines<'a>(address: &'a str, user: &'a str) -> Vec<(&'a str, &'a str)> {
    let lines = [("x-real-ip", address), ("x-user", user)];
    lines.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn who_is_blocked_gets_403_whatever_else_holds(door: Door) {
    let skipping = Limit { skip: Some(|_| true), ..limits()[0].clone() };
    for limit in limits().into_iter().chain([skipping]) {
        let served = limit.serve(door);
        for (address, user) in [
            ("10.6.6.6", ""),
            ("::ffff:10.6.6.6", ""),
            ("10.6.6.6", "ann"),
            ("192.0.2.1", "eve"),
            ("10.0.0.1", "eve"),
        ] {
            let seen = served.ask("GET", "/", &lines(address, user));
            assert_eq!((seen.status, has_fields(&seen)), (403, false), "{user} at {address}");
            assert_eq!(seen.header("retry-after"), None);
            assert_eq!(seen.header("cache-control"), Some("no-store"));
            assert_eq!(seen.header("content-type"), Some("application/json"));
            let body = r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"This client is refused, whatever it asks for.","message":"Access denied."}"#;
            assert_eq!(seen.body, body);
        }
        assert_eq!(served.reached(), 0);
    }
}

fn who_is_allowed_passes_unchecked_and_is_told_nothing(door: Door) {
    for limit in limits() {
        let served = limit.serve(door);
        for (address, user) in
            [("10.0.0.1", ""), ("10.0.0.1", "bob"), ("::ffff:10.0.0.1", ""), ("192.0.2.1", "ann")]
        {
            for _ in 0..3 {
                let seen = served.ask("GET", "/", &lines(address, user));
                assert_eq!((seen.status, has_fields(&seen)), (200, false), "{user} at {address}");
            }
        }
    }
}

fn everyone_else_is_limited_as_ever(door: Door) {
    super::on_each_store(|counts| {
        let limiter = counts.limiter([policy("default", "1/minute")]).route("/", ["default"], []);
        let limiter = limiter.allow(entries(&["10.0.0.0/8"])).block(entries(&["2001:db8::/32"]));
        let served = Limit { client_ip: behind_a_proxy(), ..Limit::new(limiter) }.serve(door);
        let ask = |path, address| served.ask("GET", path, &lines(address, "")).status;
        let statuses = [ask("/", "192.0.2.1"), ask("/", "192.0.2.1"), ask("/free", "192.0.2.1")];
        assert_eq!(statuses, [200, 429, 200]);
        assert_eq!([ask("/", "10.0.0.1"), ask("/free", "2001:db8::1")], [200, 403]);
    });
}
