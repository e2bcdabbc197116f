//! What a check answers: a [`Decision`], and where each policy stands.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::clock::Millis;
use crate::domain::policy::Policy;

/// When a request of a given cost would be admitted, if nothing else came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// At once.
    Now,
    /// After this long, and not a millisecond earlier.
    After(Millis),
    /// Never: it costs more than the whole quota.
    Never,
}

impl Retry {
    /// The later of two: a request under several policies waits for all of them.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::After(a), Self::After(b)) => Self::After(a.max(b)),
            (Self::After(wait), Self::Now) | (Self::Now, Self::After(wait)) => Self::After(wait),
            (Self::Now, Self::Now) => Self::Now,
        }
    }
}

/// Where one key stands under its policy, for a request of a given cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Units that may still be used now.
    pub remaining: u64,
    /// How long until the quota is whole again if nothing more is charged; 0 when it is.
    pub reset_after: Millis,
    /// When the next request of that cost would be admitted.
    pub retry: Retry,
}

/// The answer to one check: allowed or denied, and where each policy stands.
#[derive(Clone, Debug)]
pub struct Decision {
    allowed: bool,
    policies: Vec<Arc<Policy>>,
    /// Of each policy in turn.
    standings: Vec<Standing>,
}

impl Decision {
    /// A decision under `policies`, which afterwards stand, in that order, at `standings`.
    #[must_use]
    pub fn new(allowed: bool, policies: Vec<Arc<Policy>>, standings: Vec<Standing>) -> Self {
        Self { allowed, policies, standings }
    }

    /// The same standings as a report, which denies nothing.
    pub(crate) fn into_report(self) -> Self {
        Self { allowed: true, ..self }
    }

    /// This decision, and what `other` says of its policies besides.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.policies.extend(other.policies);
        self.standings.extend(other.standings);
        Self { allowed: self.allowed && other.allowed, ..self }
    }

    /// Whether the request may pass.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// Every policy that the store decided on, and where it stands now.
    #[must_use]
    pub fn policies(&self) -> impl ExactSizeIterator<Item = (&Policy, &Standing)> {
        self.policies.iter().map(|policy| &**policy).zip(&self.standings)
    }

    /// The same policies, as they are shared.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn shared_policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    /// The policies that do not admit the request; none when it is allowed.
    pub fn violated(&self) -> impl Iterator<Item = (&Policy, &Standing)> {
        self.policies().filter(|(_, standing)| !self.allowed && standing.retry != Retry::Now)
    }

    /// How long a denied request has to wait until it would be admitted, alone; `None` when it is
    /// allowed, or when it costs more than a whole quota and never will be.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let retry = self.violated().fold(Retry::Now, |retry, (_, it)| retry.later(it.retry));
        match retry {
            Retry::After(wait) => Some(Duration::from_millis(wait)),
            Retry::Now | Retry::Never => None,
        }
    }
}
