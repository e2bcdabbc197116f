//! Windows that begin at another time than their length suggests.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::domain::algorithm::Algorithm;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::Quota;
use crate::domain::window::Window;

const DAY: u64 = 86_400_000;
const WEEK: u64 = 7 * DAY;

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    let fixed = policies.in_force().filter(|it| it.algorithm() == Algorithm::FixedWindow);
    let of_policy = |it: &Policy| it.quotas().iter().find_map(|quota| of_quota(it, quota));
    findings.extend(fixed.filter_map(of_policy));
}

fn of_quota(policy: &Policy, quota: Quota) -> Option<Finding> {
    let option = policy_key(policy, "quota");
    let Window::Fixed(length) = quota.window() else { return None };
    let of_calendar = |unit: &str| Finding {
        code: "window-near-calendar",
        reason: format!(
            "The windows of {:?} ({}) follow one another since 1970, so they do not begin with a {unit}. A window of \
             a {unit} does, in the time zone of the policy or in UTC.",
            policy.name(),
            quota
        ),
        better: format!("{option} = \"{}\"", with_unit(policy, quota, unit)),
        option: option.clone(),
    };
    // Envoy's months are of 30 days.
    let is_envoys = *policy.key() == KeySource::Descriptor;
    match (length / DAY, length % DAY) {
        (28..=31, 0) if !is_envoys => Some(of_calendar("month")),
        (365..=366, 0) if !is_envoys => Some(of_calendar("year")),
        _ if length == WEEK => {
            let timezone = policy_key(policy, "timezone");
            Some(Finding {
                code: "week-from-thursday",
                reason: format!(
                    "The weeks of {:?} ({}) begin on Thursday at midnight in UTC, as 1970 did. With a time zone, they \
                     begin on Monday there, or on the day that week_begins says.",
                    policy.name(),
                    quota
                ),
                better: format!("{timezone} = \"UTC\""),
                option,
            })
        }
        _ => None,
    }
}

/// The quotas of `policy`, of which `quota` is for one `unit`.
fn with_unit(policy: &Policy, quota: Quota, unit: &str) -> String {
    let text = |it: Quota| match it == quota {
        true => format!("{}/{unit}", it.units()),
        false => it.to_string(),
    };
    policy.quotas().iter().map(text).collect::<Vec<_>>().join("; ")
}
