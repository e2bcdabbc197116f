//! Limits of requests under way.

use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::policy::Policy;

fn policy(options: &str) -> Policy {
    let config = load_text(&format!("[policies.p]\n{options}")).unwrap();
    let mut policies = config.policies.into_iter();
    policies.find(|policy| policy.name() == "p").unwrap()
}

#[test]
fn a_limit_stands_beside_quotas_or_alone() {
    assert_eq!(policy("quota = \"9/day\"").in_flight(), None);
    let beside = policy("quota = \"9/day; 5/hour\"\nin_flight = 3");
    assert_eq!(beside.in_flight(), Some((3, 30_000)));
    assert_eq!(beside.quotas().to_string(), "9/day; 5/hour");
    let alone = policy("in_flight = 7\nslot_ms = 60000\nkey = \"global\"");
    assert_eq!(alone.in_flight(), Some((7, 60_000)));
    assert_eq!(alone.algorithm(), Algorithm::InFlight);
}

#[test]
fn routes_may_use_a_reserve() {
    let text = "[policies.p]\nin_flight = 10\nreserve = \"25%\"\n[policies.q]\nquota = \"9/day\"\n\
                [routes.\"/pay\"]\npolicies = [\"q\", \"p\"]\nuses_reserve = true\n\
                [routes.\"/list\"]\npolicies = [\"p\"]";
    let config = load_text(text).unwrap();
    assert_eq!(config.policies[1].reserve().to_string(), "25%");
    let uses = |path: &str| {
        let route = config.routes.iter().find(|it| it.pattern.to_string() == path);
        route.map(|it| it.uses_reserve)
    };
    assert_eq!((uses("/pay"), uses("/list")), (Some(true), Some(false)));
    let errors = errors_of_text(&text.replace("\"q\", \"p\"", "\"q\""));
    let reason = "none of its policies has a reserve: expected one that has";
    assert_eq!(errors, [format!("routes.\"/pay\".uses_reserve: {reason}")]);
}

#[test]
fn what_makes_no_sense_is_an_error() {
    for (options, reason) in [
        (
            "quota = \"9/day\"\nreserve = \"10%\"",
            "reserve: only slots of requests under way are kept: expected in_flight beside it",
        ),
        ("in_flight = 9\nreserve = 0.1", "reserve: expected text in quotes, got 0.1"),
        (
            "in_flight = 9\nreserve = \"10\"",
            "reserve: \"10\" is not a share: expected 0% to 100%, with at most two decimals, as in \"10%\"",
        ),
        (
            "in_flight = 9\nreserve = \"90%\"",
            "reserve: a reserve of 90% leaves no slot for requests that do not use it: expected a smaller share",
        ),
        ("in_flight = 0", "in_flight: expected a whole number from 1 to 100000, got 0"),
        ("in_flight = 100001", "in_flight: expected a whole number from 1 to 100000, got 100001"),
        (
            "in_flight = 1\nslot_ms = 500",
            "slot_ms: expected a whole number from 1000 to 3600000, got 500",
        ),
        ("in_flight = 1\nslot_ms = 1500", "slot_ms: expected whole seconds, such as 30000"),
        (
            "quota = \"1/day\"\nslot_ms = 1000",
            "slot_ms: only requests under way hold slots: expected in_flight beside it",
        ),
        (
            "in_flight = 1\nburst = 5",
            "in_flight: burst is about quotas, and this policy has none: expected a quota",
        ),
        (
            "in_flight = 1\nplans = { pro = \"5/day\" }",
            "in_flight: plans is about quotas, and this policy has none: expected a quota",
        ),
    ] {
        let errors = errors_of_text(&format!("[policies.p]\n{options}"));
        assert!(
            errors.iter().any(|it| *it == format!("policies.p.{reason}")),
            "{options}: {errors:#?}"
        );
    }
}
