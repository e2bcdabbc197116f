use actix_web::http::header::HeaderName;
use actix_web::rt::System;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpRequest, HttpResponse, web};

use super::super::{ApiKeys, FAILURES, KeyDigest};
use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::policy::{KeySource, Policy};
use crate::http::{ClientIp, ForwardingHeader};
use crate::store::MemoryStore;

/// The key of the user `1042`.
const KEY: &str = "tg_right";

/// Keys and the word of the proxies at 10.0.0.0/8, and three wrong credentials a minute.
fn authenticate() -> Authenticate {
    let mut keys = ApiKeys::default();
    keys.insert(KeyDigest::of(KEY.as_bytes()), User::new("1042").with_plan("pro"));
    let proofs = Proofs {
        api_keys: Some(keys),
        api_key_header: None,
        jwt: None,
        user_header: Some(HeaderName::from_static("x-user")),
        client_ip: ClientIp::behind(["10.0.0.0/8".parse().unwrap()], ForwardingHeader::default()),
    };
    let store = MemoryStore::with_clock(1_000, Arc::new(ManualClock::new(0)));
    let policy = Policy::new(FAILURES, "3/minute".parse().unwrap()).unwrap();
    let limiter = Limiter::builder(Arc::new(store)).policy(policy.with_key(KeySource::Ip));
    let limiter = limiter.build().unwrap();
    let failures = limiter.policies([FAILURES]).unwrap();
    Authenticate::new(proofs, limiter, failures, Answers::default(), Counts::new())
}

/// Who asks from where, with which header fields, and what is seen of it: the user, or the status of
/// a refusal.
type Attempt<'a> = (&'a str, &'a [(&'static str, &'a str)], &'a str);

async fn seen(requests: &[Attempt<'_>]) {
    async fn who(request: HttpRequest) -> HttpResponse {
        let user = request.extensions().get::<User>().cloned();
        let known = [
            (None, "nobody"),
            (Some(User::new("ann")), "ann"),
            (Some(User::new("1042").with_plan("pro")), "1042 pro"),
        ];
        let name = known.iter().find(|(known, _)| *known == user).map(|(_, name)| *name);
        HttpResponse::Ok().body(name.unwrap_or("someone else"))
    }
    let app = App::new().wrap(authenticate()).default_service(web::to(who));
    let app = init_service(app).await;
    for (number, (peer, headers, expected)) in requests.iter().enumerate() {
        let peer = format!("{peer}:1").parse().unwrap();
        let request = TestRequest::default().peer_addr(peer);
        let request = headers.iter().fold(request, |request, line| request.append_header(*line));
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        let Ok(body) = actix_web::body::to_bytes(response.into_body()).await else {
            panic!("a body that fails")
        };
        let body = String::from_utf8(body.to_vec()).unwrap();
        let seen = if status == 200 { body } else { status.to_string() };
        assert_eq!(seen, *expected, "request {number}");
    }
}

const RIGHT: (&str, &str) = ("authorization", "Bearer tg_right");
const WRONG: (&str, &str) = ("authorization", "Bearer tg_wrong");

#[test]
fn a_key_is_its_user_with_its_plan_and_no_credential_is_nobody() {
    System::new().block_on(seen(&[
        ("192.0.2.1", &[RIGHT], "1042 pro"),
        ("192.0.2.1", &[], "nobody"),
        ("192.0.2.1", &[WRONG], "401"),
    ]));
}

#[test]
fn guesses_of_one_address_are_limited_and_those_of_others_are_not_touched_by_it() {
    System::new().block_on(seen(&[
        ("192.0.2.1", &[WRONG], "401"),
        // The same client, in another spelling.
        ("[::ffff:192.0.2.1]", &[WRONG], "401"),
        ("192.0.2.1", &[WRONG], "401"),
        ("192.0.2.1", &[WRONG], "429"),
        // Not even looked at.
        ("192.0.2.1", &[RIGHT], "429"),
        ("[::ffff:192.0.2.1]", &[RIGHT], "429"),
        // Who sends none does not guess.
        ("192.0.2.1", &[], "nobody"),
        ("192.0.2.2", &[RIGHT], "1042 pro"),
        ("192.0.2.2", &[WRONG], "401"),
        // A network of one client's.
        ("[2001:db8::1]", &[WRONG], "401"),
        ("[2001:db8::2]", &[WRONG], "401"),
        ("[2001:db8::3]", &[WRONG], "401"),
        ("[2001:db8::4]", &[RIGHT], "429"),
        ("[2001:db8:0:1::1]", &[RIGHT], "1042 pro"),
    ]));
}

#[test]
fn right_credentials_are_not_charged_as_wrong() {
    let right: Attempt<'_> = ("192.0.2.1", &[RIGHT], "1042 pro");
    System::new().block_on(seen(&[right; 10]));
}

#[test]
fn the_name_of_a_user_is_believed_of_trusted_proxies_alone() {
    const ANN: (&str, &str) = ("x-user", "ann");
    System::new().block_on(seen(&[
        ("10.1.2.3", &[ANN], "ann"),
        ("[::ffff:10.1.2.3]", &[ANN], "ann"),
        ("192.0.2.1", &[ANN], "nobody"),
        ("192.0.2.1", &[ANN, RIGHT], "1042 pro"),
        // The proxy has looked at what came with it.
        ("10.1.2.3", &[ANN, WRONG], "ann"),
        // It says that there is no user, and a client's key still proves one.
        ("10.1.2.3", &[("x-user", ""), RIGHT], "1042 pro"),
        ("10.1.2.3", &[("x-user", "")], "nobody"),
        ("10.1.2.3", &[RIGHT], "1042 pro"),
        // One of the two is the client's own.
        ("10.1.2.3", &[("x-user", "mallory"), ANN], "401"),
    ]));
}
