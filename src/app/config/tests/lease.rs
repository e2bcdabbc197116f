//! Leases of policies.

use super::*;

fn lease_of(text: &str) -> Option<u64> {
    load_text(text).unwrap().policies[0].lease()
}

#[test]
fn a_policy_is_leased_only_if_that_is_set() {
    for (options, lease) in [
        ("", None),
        ("lease_ms = 0", None),
        ("lease_ms = 100", Some(100)),
        ("lease_ms = 1000", Some(1_000)),
        ("lease_ms = 100\nalgorithm = \"token-bucket\"", Some(100)),
        ("lease_ms = 100\nalgorithm = \"sliding-window\"", Some(100)),
        // Zero is never, whatever else the policy has.
        ("lease_ms = 0\nalgorithm = \"sliding-log\"", None),
    ] {
        assert_eq!(lease_of(&format!("[policies.default]\n{options}")), lease, "{options}");
    }
    let text = "[store]\ndeny_cache_ms = 0\n[policies.default]\nlease_ms = 10000";
    assert_eq!(lease_of(text), Some(10_000), "no denial is remembered");
}

#[test]
fn a_lease_that_does_not_suit_its_policy_is_an_error() {
    for (text, reason) in [
        ("lease_ms = 10001", "expected a whole number from 0 to 10000, got 10001"),
        (
            "lease_ms = 100\nalgorithm = \"sliding-log\"",
            "a sliding-log is never leased: expected fixed-window, sliding-window or token-bucket, or 0",
        ),
        (
            "lease_ms = 100\npenalty = { denials = 3 }",
            "a policy with a penalty is never leased, since only the store knows who is banned: expected 0",
        ),
        (
            "lease_ms = 100\nrefund_on = [\"5xx\"]",
            "a policy with charge_on or refund_on is never leased, since it gives back what it charged: expected 0",
        ),
        (
            "lease_ms = 100\nin_flight = 5",
            "a policy with in_flight is never leased, since each request takes its slot in the store: expected 0",
        ),
        (
            "lease_ms = 1001",
            "a lease must end before other processes have to see an operator's change: expected at most \
             store.deny_cache_ms, which is 1000",
        ),
        ("lease_ms = 600\nquota = \"10/second\"\nplans = { pro = \"5/1 seconds\" }", ""),
    ] {
        let loaded = load_text(&format!("[policies.default]\n{text}"));
        match loaded {
            Ok(_) => assert_eq!(reason, "", "{text}"),
            Err(errors) => {
                let said = errors.to_string();
                assert!(!reason.is_empty() && said.contains(reason), "{text}: {said}");
                assert!(said.contains("policies.default.lease_ms"), "{said}");
            }
        }
    }
    let text =
        "[store]\ndeny_cache_ms = 0\n[policies.default]\nquota = \"10/second\"\nlease_ms = 1001";
    let said = load_text(text).unwrap_err().to_string();
    assert!(
        said.contains("a lease is no longer than a window of the policy: expected at most 1000"),
        "{said}"
    );
}
