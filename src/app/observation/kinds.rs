//! What is counted.

use crate::limiter::{Outcome, TrialKind};

/// What is counted of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyCount {
    /// Requests that all their policies admitted.
    Admitted,
    /// Requests that this policy denied.
    Denied,
    /// Requests that this policy would have admitted, but another one denied.
    Spared,
    /// Requests that could not be decided.
    Undecided,
    /// Admitted requests that left less than a tenth of the quota.
    NearLimit,
    /// Requests without what the policy counts by, such as a user.
    NoKey,
    /// Requests on which the policy was tried out, and which it would not have changed.
    ShadowAgrees,
    /// Requests that passed, and that the policy would have denied.
    ShadowDenies,
    /// Requests on which the candidate agreed with the quota in force.
    CandidateAgrees,
    /// Requests that passed, and that the candidate would have denied.
    CandidateDenies,
    /// Requests that the quota in force denied, and that the candidate would have admitted.
    CandidateAdmits,
    /// Requests of clients that the penalty of this policy banned.
    Banned,
    /// Requests that were given back what they were charged.
    GivenBack,
    /// Requests that stay charged, because the store failed when they were to be given back.
    NotGivenBack,
}

/// What is counted of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteCount {
    Admitted,
    Denied,
    Unlimited,
    Allowed,
    Blocked,
    Banned,
    Undecided,
}

/// How an attempt to authenticate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authenticated {
    /// The request names no user.
    Anonymous,
    /// It proves its user.
    Proved,
    /// Its credentials are wrong.
    Wrong,
    /// Its token cannot be verified at the moment.
    Unverifiable,
    /// Its client has sent too many wrong credentials.
    TooManyFailures,
}

impl PolicyCount {
    /// Those that each request that meets the policy is one of.
    pub(crate) const OF_REQUESTS: [Self; 7] = [
        Self::Admitted,
        Self::Denied,
        Self::Spared,
        Self::Undecided,
        Self::ShadowAgrees,
        Self::ShadowDenies,
        Self::Banned,
    ];

    pub(crate) const ALL: [Self; 14] = [
        Self::Admitted,
        Self::Denied,
        Self::Spared,
        Self::Undecided,
        Self::NearLimit,
        Self::NoKey,
        Self::ShadowAgrees,
        Self::ShadowDenies,
        Self::CandidateAgrees,
        Self::CandidateDenies,
        Self::CandidateAdmits,
        Self::Banned,
        Self::GivenBack,
        Self::NotGivenBack,
    ];

    /// What is counted of a trial, if the policies in force admitted the request or not.
    pub(super) fn of_trial(kind: TrialKind, is_admitted: bool, admits: bool) -> Self {
        match (kind, is_admitted, admits) {
            (TrialKind::Candidate, true, false) => Self::CandidateDenies,
            (TrialKind::Candidate, false, true) => Self::CandidateAdmits,
            (TrialKind::Candidate, ..) => Self::CandidateAgrees,
            (TrialKind::Shadow, true, false) => Self::ShadowDenies,
            (TrialKind::Shadow, ..) => Self::ShadowAgrees,
        }
    }
}

impl RouteCount {
    pub(crate) const ALL: [Self; 7] = [
        Self::Admitted,
        Self::Denied,
        Self::Unlimited,
        Self::Allowed,
        Self::Blocked,
        Self::Banned,
        Self::Undecided,
    ];

    /// Its name as a label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Denied => "denied",
            Self::Unlimited => "unlimited",
            Self::Allowed => "allowed",
            Self::Blocked => "blocked",
            Self::Banned => "banned",
            Self::Undecided => "undecided",
        }
    }

    /// What is counted of a request with that outcome.
    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Admitted => Self::Admitted,
            Outcome::Denied => Self::Denied,
            Outcome::Unlimited => Self::Unlimited,
            Outcome::Allowed => Self::Allowed,
            Outcome::Blocked => Self::Blocked,
            Outcome::Banned => Self::Banned,
            Outcome::Undecided(_) => Self::Undecided,
        }
    }
}

impl Authenticated {
    pub(crate) const ALL: [Self; 5] =
        [Self::Anonymous, Self::Proved, Self::Wrong, Self::Unverifiable, Self::TooManyFailures];

    /// Its name as a label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Proved => "proved",
            Self::Wrong => "wrong",
            Self::Unverifiable => "unverifiable",
            Self::TooManyFailures => "too_many_failures",
        }
    }
}
