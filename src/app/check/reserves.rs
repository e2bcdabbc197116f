//! Slots that are kept for nobody.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::domain::policy::{Policy, Share};

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    let config = policies.config;
    // Servers that ask the gate name policies themselves, and may say that they use the reserve.
    if config.gate.listen.is_some() {
        return;
    }
    let routes = config.routes.iter().filter(|it| it.uses_reserve).flat_map(|it| &it.policies);
    let named: Vec<&String> = routes.collect();
    let is_unused = |policy: &&Policy| {
        policy.reserve() != Share::NONE && !named.iter().any(|name| *name == policy.name())
    };
    findings.extend(config.policies.iter().filter(is_unused).map(unused));
}

fn unused(policy: &Policy) -> Finding {
    Finding {
        code: "reserve-unused",
        option: policy_key(policy, "reserve"),
        reason: format!(
            "No route of the policy {:?} has uses_reserve, so {} of its slots are never taken.",
            policy.name(),
            policy.reserve()
        ),
        better: format!("{} = \"0%\"", policy_key(policy, "reserve")),
    }
}
