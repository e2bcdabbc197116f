//! A [`Policy`]: a named quota with its algorithm, its key, and what holds when the store fails.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::Arc;

pub use self::error::PolicyError;
use self::special::SpecialQuotas;
use crate::domain::algorithm::{Algorithm, Terms};
use crate::domain::key::Ipv6Prefix;
use crate::domain::quota::Quota;

mod error;
mod special;

/// The longest name of a policy: it is sent in header fields and stored in every key.
pub const MAX_NAME: usize = 64;

/// A named quota with its algorithm and its key, and perhaps other quotas for some users.
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
    /// Shared, so that a copy costs the same however many there are.
    special: Arc<SpecialQuotas>,
}

impl Policy {
    /// A policy that counts `quota` in fixed windows, by user or else by IP address, and locally
    /// when the store fails.
    ///
    /// # Errors
    /// When `name` is empty, longer than [`MAX_NAME`], or has anything but ASCII letters, digits,
    /// `-`, `_` and `.`.
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
            special: Arc::default(),
        })
    }

    /// The same policy under `algorithm`.
    ///
    /// # Errors
    /// When a quota of the policy is too large for that algorithm to count exactly.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, PolicyError> {
        let policy = Self { algorithm, ..self };
        policy.checked()?;
        for quota in policy.special_quotas() {
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

    /// The same policy, in which an IPv6 network of this size is one client.
    #[must_use]
    pub fn with_ipv6_prefix(self, ipv6_prefix: Ipv6Prefix) -> Self {
        Self { ipv6_prefix, ..self }
    }

    /// The same policy with another rule for when the store fails.
    #[must_use]
    pub fn with_on_store_failure(self, on_store_failure: OnStoreFailure) -> Self {
        Self { on_store_failure, ..self }
    }

    /// The same policy with one of `parts` equal parts of its quota, rounded up to whole units.
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
        Terms::new(self.quota, self.algorithm)
    }

    /// What a request is counted by.
    #[must_use]
    pub fn key(&self) -> &KeySource {
        &self.key
    }

    /// The size of the IPv6 networks that are one client each.
    #[must_use]
    pub fn ipv6_prefix(&self) -> Ipv6Prefix {
        self.ipv6_prefix
    }

    /// What holds when the store fails.
    #[must_use]
    pub fn on_store_failure(&self) -> OnStoreFailure {
        self.on_store_failure
    }

    /// Whether its algorithm counts its own quota exactly.
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

/// Whether header fields and keys can carry `text` as it is.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}

/// What a policy counts a request by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// The client's IP address.
    Ip,
    /// The authenticated user; everyone without one shares a quota.
    User,
    /// The authenticated user, or the IP address where there is none.
    UserOrIp,
    /// Nothing: all requests share the quota.
    Global,
    /// The value of this header field, whose name has no case; everyone without it shares a quota.
    Header(Box<str>),
}

impl FromStr for KeySource {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "ip" => Ok(Self::Ip),
            "user" => Ok(Self::User),
            "user-or-ip" => Ok(Self::UserOrIp),
            "global" => Ok(Self::Global),
            _ => text
                .strip_prefix("header:")
                .filter(|name| !name.is_empty() && name.bytes().all(is_token_byte))
                .map(|name| Self::Header(name.to_ascii_lowercase().into()))
                .ok_or_else(|| PolicyError::Key(text.to_owned())),
        }
    }
}

/// Whether `byte` may stand in a header field's name (RFC 9110, section 5.6.2).
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("ip"),
            Self::User => f.write_str("user"),
            Self::UserOrIp => f.write_str("user-or-ip"),
            Self::Global => f.write_str("global"),
            Self::Header(name) => write!(f, "header:{name}"),
        }
    }
}

/// What holds for a policy while the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnStoreFailure {
    /// Count in this process, with this process's share of the quota.
    Local,
    /// Let every request pass this policy.
    Allow,
    /// Refuse every request under this policy: 503, not 429.
    Deny,
}

impl FromStr for OnStoreFailure {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "local" => Ok(Self::Local),
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            _ => Err(PolicyError::OnStoreFailure(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
