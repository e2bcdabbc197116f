//! The quotas that plans and single users have instead of a policy's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Policy, PolicyError, is_name};
use crate::domain::algorithm::Algorithm;
use crate::domain::quota::Quota;

/// Quotas by plan, and by user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SpecialQuotas {
    plans: BTreeMap<Box<str>, Quota>,
    users: BTreeMap<Box<[u8]>, Quota>,
}

/// Quotas for some users. They hold where the policy counts by user: what is shared by many has one
/// quota, whatever the plans of those who share it.
impl Policy {
    /// The same policy, with `quota` for the users of `plan`.
    ///
    /// The burst of a token bucket is in the same proportion to it as the policy's own burst is to
    /// its quota, rounded up.
    ///
    /// # Errors
    /// When the quota is too large for the algorithm to count exactly, or `plan` is not a name like
    /// that of a policy.
    pub fn with_plan(mut self, plan: &str, quota: Quota) -> Result<Self, PolicyError> {
        self.add_plan(plan, quota)?;
        Ok(self)
    }

    /// The same policy, with `quota` for the user `id`, whatever that user's plan; with a burst as
    /// [`with_plan`](Self::with_plan) says.
    ///
    /// # Errors
    /// When the quota is too large for the algorithm to count exactly.
    pub fn with_user(mut self, id: impl AsRef<[u8]>, quota: Quota) -> Result<Self, PolicyError> {
        self.add_user(id.as_ref(), quota)?;
        Ok(self)
    }

    pub(crate) fn add_plan(&mut self, plan: &str, quota: Quota) -> Result<(), PolicyError> {
        if !is_name(plan) {
            return Err(PolicyError::Plan(plan.to_owned()));
        }
        self.of_quota(quota).checked()?;
        Arc::make_mut(&mut self.special).plans.insert(plan.into(), quota);
        Ok(())
    }

    pub(crate) fn add_user(&mut self, id: &[u8], quota: Quota) -> Result<(), PolicyError> {
        self.of_quota(quota).checked()?;
        Arc::make_mut(&mut self.special).users.insert(id.into(), quota);
        Ok(())
    }

    /// The plans that have a quota of their own.
    pub fn plans(&self) -> impl Iterator<Item = (&str, Quota)> {
        self.special.plans.iter().map(|(plan, quota)| (&**plan, *quota))
    }

    /// The users who have a quota of their own.
    pub fn users(&self) -> impl Iterator<Item = (&[u8], Quota)> {
        self.special.users.iter().map(|(id, quota)| (&**id, *quota))
    }

    /// The largest cost that it admits for anyone.
    #[must_use]
    pub fn largest_cost(&self) -> u64 {
        self.special_quotas()
            .map(|quota| self.of_quota(quota).terms().burst)
            .fold(self.terms().burst, u64::max)
    }

    /// The same policy with the numbers of `quota`.
    pub(crate) fn of_quota(&self, quota: Quota) -> Self {
        let algorithm = match self.algorithm {
            Algorithm::TokenBucket { burst } => {
                let (units, own) = (u128::from(quota.units()), u128::from(self.quota.units()));
                let burst = (u128::from(burst) * units).div_ceil(own);
                Algorithm::TokenBucket { burst: u64::try_from(burst).unwrap_or(u64::MAX) }
            }
            other => other,
        };
        Self { quota, algorithm, ..self.clone() }
    }

    pub(super) fn special_quotas(&self) -> impl Iterator<Item = Quota> {
        self.special.plans.values().chain(self.special.users.values()).copied()
    }
}
