//! What the process answers, as the view needs it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::app::cli::operate::client::{AdminClient, Answer, ClientError, encoded};
use crate::app::observation::{COUNTERS, Rank};
use crate::domain::clock::Millis;

/// All that is shown of one moment.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// When the process was asked.
    pub(super) at: Millis,
    pub(super) generation: u64,
    pub(super) store: Store,
    pub(super) policies: Vec<PolicyFigures>,
    pub(super) keys: BTreeMap<KeyName, KeyFigures>,
    /// How many minutes the counts of keys cover at least and at most.
    pub(super) minutes: [u64; 2],
}

/// The policy and the identity of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyName {
    pub(super) policy: String,
    pub(super) key: String,
}

/// How the store stands.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Store {
    pub(super) kind: String,
    pub(super) is_up: bool,
    pub(super) down_for_ms: Option<u64>,
    pub(super) cause: Option<String>,
}

/// A policy, and what was counted of it since the process started.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PolicyFigures {
    pub(super) name: String,
    pub(super) quota: String,
    mode: String,
    share: Option<String>,
    candidate: Option<String>,
    is_switched_off: bool,
    pub(super) counts: PolicyCounts,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct PolicyCounts {
    pub(super) admitted: u64,
    pub(super) denied: u64,
    shadow_agrees: u64,
    shadow_would_deny: u64,
    candidate_would_deny: u64,
}

/// A key, and what was counted of it over the last minutes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyFigures {
    /// `None` if it is not among the busiest.
    pub(super) requests: Option<Estimate>,
    /// `None` if it is not among the most refused.
    pub(super) refused: Option<Estimate>,
    pub(super) refused_for_seconds: Option<u64>,
}

/// A count that may be too high.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) count: u64,
    /// How much lower the true count may be.
    pub(super) error: u64,
}

#[derive(Deserialize)]
struct Policies {
    generation: u64,
    store: Store,
    policies: Vec<PolicyFigures>,
}

#[derive(Deserialize)]
struct Top {
    window_seconds: [u64; 2],
    keys: Vec<TopKey>,
}

#[derive(Deserialize)]
struct TopKey {
    policy: String,
    key: String,
    count: u64,
    error: u64,
    refused_for_seconds: Option<u64>,
}

/// Asks for the figures of this moment, and for the keys of `policy` or of all policies.
///
/// # Errors
/// When the process cannot be asked, or refuses.
pub(super) fn ask(
    client: &AdminClient,
    policy: Option<&str>,
    at: Millis,
) -> Result<Figures, ClientError> {
    let of_policy = policy.map(|policy| format!("&policy={}", encoded(policy))).unwrap_or_default();
    let top = |by: Rank| format!("/v1/top?by={}&n={COUNTERS}{of_policy}", by.name());
    let answer = |path: &str| match client.ask("GET", path, None)? {
        Answer::Done(value) => Ok(value),
        Answer::Unconfirmed(_) => Err(ClientError::Unreadable),
    };
    let policies = answer("/v1/policies")?;
    let (refused, busiest) = (answer(&top(Rank::Refused))?, answer(&top(Rank::Busiest))?);
    Figures::of(policies, refused, busiest, at).map_err(|_| ClientError::Unreadable)
}

/// The keys of both lists, each once.
fn merged(refused: Vec<TopKey>, busiest: Vec<TopKey>) -> BTreeMap<KeyName, KeyFigures> {
    let mut keys: BTreeMap<KeyName, KeyFigures> = BTreeMap::new();
    let both = refused.into_iter().map(|it| (Rank::Refused, it));
    for (by, it) in both.chain(busiest.into_iter().map(|it| (Rank::Busiest, it))) {
        let estimate = Estimate { count: it.count, error: it.error };
        let figures = keys.entry(KeyName { policy: it.policy, key: it.key }).or_default();
        match by {
            Rank::Refused => figures.refused = Some(estimate),
            Rank::Busiest => figures.requests = Some(estimate),
        }
        figures.refused_for_seconds = figures.refused_for_seconds.or(it.refused_for_seconds);
    }
    keys
}

impl Figures {
    /// The figures that the answers about the policies, the most refused and the busiest keys say.
    ///
    /// # Errors
    /// When they are no such answers.
    pub(super) fn of(
        policies: Value,
        refused: Value,
        busiest: Value,
        at: Millis,
    ) -> serde_json::Result<Self> {
        let Policies { generation, store, policies } = serde_json::from_value(policies)?;
        let [refused, busiest]: [Top; 2] =
            [serde_json::from_value(refused)?, serde_json::from_value(busiest)?];
        let minutes = refused.window_seconds.map(|seconds| seconds / 60);
        let keys = merged(refused.keys, busiest.keys);
        Ok(Self { at, generation, store, policies, keys, minutes })
    }

    pub(super) fn policy(&self, name: &str) -> Option<&PolicyFigures> {
        self.policies.iter().find(|it| it.name == name)
    }
}

impl PolicyFigures {
    /// How far it is in force, in a word or two.
    pub(super) fn mode(&self) -> String {
        match &self.share {
            _ if self.is_switched_off => "switched off".to_owned(),
            Some(share) => format!("{} {share}", self.mode),
            None => self.mode.clone(),
        }
    }

    /// Why it refuses nobody, if its mode says so.
    pub(super) fn why_silent(&self) -> &'static str {
        match self.mode.as_str() {
            _ if self.is_switched_off => " An operator has switched it off.",
            "off" => " It is off.",
            "shadow" => " It is only tried out, so its keys are not counted.",
            _ => "",
        }
    }

    /// Its quota, and the one that is tried out in its place.
    pub(super) fn quotas(&self) -> String {
        match &self.candidate {
            Some(candidate) => format!("{}, tries {candidate}", self.quota),
            None => self.quota.clone(),
        }
    }

    /// Whether it, or another quota in its place, is tried out.
    pub(super) fn is_on_trial(&self) -> bool {
        self.mode == "shadow" || self.share.is_some() || self.candidate.is_some()
    }
}

impl PolicyCounts {
    /// Requests that passed, and that what is tried out would have denied.
    pub(super) fn would_deny(&self) -> u64 {
        self.shadow_would_deny + self.candidate_would_deny
    }

    /// Requests that met the policy and passed, as far as it is concerned.
    pub(super) fn allowed(&self) -> u64 {
        self.admitted + self.shadow_agrees + self.shadow_would_deny
    }
}
