//! A [`Policy`]: a named quota with its algorithm, its key, and what to do while the store fails.

use std::num::NonZeroU64;
use std::sync::Arc;

pub use self::error::PolicyError;
pub use self::key_source::KeySource;
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) use self::key_source::is_token_byte;
pub use self::name::MAX_NAME;
pub(crate) use self::name::is_name;
pub use self::on_store_failure::OnStoreFailure;
pub use self::rollout::{Rollout, Share};
use self::special::SpecialQuotas;
use crate::domain::algorithm::{Algorithm, Terms};
use crate::domain::key::Ipv6Prefix;
use crate::domain::penalty::Penalty;
use crate::domain::quota::Quota;

mod error;
mod key_source;
mod name;
mod on_store_failure;
mod rollout;
mod special;

/// A named quota with its algorithm and its key. Plans and single users can have other quotas.
///
/// ```
/// use tollgate::{Algorithm, KeySource, Policy};
///
/// let burst = Policy::new("burst", "10/second".parse()?)?
///     .with_algorithm(Algorithm::TokenBucket { burst: 50 })?
///     .with_key(KeySource::User)
///     .with_plan("pro", "100/second".parse()?)?
///     .with_user("1042", "20/second".parse()?)?;
/// assert_eq!(burst.name(), "burst");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    name: Box<str>,
    quota: Quota,
    algorithm: Algorithm,
    key: KeySource,
    ipv6_prefix: Ipv6Prefix,
    on_store_failure: OnStoreFailure,
    rollout: Rollout,
    penalty: Option<Penalty>,
    /// Shared, so that a copy of the policy costs little.
    special: Arc<SpecialQuotas>,
}

impl Policy {
    /// A policy that counts `quota` in fixed windows, by user, or by IP address without a user. While the
    /// store fails, it is counted locally.
    ///
    /// # Errors
    /// If `name` is empty, is longer than [`MAX_NAME`], or has any character other than ASCII letters,
    /// digits, `-`, `_` and `.`.
    pub fn new(name: &str, quota: Quota) -> Result<Self, PolicyError> {
        if !is_name(name) {
            return Err(PolicyError::Name(name.to_owned()));
        }
        Ok(Self {
            name: name.into(),
            quota,
            algorithm: Algorithm::FixedWindow,
            key: KeySource::UserOrIp,
            ipv6_prefix: Ipv6Prefix::default(),
            on_store_failure: OnStoreFailure::Local,
            rollout: Rollout::ENFORCE,
            penalty: None,
            special: Arc::default(),
        })
    }

    /// The same policy under `algorithm`.
    ///
    /// # Errors
    /// If a quota of the policy is too large for that algorithm to count exactly.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, PolicyError> {
        let policy = Self { algorithm, ..self };
        policy.checked()?;
        for quota in policy.special.quotas().chain(policy.rollout.candidate()) {
            policy.of_quota(quota).checked()?;
        }
        Ok(policy)
    }

    /// The same policy, counted by `key`.
    #[must_use]
    pub fn with_key(self, key: KeySource) -> Self {
        let key = match key {
            KeySource::Header(name) => KeySource::Header(name.to_ascii_lowercase().into()),
            other => other,
        };
        Self { key, ..self }
    }

    /// The same policy, which counts each IPv6 network of this size as one client.
    #[must_use]
    pub fn with_ipv6_prefix(self, ipv6_prefix: Ipv6Prefix) -> Self {
        Self { ipv6_prefix, ..self }
    }

    /// The same policy, with what to do while the store fails.
    #[must_use]
    pub fn with_on_store_failure(self, on_store_failure: OnStoreFailure) -> Self {
        Self { on_store_failure, ..self }
    }

    /// The same policy, in force as `rollout` says.
    ///
    /// # Errors
    /// If the candidate is too large for the algorithm to count exactly.
    pub fn with_rollout(self, rollout: Rollout) -> Result<Self, PolicyError> {
        if let Some(candidate) = rollout.candidate() {
            self.of_quota(candidate).checked()?;
        }
        Ok(Self { rollout, ..self })
    }

    /// The same policy, which bans clients as `penalty` says, where it is in force.
    #[must_use]
    pub fn with_penalty(self, penalty: Penalty) -> Self {
        Self { penalty: Some(penalty), ..self }
    }

    /// The same policy with its quota divided by `parts`, rounded up to whole units.
    #[must_use]
    pub fn share_of(&self, parts: NonZeroU64) -> Self {
        let algorithm = match self.algorithm {
            Algorithm::TokenBucket { burst } => {
                Algorithm::TokenBucket { burst: burst.div_ceil(parts.get()) }
            }
            other => other,
        };
        Self { quota: self.quota.share_of(parts), algorithm, ..self.clone() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its quota.
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
        self.rollout
    }

    /// When it bans a client, and for how long; `None` if it never does.
    #[must_use]
    pub fn penalty(&self) -> Option<&Penalty> {
        self.penalty.as_ref()
    }

    /// The candidate as a policy, which counts beside this one. No policy has its name, since no name has a `~`.
    pub(crate) fn candidate_policy(&self) -> Option<Self> {
        let (name, rollout) = (format!("{}~candidate", self.name).into(), Rollout::ENFORCE);
        let candidate = self.of_quota(self.rollout.candidate()?);
        Some(Self { name, rollout, penalty: None, special: Arc::default(), ..candidate })
    }

    /// Checks that its algorithm can count its own quota exactly.
    fn checked(&self) -> Result<(), PolicyError> {
        let (algorithm, Terms { window, burst: wanted, .. }) = (self.algorithm, self.terms());
        let largest = algorithm.largest_quota(window);
        match wanted {
            0 => Err(PolicyError::NoBurst),
            _ if wanted > largest => Err(PolicyError::TooLarge { algorithm, wanted, largest }),
            _ => Ok(()),
        }
    }
}

/// Quotas for plans and single users. They apply where the policy counts by user: a key that many clients
/// share has one quota, whatever their plans.
impl Policy {
    /// The same policy, with `quota` for the users of `plan`.
    ///
    /// The burst of a token bucket grows in proportion: it is to `quota` what the policy's own burst is
    /// to its own quota, rounded up.
    ///
    /// # Errors
    /// If the quota is too large for the algorithm to count exactly, or if `plan` would not be valid as the
    /// name of a policy.
    pub fn with_plan(mut self, plan: &str, quota: Quota) -> Result<Self, PolicyError> {
        self.add_plan(plan, quota)?;
        Ok(self)
    }

    /// The same policy, with `quota` for the user `id`, whatever that user's plan. The burst of a token
    /// bucket grows in proportion, as in [`with_plan`](Self::with_plan).
    ///
    /// # Errors
    /// If the quota is too large for the algorithm to count exactly.
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

    /// The plans that have a quota of their own, each with its quota.
    pub fn plans(&self) -> impl Iterator<Item = (&str, Quota)> {
        self.special.plans.iter().map(|(plan, quota)| (&**plan, *quota))
    }

    /// The users that have a quota of their own, each with its quota.
    pub fn users(&self) -> impl Iterator<Item = (&[u8], Quota)> {
        self.special.users.iter().map(|(id, quota)| (&**id, *quota))
    }

    /// The largest cost in units that it can ever admit, for any client.
    #[must_use]
    pub fn largest_cost(&self) -> u64 {
        self.special
            .quotas()
            .map(|quota| self.of_quota(quota).terms().burst)
            .fold(self.terms().burst, u64::max)
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
        Self { quota, algorithm, ..self.clone() }
    }

    /// The same policy with `quota` as its own, as a user or a plan has it.
    ///
    /// # Errors
    /// If the algorithm cannot count the quota exactly.
    pub(crate) fn with_own_quota(&self, quota: Quota) -> Result<Self, PolicyError> {
        let policy = self.of_quota(quota);
        policy.checked()?;
        Ok(policy)
    }
}

#[cfg(test)]
mod tests;
