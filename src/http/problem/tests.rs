use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::policy::Policy;
use crate::domain::standing::Standing;
use crate::http::answers::Answers;
use crate::http::request::tests::PlainRequest;
use crate::http::response::ResponseField::{CacheControl, ContentType, RetryAfter};
use crate::limiter::Unavailable;
use crate::store::StoreErrorKind;

fn telling() -> Telling {
    Answers::default().to(|| None)
}

fn denial(policies: impl IntoIterator<Item = (&'static str, &'static str, Retry)>) -> Decision {
    let policies = policies.into_iter().map(|(name, quota, retry)| {
        let policy = Policy::new(name, quota.parse().unwrap()).unwrap();
        (Arc::new(policy), Standing { remaining: 0, reset_after: 60_000, retry })
    });
    let (policies, standings) = policies.unzip();
    Decision::new(false, policies, standings)
}

/// The 429 to a request that sends these lines of Accept.
fn answer(decision: &Decision, accept: &[&[u8]]) -> Refusal {
    let request = accept
        .iter()
        .fold(PlainRequest::default(), |request, line| request.with_line("accept", line));
    denied(&request, decision, &telling())
}

fn field(refusal: &Refusal, field: ResponseField) -> Vec<&str> {
    refusal.fields.lines(field).map(|line| std::str::from_utf8(line).unwrap()).collect()
}

fn text(refusal: &Refusal) -> &str {
    std::str::from_utf8(&refusal.body).unwrap()
}

#[test]
fn the_body_of_a_denial_is_the_contract_byte_for_byte() {
    let refusal = answer(&denial([("default", "10/minute", Retry::After(41_001))]), &[]);
    assert_eq!(refusal.status, 429);
    assert_eq!(field(&refusal, ContentType), ["application/json"]);
    assert_eq!(field(&refusal, CacheControl), ["no-store"]);
    assert_eq!(field(&refusal, RetryAfter), ["42"]);
    assert_eq!(
        text(&refusal),
        concat!(
            r#"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","#,
            r#""title":"Quota Exceeded","status":429,"#,
            r#""detail":"Policy \"default\" allows 10 requests per 60 s. Retry in 42 s.","#,
            r#""violated-policies":["default"],"#,
            r#""message":"Too many requests. Please try again later."}"#,
        )
    );
}

#[test]
fn only_the_policies_that_deny_are_told_and_the_longest_wait_holds() {
    let refusal = answer(
        &denial([
            ("minute.of-all_A", "10/minute", Retry::After(999)),
            ("open", "100/minute", Retry::Now),
            ("day", "20/2 days", Retry::After(4_000_000)),
        ]),
        &[],
    );
    assert_eq!(field(&refusal, RetryAfter), ["4000"]);
    let text = text(&refusal);
    let detail = concat!(
        r#""detail":"Policy \"minute.of-all_A\" allows 10 requests per 60 s. Retry in 1 s. "#,
        r#"Policy \"day\" allows 20 requests per 172800 s. Retry in 4000 s.","#,
        r#""violated-policies":["minute.of-all_A","day"],"#,
    );
    assert!(text.contains(detail), "{text}");
}

#[test]
fn a_window_by_the_calendar_is_called_by_its_unit() {
    let denial = denial([("monthly", "10/month", Retry::After(42_000))]);
    let answer = answer(&denial, &[]);
    let detail = r#""detail":"Policy \"monthly\" allows 10 requests per month. Retry in 42 s.","#;
    assert!(text(&answer).contains(detail), "{}", text(&answer));
}

#[test]
fn a_request_that_costs_more_than_the_quota_is_not_told_to_wait() {
    // A wait for the other policy would promise what never comes.
    for other in [Retry::Now, Retry::After(5_000)] {
        let decision = denial([("small", "10/minute", Retry::Never), ("o", "20/minute", other)]);
        let refusal = answer(&decision, &[]);
        assert_eq!(refusal.status, 429);
        assert!(field(&refusal, RetryAfter).is_empty());
        let text = text(&refusal);
        let says = concat!(
            r#""detail":"Policy \"small\" never admits a request "#,
            r#"that costs more than 10 units."#,
        );
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn whoever_names_problem_details_gets_that_media_type() {
    let long = format!("text/html,{}", "a/b;c=d,".repeat(2_000));
    let plain: [&[&[u8]]; 13] = [
        &[],
        &[b""],
        &[b"*/*"],
        &[b"application/*"],
        &[b"application/json"],
        &[b"application/problem+xml"],
        // Named to say no.
        &[b"application/problem+json;q=0"],
        &[b"application/problem+json; q=0.000"],
        &[b"text/html, application/problem+json;q=0, */*"],
        &[b";;;,,,q=,/;=\"", b"*", b",", b"application/problem+json;q=high"],
        &[b"application/problem+json\xff"],
        &[b"\xf0\x9f\x92\xa9"],
        &[long.as_bytes()],
    ];
    let problem: [&[&[u8]]; 6] = [
        &[b"application/problem+json"],
        &[b"Application/Problem+JSON"],
        &[b"application/json, application/problem+json;q=0.001"],
        &[b"application/problem+json;charset=utf-8;q=1"],
        &[b"nonsense;;, application/problem+json"],
        &[b"text/html", b"application/problem+json"],
    ];
    let decision = denial([("default", "10/minute", Retry::After(1))]);
    let both = [(&plain[..], "application/json"), (&problem[..], "application/problem+json")];
    for (accepts, expected) in both {
        for accept in accepts {
            let refusal = answer(&decision, accept);
            let shown: Vec<_> = accept.iter().map(|line| line.escape_ascii().to_string()).collect();
            assert_eq!(field(&refusal, ContentType), [expected], "{shown:?}");
            assert_eq!(
                text(&refusal),
                text(&answer(&decision, &[])),
                "one body for all: {shown:?}"
            );
        }
    }
}

#[test]
fn a_request_that_was_not_decided_is_told_to_come_again() {
    let refusal = super::refusal(&PlainRequest::default(), &undecided(), &telling());
    assert_eq!(refusal.status, 503);
    assert_eq!(field(&refusal, ContentType), ["application/json"]);
    assert_eq!(field(&refusal, CacheControl), ["no-store"]);
    assert_eq!(field(&refusal, RetryAfter), ["1"]);
    assert_eq!(
        text(&refusal),
        concat!(
            r#"{"type":"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity","#,
            r#""title":"Temporary Reduced Capacity","status":503,"#,
            r#""detail":"Requests cannot be counted at the moment, and this one may not pass uncounted.","#,
            r#""message":"Service temporarily unavailable. Please try again later."}"#,
        )
    );
    let accept = PlainRequest::default().with_line("accept", "application/problem+json");
    let refusal = super::refusal(&accept, &undecided(), &telling());
    assert_eq!(field(&refusal, ContentType), ["application/problem+json"]);
}

fn near_accept() -> impl Strategy<Value = Vec<u8>> {
    let near = "([a-z*]{1,4}/[a-z*+]{1,9}|application/problem\\+json)?([;, ]|q=|[0-9.\"]){0,9}";
    let lines = vec(near, 0..6).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![lines, vec((0x20..=0xff_u8).prop_filter("DEL", |it| *it != 0x7f), 0..60)]
}

proptest! {
    #[test]
    fn no_accept_is_too_odd_for_an_answer(accept in vec(near_accept(), 0..3)) {
        let accept: Vec<&[u8]> = accept.iter().map(|line| &line[..]).collect();
        let refusal = answer(&denial([("default", "10/minute", Retry::After(1))]), &accept);
        let media_type = field(&refusal, ContentType);
        prop_assert!(
            ["application/json", "application/problem+json"].map(|it| vec![it]).contains(&media_type)
        );
    }
}

fn undecided() -> Refused {
    Refused::Undecided(Unavailable::new(StoreErrorKind::TimedOut))
}
