//! Slots of requests under way that are kept for nobody, or whose end nobody tells.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::app::config::DEFAULT_SLOT;
use crate::domain::policy::{Policy, Share};

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for policy in &policies.config.policies {
        findings.extend(unused(policies, policy));
        findings.extend(untold(policies, policy));
    }
}

fn unused(policies: &Policies<'_>, policy: &Policy) -> Option<Finding> {
    let config = policies.config;
    let mut users = config.routes.iter().filter(|it| it.uses_reserve).flat_map(|it| &it.policies);
    // Servers that ask the gate name policies themselves, and may say that they use the reserve.
    let may_be_used = config.gate.listen.is_some() || users.any(|name| *name == policy.name());
    (policy.reserve() != Share::NONE && !may_be_used).then(|| Finding {
        code: "reserve-unused",
        option: policy_key(policy, "reserve"),
        reason: format!(
            "No route of the policy {:?} has uses_reserve, so {} of its slots are never taken.",
            policy.name(),
            policy.reserve()
        ),
        better: format!("{} = \"0%\"", policy_key(policy, "reserve")),
    })
}

/// Whoever says how long a slot lasts has thought of it.
fn untold(policies: &Policies<'_>, policy: &Policy) -> Option<Finding> {
    let (_, slot) = policy.in_flight()?;
    (slot == DEFAULT_SLOT && policies.has_descriptor_of(policy.name())).then(|| Finding {
        code: "slot-untold",
        option: policy_key(policy, "slot_ms"),
        reason: format!(
            "Envoy does not tell when a request ends, so each request under {:?} holds its slot for {DEFAULT_SLOT} ms. That \
             should be about as long as requests take.",
            policy.name()
        ),
        better: format!("{} = 5000", policy_key(policy, "slot_ms")),
    })
}
