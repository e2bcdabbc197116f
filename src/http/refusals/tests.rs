use std::sync::Arc;

use super::*;
use crate::domain::banned::Banned;
use crate::domain::standing::{Retry, Standing};
use crate::http::answers::Answers;
use crate::http::fields::FieldOptions;
use crate::http::problem::{Refusal, refusal};
use crate::http::request::tests::PlainRequest;
use crate::http::response::ResponseField::{self, CacheControl, ContentType, RetryAfter, Vary};
use crate::http::response::ResponseFields as _;
use crate::limiter::Refused;

fn denial(policies: &[(&str, &str, Retry)]) -> Refused {
    let policies = policies.iter().map(|(name, quota, retry)| {
        let policy = Policy::new(name, quota.parse().unwrap()).unwrap();
        (Arc::new(policy), Standing::new(0, 60_000, *retry))
    });
    let (policies, standings) = policies.unzip();
    Refused::Denied(Decision::new(false, policies, standings))
}

/// Denied by `day` for an hour, and by `login` for a minute; not by `open`.
fn by_two() -> Refused {
    denial(&[
        ("open", "1000/hour", Retry::Now),
        ("day", "20/day", Retry::After(3_600_000)),
        ("login", "5/minute", Retry::After(59_001)),
    ])
}

fn own() -> Refusals {
    let general = RefusalBodies::new()
        .text("{policy} {limit} {window} {retry_after} {request_id}")
        .and_then(|it| it.html("<p>{quota}</p>"))
        .unwrap();
    let login = RefusalBodies::new().html("<p>login {retry_after}</p>").unwrap();
    let open = RefusalBodies::new().text("it denies nothing").unwrap();
    Refusals::new(general).policy("login", login).policy("open", open)
}

fn answer(refusals: Refusals, refused: &Refused, accept: &str) -> Refusal {
    let request = match accept {
        "" => PlainRequest::default(),
        accept => PlainRequest::default().with_line("accept", accept),
    };
    let answers = Answers::default().with_refusals(refusals);
    refusal(&request, refused, &answers.to(|| Some("7-a".into())))
}

fn line(refusal: &Refusal, field: ResponseField) -> Option<&str> {
    let mut lines = refusal.fields.lines(field);
    let line = lines.next().map(|line| std::str::from_utf8(line).unwrap());
    assert_eq!(lines.next(), None, "one line of {field:?}");
    line
}

fn text(refusal: &Refusal) -> &str {
    std::str::from_utf8(&refusal.body).unwrap()
}

#[test]
fn a_client_gets_the_body_that_it_likes_best_of_the_policies_that_deny() {
    for (accept, media_type, body) in [
        // The first policy that denies and has a body in the format; else the general one, of the first that denies.
        ("text/html", "text/html; charset=utf-8", "<p>login 3600</p>"),
        ("text/plain", "text/plain; charset=utf-8", "day 20 86400 3600 7-a"),
        ("text/html;q=0.5, text/plain", "text/plain; charset=utf-8", "day 20 86400 3600 7-a"),
    ] {
        let refusal = answer(own(), &by_two(), accept);
        assert_eq!((refusal.status, line(&refusal, ContentType)), (429, Some(media_type)));
        assert_eq!(text(&refusal), body, "{accept}");
        assert_eq!(line(&refusal, Vary), Some("Accept"));
        assert_eq!(line(&refusal, CacheControl), Some("no-store"));
        assert_eq!(line(&refusal, RetryAfter), Some("3600"));
        assert!(line(&refusal, ResponseField::RateLimit).is_some());
    }
}

#[test]
fn the_problem_body_stays_the_default() {
    for accept in ["", "*/*", "application/json", "application/problem+json", "image/png"] {
        let (with, without) =
            (answer(own(), &by_two(), accept), answer(Refusals::default(), &by_two(), accept));
        assert_eq!(with.body, without.body, "{accept}");
        assert_eq!(line(&with, ContentType), line(&without, ContentType));
        assert_eq!((line(&with, Vary), line(&without, Vary)), (Some("Accept"), None));
    }
}

#[test]
fn a_json_of_its_own_is_for_those_who_ask_for_json() {
    let json = r#"{"error":"{policy}","retry_after":{retry_after}}"#;
    let own = || Refusals::new(RefusalBodies::new().json(json).unwrap());
    let refusal = answer(own(), &by_two(), "application/json");
    assert_eq!(line(&refusal, ContentType), Some("application/json"));
    assert_eq!(text(&refusal), r#"{"error":"day","retry_after":3600}"#);
    let refusal = answer(own(), &by_two(), "application/problem+json");
    assert!(text(&refusal).contains("violated-policies"));
}

#[test]
fn a_body_that_tells_a_wait_is_not_for_a_request_that_is_never_admitted() {
    let never = denial(&[("day", "20/day", Retry::Never)]);
    let refusal = answer(own(), &never, "text/plain");
    assert!(text(&refusal).contains("never admits"), "{}", text(&refusal));
    assert_eq!(text(&answer(own(), &never, "text/html")), "<p>20/day</p>");
}

#[test]
fn where_no_body_can_be_used_nothing_is_negotiated() {
    let of_login = || {
        let login = RefusalBodies::new().text("{retry_after}").unwrap();
        Refusals::default().policy("login", login)
    };
    for refused in [
        denial(&[("day", "20/day", Retry::After(1))]),
        denial(&[("login", "20/day", Retry::Never)]),
        Refused::Blocked,
    ] {
        assert_eq!(line(&answer(of_login(), &refused, "text/plain"), Vary), None);
    }
    let by_login = denial(&[("login", "20/day", Retry::After(1))]);
    assert_eq!(text(&answer(of_login(), &by_login, "text/plain")), "1");
}

#[test]
fn other_refusals_have_no_own_bodies() {
    let banned = Banned::new("ip:203.0.113.7", std::time::Duration::from_secs(9));
    for refused in [Refused::Blocked, Refused::Banned(banned)] {
        let refusal = answer(own(), &refused, "text/plain");
        assert_eq!(line(&refusal, ContentType), Some("application/json"));
    }
}

#[test]
fn a_body_tells_the_wait_that_the_fields_tell() {
    let fields = FieldOptions { retry_jitter: "100%".parse().unwrap(), ..FieldOptions::default() };
    let refusals = Refusals::new(RefusalBodies::new().text("{retry_after}").unwrap());
    let answers = Answers { fields, refusals: None }.with_refusals(refusals);
    for accept in ["text/plain", "*/*"] {
        let request = PlainRequest::default().with_line("accept", accept);
        let waits: Vec<String> = (0..20)
            .map(|_| {
                let told = refusal(
                    &request,
                    &denial(&[("day", "20/day", Retry::After(3_600_000))]),
                    &answers.to(|| None),
                );
                let wait = line(&told, RetryAfter).unwrap().to_owned();
                assert!(text(&told).contains(&wait), "{}", text(&told));
                assert!(
                    line(&told, ResponseField::RateLimit).unwrap().ends_with(&format!(";t={wait}"))
                );
                wait
            })
            .collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }
}

#[test]
fn a_body_with_a_window_is_not_used_for_a_window_that_the_calendar_ends() {
    let monthly = denial(&[("monthly", "10/month", Retry::After(59_001))]);
    let answered = answer(own(), &monthly, "text/plain");
    assert!(text(&answered).contains("10 requests per month"), "{}", text(&answered));
    let html = answer(own(), &monthly, "text/html");
    assert_eq!(text(&html), "<p>10/month</p>");
}
