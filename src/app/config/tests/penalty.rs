//! Penalties of policies.

use super::*;
use crate::domain::penalty::Penalty;

fn penalty_of(text: &str) -> Option<Penalty> {
    load_text(text).unwrap().policies[0].penalty().copied()
}

#[test]
fn a_policy_has_a_penalty_only_if_one_is_set() {
    assert_eq!(penalty_of(""), None);
    let of = |denials, within, ban, longest| Penalty::new(denials, within, ban, longest).ok();
    for (options, penalty) in [
        ("denials = 20", of(20, 60_000, 60_000, 3_600_000)),
        ("denials = 1\nwithin_ms = 1000\nban_ms = 5", of(1, 1_000, 5, 3_600_000)),
        ("denials = 3\nban_at_most_ms = 60000", of(3, 60_000, 60_000, 60_000)),
        // The longest ban is no shorter than the first one.
        ("denials = 3\nban_ms = 86400000", of(3, 60_000, 86_400_000, 86_400_000)),
    ] {
        assert!(penalty.is_some());
        assert_eq!(penalty_of(&format!("[policies.default.penalty]\n{options}")), penalty);
    }
}

#[test]
fn a_penalty_is_set_from_outside_files_too() {
    let name = "TOLLGATE_POLICIES__DEFAULT__PENALTY__DENIALS";
    let config = load(&variables(&[(name, "7")])).unwrap();
    assert_eq!(config.policies[0].penalty().map(Penalty::denials), Some(7));
}
