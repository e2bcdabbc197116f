//! A [`Policy`]: a named quota with its algorithm, its key, and what to do while the store fails.

use std::sync::Arc;

pub use self::error::PolicyError;
pub use self::key_error::KeyPartsError;
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) use self::key_source::is_token_byte;
pub use self::key_source::{KeyParts, KeySource};
pub use self::name::MAX_NAME;
pub(crate) use self::name::is_name;
pub use self::on_store_failure::OnStoreFailure;
pub(crate) use self::rollout::CANDIDATE;
pub use self::rollout::{Rollout, Share};
use self::special::SpecialQuotas;
use self::statuses::ByOutcome;
pub use self::statuses::{Statuses, StatusesError};
use crate::domain::algorithm::Algorithm;
use crate::domain::calendar::{Weekday, Zone};
use crate::domain::clock::Millis;
use crate::domain::key::Ipv6Prefix;
use crate::domain::penalty::Penalty;
use crate::domain::quota::{Quota, Quotas};

mod accessors;
mod by_outcome;
mod checked;
mod client_quotas;
mod error;
mod in_flight;
mod key_error;
mod key_source;
mod name;
mod of_process;
mod on_store_failure;
mod parts;
mod rollout;
mod special;
mod statuses;
mod timezone;

/// A named quota with its algorithm and its key. Plans, single users and networks can have other quotas.
///
/// A policy may have several quotas that hold together. Each is then counted by itself, under the same name.
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
    /// Its name in header fields, if that is another one.
    label: Option<Box<str>>,
    quota: Quota,
    /// The quotas that hold together with that one.
    further: Vec<Quota>,
    algorithm: Algorithm,
    /// Where its days, weeks, months and years begin and end, and when its weeks do.
    timezone: Option<(Zone, Weekday)>,
    key: KeySource,
    ipv6_prefix: Ipv6Prefix,
    on_store_failure: OnStoreFailure,
    rollout: Rollout,
    penalty: Option<Penalty>,
    /// How many requests may be under way at once, and for how long each holds its slot.
    in_flight: Option<Quota>,
    /// The share of its slots that is kept for requests that use the reserve.
    reserve: Share,
    /// How many slots were taken off its limit, because they are kept.
    kept_slots: u64,
    by_outcome: Option<Arc<ByOutcome>>,
    /// In milliseconds; 0 for never.
    lease: Millis,
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
            label: None,
            quota,
            further: Vec::new(),
            algorithm: Algorithm::FixedWindow,
            timezone: None,
            key: KeySource::UserOrIp,
            ipv6_prefix: Ipv6Prefix::default(),
            on_store_failure: OnStoreFailure::Local,
            rollout: Rollout::ENFORCE,
            penalty: None,
            in_flight: None,
            reserve: Share::NONE,
            kept_slots: 0,
            by_outcome: None,
            lease: 0,
            special: Arc::default(),
        })
    }

    /// The same policy under `algorithm`.
    ///
    /// # Errors
    /// If that algorithm cannot count a quota of the policy exactly.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, PolicyError> {
        let policy = Self { algorithm, ..self };
        policy.all_checked()?;
        Ok(policy)
    }

    /// The same policy, counted by `key`.
    #[must_use]
    pub fn with_key(self, key: KeySource) -> Self {
        Self { key: key.normal(), ..self }
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
    /// If the algorithm cannot count the candidate exactly, or if the policy limits requests under way alone.
    pub fn with_rollout(self, rollout: Rollout) -> Result<Self, PolicyError> {
        let rollout = rollout.map_candidate(|quota| self.local(quota));
        if rollout.candidate().is_some() {
            self.require_quotas()?;
        }
        for candidate in rollout.candidate().into_iter().flat_map(Quotas::iter) {
            self.of_quota(candidate).checked()?;
        }
        Ok(Self { rollout, ..self })
    }

    /// The same policy, which bans clients as `penalty` says, where it is in force.
    #[must_use]
    pub fn with_penalty(self, penalty: Penalty) -> Self {
        Self { penalty: Some(penalty), ..self }
    }
}

#[cfg(test)]
mod tests;
