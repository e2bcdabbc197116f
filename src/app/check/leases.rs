//! Leases that gain nothing, or that take more than they should.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::app::config::StoreUrl;
use crate::domain::policy::{Policy, Rollout};

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    let leased = policies.config.policies.iter().filter(|policy| policy.lease().is_some());
    let is_memory = policies.config.store.url == StoreUrl::Memory;
    for policy in leased {
        findings.extend(if is_memory { Some(in_memory(policy)) } else { in_trial(policy) });
    }
}

fn in_memory(policy: &Policy) -> Finding {
    Finding {
        code: "lease-in-memory",
        option: policy_key(policy, "lease_ms"),
        reason: format!(
            "This process counts in its own memory, so there is no store to lease units of {:?} from.",
            policy.name()
        ),
        better: format!("{} = 0", policy_key(policy, "lease_ms")),
    }
}

/// Requests on which something is tried out ask the store each time.
fn in_trial(policy: &Policy) -> Option<Finding> {
    let option = match policy.rollout() {
        Rollout::Shadow => "mode",
        Rollout::Enforce { candidate: Some(_), .. } => "candidate",
        _ => return None,
    };
    Some(Finding {
        code: "lease-in-trial",
        option: policy_key(policy, "lease_ms"),
        reason: format!(
            "What is tried out asks the store for each request. So the policy {:?} is not leased, because of its \
             {option}.",
            policy.name()
        ),
        better: format!("{} = 0", policy_key(policy, "lease_ms")),
    })
}
