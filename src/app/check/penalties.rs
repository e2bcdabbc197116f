//! Penalties that ban the wrong clients, or nobody.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::domain::policy::{KeySource, Policy, Rollout};

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for policy in &policies.config.policies {
        if policy.penalty().is_none() {
            continue;
        }
        findings.extend(for_all(policy));
        findings.extend(in_shadow(policy));
    }
}

fn for_all(policy: &Policy) -> Option<Finding> {
    let is_shared = matches!(policy.key(), KeySource::Global | KeySource::Route);
    is_shared.then(|| Finding {
        code: "penalty-for-all",
        option: policy_key(policy, "key"),
        reason: format!(
            "All clients share the quota of {:?}, so the denials of one client ban all of them.",
            policy.name()
        ),
        better: format!("{} = \"ip\"", policy_key(policy, "key")),
    })
}

fn in_shadow(policy: &Policy) -> Option<Finding> {
    (policy.rollout() == Rollout::Shadow).then(|| Finding {
        code: "penalty-in-shadow",
        option: policy_key(policy, "mode"),
        reason: format!(
            "The policy {:?} is in shadow and denies nobody, so its penalty bans nobody.",
            policy.name()
        ),
        better: format!("{} = \"enforce\"", policy_key(policy, "mode")),
    })
}
