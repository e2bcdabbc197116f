//! Policies that count by the status of the response, where nobody tells it or none counts.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::domain::policy::{Policy, Statuses};

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    let is_gate_open = policies.config.gate.listen.is_some();
    for policy in policies.config.policies.iter().filter(|it| it.counts_by_outcome()) {
        findings.extend(counts_nothing(policy));
        findings.extend(untold(policies, policy).filter(|_| is_gate_open));
    }
}

fn counts_nothing(policy: &Policy) -> Option<Finding> {
    let is_any_counted = (100..=599).any(|status| policy.counts(status));
    (!is_any_counted).then(|| Finding {
        code: "outcome-never",
        option: policy_key(policy, "refund_on"),
        reason: format!(
            "Whatever status a response has, {:?} gives its request back. So it only limits how many requests are \
             under way.",
            policy.name()
        ),
        better: format!("{} = [\"5xx\"]", policy_key(policy, "refund_on")),
    })
}

fn untold(policies: &Policies<'_>, policy: &Policy) -> Option<Finding> {
    let is_met = policies.routes_of(policy.name()).next().is_some()
        || policies.has_descriptor_of(policy.name());
    is_met.then(|| Finding {
        code: "outcome-untold",
        option: policy_key(policy, if policy.charge_on().is_some() { "charge_on" } else { "refund_on" }),
        reason: format!(
            "Proxies that ask the gate by forward-auth, and Envoy, do not tell the status of the response. Of their \
             requests {:?} counts every one ({}).",
            policy.name(),
            described(policy)
        ),
        better: "let who asks /v1/check report the status to /v1/report; a proxy cannot".to_owned(),
    })
}

fn described(policy: &Policy) -> String {
    let list = |name: &str, it: Option<&Statuses>| it.map(|it| format!("{name}: {it}"));
    let lists = [list("charge_on", policy.charge_on()), list("refund_on", policy.refund_on())];
    lists.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
