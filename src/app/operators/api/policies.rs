//! `GET /v1/policies`: the policies, what was decided under each since the process started, and how the store stands.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use super::answer::answer;
use super::usage::timezone;
use crate::app::auth::FAILURES;
use crate::app::observation::{Counts, PolicyCount};
use crate::app::operators::admin_state::AdminState;
use crate::domain::clock::millis;
use crate::domain::policy::{Policy, Rollout, Share};

/// The body of the answer.
#[derive(Serialize)]
struct Body {
    /// The number of the configuration in force.
    generation: u64,
    store: Store,
    /// In the order of their names.
    policies: Vec<Item>,
}

/// How the store stands.
#[derive(Serialize)]
pub(super) struct Store {
    kind: &'static str,
    is_up: bool,
    down_for_ms: Option<u64>,
    cause: Option<&'static str>,
}

/// A policy.
#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    configured: Configured,
    /// Whether an operator has switched it off.
    is_switched_off: bool,
    counts: Decided,
}

/// A policy as it is configured.
#[derive(Serialize)]
pub(super) struct Configured {
    pub(super) name: String,
    quota: String,
    /// The time zone whose calendar ends the window; nothing where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<&'static str>,
    key: String,
    /// `enforce`, `shadow` or `off`.
    pub(super) mode: &'static str,
    /// The share of its keys for which it is in force, if that is not all.
    share: Option<String>,
    candidate: Option<String>,
    /// The only statuses for which requests count.
    charge_on: Option<String>,
    /// The statuses for which requests are given back.
    refund_on: Option<String>,
    /// For how many milliseconds a process may lease units; 0 for never.
    lease_ms: u64,
}

/// What was decided under a policy.
#[derive(Serialize)]
pub(super) struct Decided {
    pub(super) admitted: u64,
    denied: u64,
    denied_by_another: u64,
    banned: u64,
    undecided: u64,
    shadow_agrees: u64,
    shadow_would_deny: u64,
    candidate_agrees: u64,
    candidate_would_deny: u64,
    candidate_would_admit: u64,
    given_back: u64,
    not_given_back: u64,
}

pub(super) async fn policies(admin: Data<AdminState>) -> HttpResponse {
    let snapshot = admin.snapshot();
    let all = snapshot.limiter.all_policies();
    let mut policies: Vec<Item> =
        all.map(|(policy, is_off)| Item::of(policy, is_off, admin.counts())).collect();
    // Nobody configures this policy, so it is shown once it counts something.
    policies
        .retain(|it| it.configured.name != FAILURES || it.counts.admitted + it.counts.denied > 0);
    policies.sort_by(|one, other| one.configured.name.cmp(&other.configured.name));
    answer(Body { generation: snapshot.generation, store: Store::of(&admin), policies })
}

impl Store {
    pub(super) fn of(admin: &AdminState) -> Self {
        let Some(redis) = admin.redis_status() else {
            return Self { kind: "memory", is_up: true, down_for_ms: None, cause: None };
        };
        Self {
            kind: "redis",
            is_up: redis.down_for.is_none(),
            down_for_ms: redis.down_for.map(millis),
            cause: redis.down_for.and(redis.cause),
        }
    }
}

impl Item {
    fn of(policy: &Policy, is_switched_off: bool, counts: &Counts) -> Self {
        Self {
            configured: Configured::of(policy),
            is_switched_off,
            counts: Decided::of(|what| counts.of_policy(policy.name(), what)),
        }
    }
}

impl Configured {
    pub(super) fn of(policy: &Policy) -> Self {
        let (mode, share) = mode(policy);
        Self {
            name: policy.name().to_owned(),
            quota: policy.limits(),
            timezone: policy.quotas().iter().find_map(timezone),
            key: policy.key().to_string(),
            mode,
            share,
            candidate: policy.rollout().candidate().map(|quota| quota.to_string()),
            charge_on: policy.charge_on().map(ToString::to_string),
            refund_on: policy.refund_on().map(ToString::to_string),
            lease_ms: policy.lease().unwrap_or_default(),
        }
    }
}

/// How `policy` is in force, and the share of its keys for which it is, if that is not all.
pub(super) fn mode(policy: &Policy) -> (&'static str, Option<String>) {
    match policy.rollout() {
        Rollout::Enforce { share: Share::ALL, .. } => ("enforce", None),
        Rollout::Enforce { share, .. } => ("enforce", Some(share.to_string())),
        Rollout::Shadow => ("shadow", None),
        Rollout::Off => ("off", None),
    }
}

impl Decided {
    /// What `count` says.
    pub(super) fn of(count: impl Fn(PolicyCount) -> u64) -> Self {
        Self {
            admitted: count(PolicyCount::Admitted),
            denied: count(PolicyCount::Denied),
            denied_by_another: count(PolicyCount::Spared),
            banned: count(PolicyCount::Banned),
            undecided: count(PolicyCount::Undecided),
            shadow_agrees: count(PolicyCount::ShadowAgrees),
            shadow_would_deny: count(PolicyCount::ShadowDenies),
            candidate_agrees: count(PolicyCount::CandidateAgrees),
            candidate_would_deny: count(PolicyCount::CandidateDenies),
            candidate_would_admit: count(PolicyCount::CandidateAdmits),
            given_back: count(PolicyCount::GivenBack),
            not_given_back: count(PolicyCount::NotGivenBack),
        }
    }
}
