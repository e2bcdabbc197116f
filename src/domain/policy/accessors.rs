//! What a policy says of itself.

use super::{KeySource, OnStoreFailure, Policy, Rollout};
use crate::domain::algorithm::{Algorithm, Terms};
use crate::domain::key::Ipv6Prefix;
use crate::domain::penalty::Penalty;
use crate::domain::quota::Quota;

impl Policy {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its quota; the first, if it has several.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The numbers that its algorithm computes with.
    #[must_use]
    pub fn terms(&self) -> Terms {
        self.algorithm.terms(self.quota)
    }

    /// What a request is counted by.
    #[must_use]
    pub fn key(&self) -> &KeySource {
        &self.key
    }

    /// The prefix length of the IPv6 networks that count as one client each.
    #[must_use]
    pub fn ipv6_prefix(&self) -> Ipv6Prefix {
        self.ipv6_prefix
    }

    /// What to do while the store fails.
    #[must_use]
    pub fn on_store_failure(&self) -> OnStoreFailure {
        self.on_store_failure
    }

    /// How far it is in force.
    #[must_use]
    pub fn rollout(&self) -> Rollout {
        self.rollout.clone()
    }

    /// Whether it is neither decided nor charged.
    pub(crate) fn is_off(&self) -> bool {
        self.rollout == Rollout::Off
    }

    /// When it bans a client, and for how long; `None` if it never does.
    #[must_use]
    pub fn penalty(&self) -> Option<&Penalty> {
        self.penalty.as_ref()
    }
}
