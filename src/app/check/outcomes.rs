//! Policies that count by the status of the response, where nobody tells it or none counts.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::domain::policy::Policy;

/// The statuses of responses. Those below only precede one.
const FINAL: std::ops::RangeInclusive<u16> = 200..=599;

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for policy in policies.config.policies.iter().filter(|it| it.counts_by_outcome()) {
        findings.extend(counts_nothing(policy));
        findings.extend(untold(policies, policy));
    }
}

fn counts_nothing(policy: &Policy) -> Option<Finding> {
    (!FINAL.into_iter().any(|status| policy.counts(status))).then(|| Finding {
        code: "outcome-never",
        option: policy_key(policy, "refund_on"),
        reason: format!(
            "Whatever status a response has, {:?} gives its request back. So it only limits how many requests are \
             under way.",
            policy.name()
        ),
        better: match policy.charge_on() {
            None => format!("{} = [\"5xx\"]", policy_key(policy, "refund_on")),
            Some(_) => nothing_back(policy),
        },
    })
}

fn untold(policies: &Policies<'_>, policy: &Policy) -> Option<Finding> {
    let counts_all = FINAL.into_iter().all(|status| policy.counts(status));
    let is_untold = policies.has_descriptor_of(policy.name()) && !counts_all;
    let (charge_on, refund_on) = (policy.charge_on().is_some(), policy.refund_on().is_some());
    let counts_every =
        || format!("{} = [\"2xx\", \"3xx\", \"4xx\", \"5xx\"]", policy_key(policy, "charge_on"));
    let lines = [charge_on.then(counts_every), refund_on.then(|| nothing_back(policy))];
    is_untold.then(|| Finding {
        code: "outcome-untold",
        option: policy_key(policy, if charge_on { "charge_on" } else { "refund_on" }),
        reason: format!(
            "Envoy asks before it has a response, so nobody tells {:?} the status: it counts every request.",
            policy.name()
        ),
        better: lines.into_iter().flatten().collect::<Vec<_>>().join("\n"),
    })
}

fn nothing_back(policy: &Policy) -> String {
    format!("{} = [\"1xx\"]", policy_key(policy, "refund_on"))
}
