use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::{Clock as _, Millis};
use crate::domain::policy::{Policy, Share};
use crate::domain::quota::{MAX_EXACT, MAX_WINDOW};
use crate::domain::standing::{Retry, Standing};
use crate::http::response::PlainFields;
use crate::store::SystemClock;

mod formats;
mod read_back;

fn sending(formats: &[HeaderFormat]) -> FieldOptions {
    let send = HeaderFormats::new(formats.iter().copied()).unwrap();
    FieldOptions { send, ..FieldOptions::default() }
}

fn draft() -> FieldOptions {
    FieldOptions::default()
}

fn legacy() -> FieldOptions {
    sending(&[HeaderFormat::Draft11, HeaderFormat::XRateLimit])
}

fn policy(name: &str, quota: &str) -> Policy {
    Policy::new(name, quota.parse().unwrap()).unwrap()
}

fn bucket(name: &str, quota: &str, burst: u64) -> Policy {
    policy(name, quota).with_algorithm(Algorithm::TokenBucket { burst }).unwrap()
}

fn standing(remaining: u64, reset_after: Millis, retry: Retry) -> Standing {
    Standing { remaining, reset_after, retry }
}

fn decision(
    allowed: bool,
    policies: impl IntoIterator<Item = (Policy, u64, Millis, Retry)>,
) -> Decision {
    let policies = policies.into_iter().map(|(policy, remaining, reset_after, retry)| {
        (Arc::new(policy), standing(remaining, reset_after, retry))
    });
    let (policies, standings) = policies.unzip();
    Decision::new(allowed, policies, standings)
}

/// All fields that are written, each with its lines.
fn fields(decision: &Decision, options: FieldOptions) -> BTreeMap<String, Vec<String>> {
    let mut response = PlainFields::default();
    write(&mut response, decision, options);
    lines(response)
}

fn lines(response: PlainFields) -> BTreeMap<String, Vec<String>> {
    let mut fields = BTreeMap::<String, Vec<String>>::new();
    for (field, value) in response {
        let value = String::from_utf8(value.to_vec()).unwrap();
        fields.entry(field.name().to_owned()).or_default().push(value);
    }
    fields
}

/// Asserts that exactly these fields are written, one line each.
fn assert_fields(decision: &Decision, options: FieldOptions, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).into()]));
    assert_eq!(fields(decision, options), expected.collect(), "of {decision:?}");
}

#[test]
fn each_quota_of_a_policy_has_a_name_of_its_own() {
    let policy = policy("default", "200/day").with_further_quota("50/hour".parse().unwrap());
    let policy = policy.unwrap();
    let parts = policy.parts_of(&policy.quotas()).into_iter();
    let standings = [(150, 9_000, Retry::Now), (0, 60_000, Retry::After(60_000))];
    let denied = || {
        let parts = parts.clone().zip(standings);
        decision(false, parts.map(|(part, (left, reset, retry))| (part, left, reset, retry)))
    };
    assert_fields(
        &denied(),
        legacy(),
        &[
            ("ratelimit-policy", r#""default";q=200;w=86400, "default/hour";q=50;w=3600"#),
            ("ratelimit", r#""default/hour";r=0;t=60"#),
            ("x-ratelimit-limit", "50"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "60"),
        ],
    );
}

#[test]
fn an_allowed_request_is_told_every_policy_and_where_it_stands() {
    use Retry::{After, Now};
    // (policies with where they stand, RateLimit-Policy, RateLimit)
    let cases = [
        (
            vec![(policy("default", "10/minute"), 7, 42_000, Now)],
            r#""default";q=10;w=60"#,
            r#""default";r=7;t=42"#,
        ),
        // Rounded up: who waits that long is not early.
        (
            vec![(policy("default", "10/minute"), 7, 41_001, Now)],
            r#""default";q=10;w=60"#,
            r#""default";r=7;t=42"#,
        ),
        (
            vec![(policy("default", "10/minute"), 9, 1, Now)],
            r#""default";q=10;w=60"#,
            r#""default";r=9;t=1"#,
        ),
        // The last unit: this request passed, the next has to wait.
        (
            vec![(policy("default", "10/minute"), 0, 42_000, After(42_000))],
            r#""default";q=10;w=60"#,
            r#""default";r=0;t=42"#,
        ),
        // A whole quota has nothing to wait for.
        (
            vec![(policy("default", "5/2 seconds"), 5, 0, Now)],
            r#""default";q=5;w=2"#,
            r#""default";r=5"#,
        ),
        // In the order of the route.
        (
            vec![
                (policy("day", "1000/day"), 990, 80_000_500, Now),
                (policy("a.b-c_D", "10/minute"), 9, 3_000, Now),
            ],
            r#""day";q=1000;w=86400, "a.b-c_D";q=10;w=60"#,
            r#""day";r=990;t=80001, "a.b-c_D";r=9;t=3"#,
        ),
        // What a token bucket saves up is not its quota.
        (
            vec![(bucket("bucket", "10/second", 50), 49, 100, Now)],
            r#""bucket";q=10;w=1;tollgate-burst=50"#,
            r#""bucket";r=49;t=1"#,
        ),
        // Unless it is.
        (
            vec![(bucket("bucket", "10/second", 10), 9, 100, Now)],
            r#""bucket";q=10;w=1"#,
            r#""bucket";r=9;t=1"#,
        ),
    ];
    for (policies, policy, standing) in cases {
        let decision = decision(true, policies);
        let expected = [("ratelimit-policy", policy), ("ratelimit", standing)];
        assert_fields(&decision, draft(), &expected);
    }
}

#[test]
fn a_denied_request_is_told_the_policies_that_deny_it_and_their_waits() {
    use Retry::{After, Never, Now};
    let cases = [
        // The wait for this request, not for the whole quota.
        (vec![(bucket("bucket", "10/minute", 10), 0, 60_000, After(5_999))], r#""bucket";r=0;t=6"#),
        (vec![(policy("default", "10/minute"), 0, 1, After(1))], r#""default";r=0;t=1"#),
        // A costly request is denied while cheaper ones would pass.
        (vec![(policy("default", "10/minute"), 3, 9_000, After(9_000))], r#""default";r=3;t=9"#),
        (
            vec![
                (policy("minute", "10/minute"), 4, 30_000, Now),
                (policy("day", "20/day"), 0, 4_000_000, After(4_000_000)),
                (policy("hour", "15/hour"), 0, 1_000, After(1_000)),
            ],
            r#""day";r=0;t=4000, "hour";r=0;t=1"#,
        ),
        // There is no wait after which it would pass.
        (vec![(policy("default", "10/minute"), 10, 0, Never)], r#""default";r=10"#),
        (vec![(policy("default", "10/minute"), 2, 9_000, Never)], r#""default";r=2"#),
    ];
    for (policies, expected) in cases {
        let count = policies.len();
        let decision = decision(false, policies);
        let fields = fields(&decision, draft());
        assert_eq!(fields["ratelimit"], [expected]);
        let [listed] = &fields["ratelimit-policy"][..] else { panic!("{fields:?}") };
        assert_eq!(listed.matches(";q=").count(), count, "every policy is listed: {listed}");
    }
}

#[test]
fn a_decision_of_no_policy_has_no_fields() {
    let every = FieldOptions { cors_expose: true, ..legacy() };
    for allowed in [true, false] {
        assert_fields(&decision(allowed, []), every, &[]);
    }
}

#[test]
fn a_number_that_a_structured_field_cannot_carry_is_the_largest_that_it_can() {
    let most = policy("most", &format!("{MAX_EXACT}/366 days"));
    let decision = decision(true, [(most, MAX_EXACT - 1, MAX_WINDOW, Retry::Now)]);
    assert_fields(
        &decision,
        legacy(),
        &[
            ("ratelimit-policy", r#""most";q=999999999999999;w=31622400"#),
            ("ratelimit", r#""most";r=999999999999999;t=31622400"#),
            // The older fields are plain numbers, without that limit.
            ("x-ratelimit-limit", "9007199254740991"),
            ("x-ratelimit-remaining", "9007199254740990"),
            ("x-ratelimit-reset", "31622400"),
        ],
    );
}

#[test]
fn the_older_fields_are_of_the_policy_that_is_closest_to_denying() {
    use Retry::{After, Never, Now};
    let minute = || policy("minute", "10/minute");
    let day = || policy("day", "1000/day");
    let cases = [
        (true, vec![(day(), 990, 80_000_000, Now), (minute(), 9, 2_001, Now)], ["10", "9", "3"]),
        (
            true,
            vec![(day(), 8, 80_000_000, Now), (minute(), 9, 2_001, Now)],
            ["1000", "8", "80000"],
        ),
        (true, vec![(minute(), 10, 0, Now)], ["10", "10", "0"]),
        // A policy that denies is closest, whatever remains of it.
        (
            false,
            vec![(minute(), 1, 2_000, Now), (day(), 3, 9_000, After(3_500))],
            ["1000", "3", "4"],
        ),
        (false, vec![(minute(), 10, 0, Never)], ["10", "10", "0"]),
    ];
    for (allowed, policies, expected) in cases {
        let fields = fields(&decision(allowed, policies), legacy());
        let older = ["limit", "remaining", "reset"].map(|it| &fields[&format!("x-ratelimit-{it}")]);
        assert_eq!(older, expected.map(|value| vec![value.to_owned()]).each_ref());
    }
}

#[test]
fn scripts_in_browsers_may_read_the_fields_that_are_sent() {
    use HeaderFormat::{Draft6, Draft7, Draft11, XRateLimit};
    let decision = decision(true, [(policy("default", "10/minute"), 9, 0, Retry::Now)]);
    let (new, six) =
        ("RateLimit, RateLimit-Policy", "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset");
    let x = "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";
    for (formats, expected) in [
        (&[][..], "Retry-After".to_owned()),
        (&[Draft11], format!("{new}, Retry-After")),
        (&[Draft7], format!("{new}, Retry-After")),
        (&[Draft6], format!("Retry-After, {six}")),
        (&[XRateLimit], format!("Retry-After, {x}")),
        (&[Draft11, Draft6, XRateLimit], format!("{new}, Retry-After, {six}, {x}")),
    ] {
        let options = FieldOptions { cors_expose: true, ..sending(formats) };
        assert_eq!(fields(&decision, options)["access-control-expose-headers"], [expected]);
    }
}

#[test]
fn what_the_host_application_exposes_stays_exposed() {
    let mut response = PlainFields::default();
    response.append(ResponseField::AccessControlExposeHeaders, Bytes::from_static(b"ETag"));
    let decision = decision(true, [(policy("default", "10/minute"), 9, 0, Retry::Now)]);
    write(&mut response, &decision, FieldOptions { cors_expose: true, ..draft() });
    let fields = lines(response);
    assert_eq!(fields["access-control-expose-headers"][0], "ETag");
    assert_eq!(fields["access-control-expose-headers"].len(), 2);
}

#[test]
fn a_wait_is_sent_in_whole_seconds_rounded_up_and_never_0() {
    for (wait, expected) in [
        (0, "1"),
        (1, "1"),
        (999, "1"),
        (1_000, "1"),
        (1_001, "2"),
        (59_999, "60"),
        (MAX_WINDOW, "31622400"),
    ] {
        let mut response = PlainFields::default();
        write_retry_after(&mut response, Duration::from_millis(wait));
        assert_eq!(lines(response)["retry-after"], [expected], "{wait} ms");
    }
    // No decision is that long, and no wait may panic.
    write_retry_after(&mut PlainFields::default(), Duration::MAX);
}
