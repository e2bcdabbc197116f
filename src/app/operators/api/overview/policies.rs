//! The policies in force, each with what it decided over the last hour.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::auth::FAILURES;
use crate::app::observation::{LastHour, PolicyCount};
use crate::app::operators::api::policies::{Configured, Decided};
use crate::domain::policy::Policy;

/// A policy and its counts.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    pub(super) configured: Configured,
    algorithm: String,
    /// How many plans, users and networks have quotas of their own.
    plans: usize,
    users: usize,
    networks: usize,
    /// Whether a request has met it under this configuration.
    pub(super) is_met: bool,
    /// By the minute.
    admitted: Vec<u64>,
    denied: Vec<u64>,
    pub(super) hour: Hour,
}

/// What was counted of a policy over the hour.
#[derive(Serialize)]
pub(super) struct Hour {
    #[serde(flatten)]
    pub(super) decided: Decided,
    pub(super) near_limit: u64,
    pub(super) no_key: u64,
    /// Requests that met the policy.
    #[serde(skip)]
    pub(super) met: u64,
}

impl Hour {
    fn of(hour: &LastHour, policy: &str) -> Self {
        let total = |what| hour.total(policy, what);
        Self {
            decided: Decided::of(total),
            near_limit: total(PolicyCount::NearLimit),
            no_key: total(PolicyCount::NoKey),
            met: PolicyCount::OF_REQUESTS.into_iter().map(total).sum(),
        }
    }
}

/// `policies` with what was counted of them. Wrong credentials are left out while there are none.
pub(super) fn shown(
    policies: &[&Policy],
    is_met: &BTreeMap<&str, bool>,
    hour: &LastHour,
) -> Vec<Shown> {
    let shown = policies.iter().map(|policy| {
        let name = policy.name();
        Shown {
            configured: Configured::of(policy),
            algorithm: policy.algorithm().to_string(),
            plans: policy.plans().count(),
            users: policy.users().count(),
            networks: policy.networks().count(),
            is_met: is_met.get(name).copied().unwrap_or_default(),
            admitted: hour.minutes(name, PolicyCount::Admitted),
            denied: hour.minutes(name, PolicyCount::Denied),
            hour: Hour::of(hour, name),
        }
    });
    shown.filter(|it| it.configured.name != FAILURES || it.hour.met > 0).collect()
}
