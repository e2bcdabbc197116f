use proptest::prelude::*;

use super::*;
use crate::domain::quota::{ClientQuota, MAX_EXACT};

fn policy(quota: &str, algorithm: Algorithm) -> Result<Policy, PolicyError> {
    Policy::new("p", quota.parse().expect(quota))?.with_algorithm(algorithm)
}

#[test]
fn a_name_is_short_and_plain() {
    let quota: Quota = "1/second".parse().unwrap();
    for name in ["default", "a", "per-user_v1.2", "0", &"x".repeat(MAX_NAME)] {
        assert_eq!(Policy::new(name, quota).unwrap().name(), name);
    }
    for name in ["", "a b", "a:b", "a{b}", "\"", "é", "a/b", "a\n", &"x".repeat(MAX_NAME + 1)] {
        let error = Policy::new(name, quota).unwrap_err().to_string();
        assert!(error.contains("ASCII letters, digits"), "{error}");
    }
}

#[test]
fn a_quota_that_could_not_be_counted_exactly_is_refused_with_the_largest_that_fits() {
    for (quota, algorithm, largest) in [
        ("1000000000/day", Algorithm::SlidingWindow, MAX_EXACT / 86_400_000 - 1),
        ("200000/day", Algorithm::SlidingLog, 100_000),
        ("1/day", Algorithm::TokenBucket { burst: MAX_EXACT }, MAX_EXACT / 86_400_000 - 1),
    ] {
        let error = policy(quota, algorithm).unwrap_err();
        assert!(error.to_string().ends_with(&format!("at most {largest} fit")), "{error}");
    }
    assert!(policy("9007199254740991/day", Algorithm::FixedWindow).is_ok());
    let largest = MAX_EXACT / 86_400_000 - 1;
    assert!(policy(&format!("{largest}/day"), Algorithm::SlidingWindow).is_ok());
    assert!(policy(&format!("{}/day", largest + 1), Algorithm::SlidingWindow).is_err());
    assert_eq!(policy("1/day", Algorithm::TokenBucket { burst: 0 }), Err(PolicyError::NoBurst));
}

#[test]
fn the_quotas_of_plans_and_users_are_checked_like_the_policys_own() {
    let policy = |algorithm| policy("10/day", algorithm).unwrap();
    let huge: ClientQuota = "200000000/day".parse().unwrap();
    for algorithm in
        [Algorithm::SlidingWindow, Algorithm::SlidingLog, Algorithm::TokenBucket { burst: 10 }]
    {
        let plain = || policy(Algorithm::FixedWindow);
        for error in [
            policy(algorithm).with_plan("pro", huge.clone()).unwrap_err(),
            policy(algorithm).with_user("1042", huge.clone()).unwrap_err(),
            // In whatever order it is said.
            plain().with_plan("pro", huge.clone()).unwrap().with_algorithm(algorithm).unwrap_err(),
            plain().with_user("1042", huge.clone()).unwrap().with_algorithm(algorithm).unwrap_err(),
        ] {
            let message = error.to_string();
            assert!(message.starts_with("200000000 units are too many for "), "{message}");
        }
    }
    for plan in ["", "a b", "{pro}", &"x".repeat(MAX_NAME + 1)] {
        let error = policy(Algorithm::FixedWindow).with_plan(plan, huge.clone()).unwrap_err();
        assert_eq!(error, PolicyError::Plan(plan.to_owned()));
    }
}

#[test]
fn the_burst_of_a_plan_is_to_its_quota_as_the_policys_own() {
    for (quota, burst, plan, expected) in [
        // Not set: a whole quota.
        ("10/minute", 10, "1000/minute", 1_000),
        ("10/minute", 10, "5/hour", 5),
        // For more at once, and for hardly anything at once.
        ("5/second", 20, "50/second", 200),
        ("60/minute", 1, "600/minute", 10),
        // Rounded up: never nothing.
        ("60/minute", 1, "1/minute", 1),
        ("60/minute", 1, "61/minute", 2),
        (
            "9007199254740991/second",
            9_007_199_254_739,
            "9007199254740991/second",
            9_007_199_254_739,
        ),
    ] {
        let policy = policy(quota, Algorithm::TokenBucket { burst }).unwrap();
        let of_plan = policy.of_quota(plan.parse().unwrap());
        assert_eq!(of_plan.terms().burst, expected, "{plan} beside {quota} with {burst}");
    }
}

#[test]
fn the_largest_cost_is_that_of_whoever_has_most() {
    let policy = policy("10/day", Algorithm::FixedWindow).unwrap();
    assert_eq!(policy.largest_cost(), 10);
    let policy = policy.with_plan("pro", "20/day".parse().unwrap()).unwrap();
    assert_eq!(policy.largest_cost(), 20);
    let policy = policy.with_user("1042", "30/day".parse().unwrap()).unwrap();
    assert_eq!(policy.largest_cost(), 30);
}

#[test]
fn several_quotas_are_parts_with_the_same_name_and_labels_of_their_own() {
    let policy = policy("200/day", Algorithm::FixedWindow).unwrap();
    let policy = policy.with_further_quota("50/hour".parse().unwrap()).unwrap();
    let policy = policy.with_further_quota("9/2 minutes".parse().unwrap()).unwrap();
    assert_eq!(policy.quotas().to_string(), "200/day; 50/hour; 9/2 minutes");
    let parts = policy.parts_of(&policy.quotas());
    let told = parts.iter().map(|it| (it.name(), it.label(), it.quota().to_string()));
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        [
            ("p", "p", "200/day".to_owned()),
            ("p", "p/hour", "50/hour".to_owned()),
            ("p", "p/2-minutes", "9/2 minutes".to_owned()),
        ]
    );
    // Equal windows mean nothing beside each other, and each quota is checked.
    let again = policy.clone().with_further_quota("7/60 minutes".parse().unwrap()).unwrap_err();
    assert!(again.to_string().starts_with("50/hour means nothing beside 7/hour"), "{again}");
    let log = policy.with_algorithm(Algorithm::SlidingLog).unwrap();
    let error = log.with_further_quota("100001/week".parse().unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("100001 units are too many"), "{error}");
}

#[test]
fn a_reserve_is_rounded_up_and_leaves_a_slot_for_others() {
    let reserved = |most, share: &str| {
        let policy = policy("9/hour", Algorithm::FixedWindow).unwrap();
        let policy = policy.with_in_flight(most, 30_000).unwrap();
        policy.with_reserve(share.parse().unwrap())
    };
    for (most, share, rest) in
        [(10, "40%", 6), (10, "41%", 5), (3, "0.01%", 2), (3, "66.66%", 1), (1_000, "99.9%", 1)]
    {
        let others = reserved(most, share).unwrap().without_reserve().unwrap();
        assert_eq!(others.in_flight(), Some((rest, 30_000)), "{share} of {most}");
    }
    for (most, share) in [(3, "66.67%"), (1, "0.01%"), (1_000, "99.91%"), (10, "100%")] {
        assert_eq!(reserved(most, share), Err(PolicyError::Reserve(share.to_owned())), "{most}");
    }
    assert_eq!(reserved(10, "0%").unwrap().without_reserve(), None);
    let without_slots = policy("9/hour", Algorithm::FixedWindow).unwrap();
    let reserved = without_slots.with_reserve("10%".parse().unwrap());
    assert_eq!(reserved, Err(PolicyError::NoSlots));
}

#[test]
fn each_quota_of_a_token_bucket_may_be_used_up_at_once() {
    let bucket = policy("200/day", Algorithm::TokenBucket { burst: 200 }).unwrap();
    let bucket = bucket.with_further_quota("50/hour".parse().unwrap()).unwrap();
    let parts = bucket.parts_of(&bucket.quotas());
    assert_eq!(parts.iter().map(|it| it.terms().burst).collect::<Vec<_>>(), [200, 50]);
}

#[test]
fn the_largest_cost_fits_under_all_quotas_of_a_client() {
    let policy = policy("200/day", Algorithm::FixedWindow).unwrap();
    let policy = policy.with_further_quota("50/hour".parse().unwrap()).unwrap();
    assert_eq!(policy.largest_cost(), 50);
    let policy = policy.with_plan("pro", "900/day; 70/hour".parse().unwrap()).unwrap();
    assert_eq!(policy.largest_cost(), 70);
    let network = "10.0.0.0/8".parse().unwrap();
    let policy = policy.with_network(network, "80/hour".parse().unwrap()).unwrap();
    assert_eq!(policy.largest_cost(), 80);
    let policy = policy.with_user("1042", "unlimited".parse().unwrap()).unwrap();
    assert_eq!(policy.largest_cost(), MAX_EXACT);
}

#[test]
fn keys_read_back_as_printed() {
    for text in [
        "ip",
        "user",
        "user-or-ip",
        "global",
        "descriptor",
        "header:x-tenant",
        "claim:https://a.example/org",
        "cookie:session",
        "query:filter[tenant]",
        "host",
        "segment:id",
        "route",
        "user-or-ip,header:x-tenant,route",
    ] {
        assert_eq!(text.parse::<KeySource>().unwrap().to_string(), text);
    }
    assert_eq!("header:X-Tenant".parse(), Ok(KeySource::Header("x-tenant".into())));
    for text in ["", "IP", "ip ", "header", "host:a", "route:GET /", "claims:x", "ip:x"] {
        assert_eq!(text.parse::<KeySource>(), Err(PolicyError::Key(text.to_owned())));
    }
    let long = format!("claim:{}", "a".repeat(129));
    for text in [
        "header:",
        "header:a b",
        "header:é",
        "cookie:a;b",
        "claim:a b",
        "segment:a-b",
        "query:é",
        &long,
    ] {
        assert_eq!(text.parse::<KeySource>(), Err(PolicyError::KeyName(text.to_owned())));
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>(), near in "(header:|user|ip|claim:|query:|host,|route,|cookie:a,)?[ -~]{0,12}") {
        for text in [text, near] {
            if let Ok(key) = text.parse::<KeySource>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
            let _ = text.parse::<OnStoreFailure>();
            let _ = Algorithm::named(&text, "1/second".parse().unwrap());
            let _ = Policy::new(&text, "1/second".parse().unwrap());
        }
    }
}

#[test]
fn every_quota_counts_in_the_time_zone_whether_it_was_set_before_or_after() {
    let zone = || "Europe/Berlin".parse().unwrap();
    let local = |it: Policy| it.with_timezone(zone(), Weekday::Sunday).unwrap();
    let more = |it: Policy| {
        let candidate = Some("7/day; 2/hour".parse().unwrap());
        it.with_further_quota("90/week".parse().unwrap())
            .and_then(|it| it.with_plan("pro", "8/month; 3/day".parse().unwrap()))
            .and_then(|it| it.with_plan("free", ClientQuota::Unlimited))
            .and_then(|it| it.with_user("1042", "8/year".parse().unwrap()))
            .and_then(|it| it.with_network("10.0.0.0/8".parse().unwrap(), "5/day".parse().unwrap()))
            .and_then(|it| it.with_rollout(Rollout::Enforce { share: Share::ALL, candidate }))
            .unwrap()
    };
    let plain = || policy("20/day", Algorithm::FixedWindow).unwrap();
    let before = more(local(plain()));
    assert_eq!(before, local(more(plain())));
    let codes = |quotas: Vec<Quota>| {
        let calendars = quotas.into_iter().map(|it| it.window().calendar());
        calendars.map(|it| it.map(|it| it.code().split_once("Eu").unwrap().0)).collect::<Vec<_>>()
    };
    let all = [Some("d"), Some("w7"), Some("m"), Some("d"), Some("y"), Some("d"), Some("d"), None];
    assert_eq!(codes(before.all_quotas().collect()), all);
    let parts = before.parts_of(&"20/day; 1/minute; 90/week".parse().unwrap());
    assert_eq!(codes(parts.iter().map(Policy::quota).collect()), [Some("d"), None, Some("w7")]);
    assert_eq!(parts[2].label(), "p/week");
    // Only a fixed window counts by the calendar, whichever of the quotas it is.
    let error = before.with_algorithm(Algorithm::SlidingLog).unwrap_err();
    assert!(matches!(error, PolicyError::ByCalendar { .. }), "{error}");
    let log = policy("20/minute", Algorithm::SlidingLog).unwrap();
    for quota in ["9/month", "1/hour; 9/month"] {
        let error = log.clone().with_plan("pro", quota.parse().unwrap()).unwrap_err();
        assert!(matches!(error, PolicyError::ByCalendar { .. }), "{error}");
    }
}

#[cfg(feature = "server")]
#[test]
fn a_limit_of_requests_under_way_tells_what_it_keeps() {
    let policy = policy("9/day", Algorithm::FixedWindow).unwrap();
    let policy = policy.with_in_flight(10, 30_000).unwrap();
    let kept = policy.with_reserve("25%".parse().unwrap()).unwrap();
    let rest = kept.without_reserve().unwrap();
    for (policy, limits, kept_slots) in [
        (&kept, "9/day; 10 at once, 3 of them in reserve", [0, 0]),
        (&rest, "9/day; 10 at once, 3 of them in reserve", [0, 3]),
    ] {
        assert_eq!(policy.limits(), limits);
        let parts = policy.parts_of(&policy.quotas());
        assert_eq!(parts.iter().map(Policy::kept_slots).collect::<Vec<_>>(), kept_slots);
    }
    assert_eq!(rest.in_flight(), Some((7, 30_000)));
    assert_eq!(rest.without_reserve(), None, "it is taken off once");
}
