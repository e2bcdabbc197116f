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
fn what_makes_no_sense_is_an_error() {
    for (options, reason) in [
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
