//! Several quotas that hold together under one policy. Each is counted as a policy of one quota, with the same name.

use std::sync::Arc;

use super::{CANDIDATE, Policy, PolicyError, Rollout};
use crate::domain::algorithm::Algorithm;
use crate::domain::quota::{Quota, Quotas};

impl Policy {
    /// The same policy with one more quota, which holds together with those that it has. The burst of a token bucket is
    /// to it what the policy's burst is to its first quota, rounded up.
    ///
    /// ```
    /// use tollgate::Policy;
    ///
    /// let policy = Policy::new("default", "200/day".parse()?)?.with_further_quota("50/hour".parse()?)?;
    /// assert_eq!(policy.quotas().to_string(), "200/day; 50/hour");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the algorithm cannot count the quota exactly, or if it has a window like another one: see
    /// [`Quotas::new`].
    pub fn with_further_quota(mut self, quota: Quota) -> Result<Self, PolicyError> {
        self.require_quotas()?;
        let quota = self.local(quota);
        self.of_quota(quota).checked()?;
        let quotas = Quotas::new(self.quotas().iter().chain([quota]));
        quotas.map_err(PolicyError::Quotas)?;
        self.further.push(quota);
        Ok(self)
    }

    /// Its name in header fields. The first quota of a policy has the policy's name. Each further one has its window after it,
    /// as in `default/hour`, since names of policies have no `/`.
    #[must_use]
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }

    /// All quotas that a policy was given for those who have none of their own.
    #[must_use]
    pub fn quotas(&self) -> Quotas {
        // Each of them was checked beside the others.
        Quotas::new([self.quota].into_iter().chain(self.further.iter().copied()))
            .unwrap_or_else(|_| self.quota.into())
    }

    /// The candidate as policies, one for each of its quotas, which count beside this one. No policy has their name, since
    /// no name has a `~`.
    pub(crate) fn candidate_parts(&self) -> Vec<Self> {
        let Some(quotas) = self.rollout.candidate() else { return Vec::new() };
        let name: Box<str> = format!("{}{CANDIDATE}", self.name).into();
        let parts = self.parts_of(quotas).into_iter().map(|part| Self {
            name: name.clone(),
            rollout: Rollout::ENFORCE,
            penalty: None,
            lease: 0,
            special: Arc::default(),
            ..part
        });
        parts.collect()
    }

    /// The same policy with each of `quotas` as its own.
    pub(crate) fn parts_of(&self, quotas: &Quotas) -> Vec<Self> {
        let first = self.of_quota(quotas.first());
        let further = quotas.further().iter().map(|quota| {
            let label = Some(format!("{}/{}", self.name, quota.window_label()).into());
            Self { label, ..self.of_quota(*quota) }
        });
        [first].into_iter().chain(further).chain(self.in_flight_part()).collect()
    }

    /// The same policy with `quota` as its own, and with a burst in proportion.
    pub(crate) fn of_quota(&self, quota: Quota) -> Self {
        let algorithm = match self.algorithm {
            Algorithm::TokenBucket { burst } => {
                let (units, own) = (u128::from(quota.units()), u128::from(self.quota.units()));
                let burst = (u128::from(burst) * units).div_ceil(own);
                Algorithm::TokenBucket { burst: u64::try_from(burst).unwrap_or(u64::MAX) }
            }
            other => other,
        };
        let quota = self.local(quota);
        let (label, in_flight) = (None, None);
        Self { quota, algorithm, label, further: Vec::new(), in_flight, ..self.clone() }
    }

    /// The same policy with `quota` as its own, as a user or a plan has it.
    ///
    /// # Errors
    /// If the algorithm cannot count the quota exactly, or if the policy limits requests under way alone.
    pub(crate) fn with_own_quota(&self, quota: Quota) -> Result<Self, PolicyError> {
        self.require_quotas()?;
        let policy = self.of_quota(quota);
        policy.checked()?;
        Ok(policy)
    }

    /// The same policy with each of `quotas` as its own.
    ///
    /// # Errors
    /// If the algorithm cannot count one of them exactly, or if the policy limits requests under way alone.
    pub(crate) fn with_own_quotas(&self, quotas: &Quotas) -> Result<Vec<Self>, PolicyError> {
        self.require_quotas()?;
        let parts = self.parts_of(quotas);
        parts.iter().try_for_each(Self::checked)?;
        Ok(parts)
    }

    /// Whether it has quotas, and not a limit of requests under way alone.
    pub(crate) fn has_quotas(&self) -> bool {
        self.algorithm != Algorithm::InFlight
    }

    pub(super) fn require_quotas(&self) -> Result<(), PolicyError> {
        if self.has_quotas() { Ok(()) } else { Err(PolicyError::NoQuota) }
    }
}
