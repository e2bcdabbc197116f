//! The statuses for which requests count.

use super::*;

fn policy_of(options: &str) -> Policy {
    let text = format!("[policies.login]\nquota = \"5/minute\"\n{options}");
    let config = load_text(&text).expect("it is valid");
    config.policies.into_iter().find(|it| it.name() == "login").expect("it is there")
}

#[test]
fn a_policy_counts_every_outcome_unless_it_is_told_which() {
    assert_eq!((policy_of("").charge_on(), policy_of("").refund_on()), (None, None));
    let policy = policy_of("charge_on = [\"401\", \"4xx\"]\nrefund_on = [\"404\"]");
    let counted: Vec<u16> =
        [200, 401, 404, 429, 500].into_iter().filter(|it| policy.counts(*it)).collect();
    assert_eq!(counted, [401, 429]);
    assert!(!policy_of("refund_on = [\"5xx\"]").counts(503));
}

#[test]
fn a_list_that_is_none_of_statuses_says_what_would_be_right() {
    for (list, message) in [
        ("[]", "expected at least one status, as in [\"401\", \"5xx\"]"),
        ("[\"401\", \"401\"]", "\"401\" is listed twice: expected it once"),
        (
            "[\"600\"]",
            "\"600\" is no status: expected a code from 100 to 599, or a class from 1xx to 5xx",
        ),
        ("[401]", "expected a list of statuses, as in [\"401\", \"5xx\"], got a list"),
        ("\"401\"", "expected a list of statuses, as in [\"401\", \"5xx\"], got \"401\""),
    ] {
        for option in ["charge_on", "refund_on"] {
            let text = format!("[policies.login]\nquota = \"5/minute\"\n{option} = {list}");
            assert_eq!(error_of_text(&text), format!("policies.login.{option}: {message}"));
        }
    }
}
