//! The policies in force, each with what it decided over the last hour.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::auth::FAILURES;
use crate::app::observation::{LastHour, PolicyCount};
use crate::app::operators::api::policies::mode;
use crate::domain::policy::Policy;

/// A policy and its counts.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) name: String,
    quota: String,
    algorithm: String,
    key: String,
    /// `enforce`, `shadow` or `off`.
    pub(super) mode: &'static str,
    /// The share of its keys for which it is in force, if it is not all.
    share: Option<String>,
    candidate: Option<String>,
    /// How many plans and users have quotas of their own.
    plans: usize,
    users: usize,
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
    pub(super) admitted: u64,
    pub(super) denied: u64,
    pub(super) denied_by_another: u64,
    pub(super) banned: u64,
    pub(super) undecided: u64,
    pub(super) near_limit: u64,
    pub(super) no_key: u64,
    pub(super) shadow_agrees: u64,
    pub(super) shadow_would_deny: u64,
    candidate_agrees: u64,
    candidate_would_deny: u64,
    candidate_would_admit: u64,
}

impl Hour {
    fn of(hour: &LastHour, policy: &str) -> Self {
        let total = |what| hour.total(policy, what);
        Self {
            admitted: total(PolicyCount::Admitted),
            denied: total(PolicyCount::Denied),
            denied_by_another: total(PolicyCount::Spared),
            banned: total(PolicyCount::Banned),
            undecided: total(PolicyCount::Undecided),
            near_limit: total(PolicyCount::NearLimit),
            no_key: total(PolicyCount::NoKey),
            shadow_agrees: total(PolicyCount::ShadowAgrees),
            shadow_would_deny: total(PolicyCount::ShadowDenies),
            candidate_agrees: total(PolicyCount::CandidateAgrees),
            candidate_would_deny: total(PolicyCount::CandidateDenies),
            candidate_would_admit: total(PolicyCount::CandidateAdmits),
        }
    }

    /// Requests that met the policy.
    pub(super) fn met(&self) -> u64 {
        self.admitted
            + self.denied
            + self.denied_by_another
            + self.banned
            + self.undecided
            + self.shadow_agrees
            + self.shadow_would_deny
    }
}

/// `policies` with what was counted of them. Wrong credentials are left out while there are none.
pub(super) fn shown(
    policies: &[&Policy],
    is_met: &BTreeMap<&str, bool>,
    hour: &LastHour,
) -> Vec<Shown> {
    let shown = policies.iter().map(|policy| {
        let (name, (mode, share)) = (policy.name(), mode(policy));
        Shown {
            name: name.to_owned(),
            quota: policy.quota().to_string(),
            algorithm: policy.algorithm().to_string(),
            key: policy.key().to_string(),
            mode,
            share,
            candidate: policy.rollout().candidate().map(|quota| quota.to_string()),
            plans: policy.plans().count(),
            users: policy.users().count(),
            is_met: is_met.get(name).copied().unwrap_or_default(),
            admitted: hour.minutes(name, PolicyCount::Admitted),
            denied: hour.minutes(name, PolicyCount::Denied),
            hour: Hour::of(hour, name),
        }
    });
    shown.filter(|it| it.name != FAILURES || it.hour.met() > 0).collect()
}
