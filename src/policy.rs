//! A [`Policy`]: a named quota with its algorithm, its key, and what holds when the store fails.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::algorithm::{Algorithm, Terms};
use crate::key::Ipv6Prefix;
use crate::quota::Quota;

/// The longest name of a policy: it is sent in header fields and stored in every key.
pub const MAX_NAME: usize = 64;

/// A named quota with its algorithm and its key.
///
/// ```
/// use tollgate::{Algorithm, KeySource, Policy};
///
/// let burst = Policy::new("burst", "10/second".parse()?)?
///     .with_algorithm(Algorithm::TokenBucket { burst: 50 })?
///     .with_key(KeySource::User);
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
}

impl Policy {
    /// A policy that counts `quota` in fixed windows, by user or else by IP address, and locally
    /// when the store fails.
    ///
    /// # Errors
    /// When `name` is empty, longer than [`MAX_NAME`], or has anything but ASCII letters, digits,
    /// `-`, `_` and `.`.
    pub fn new(name: &str, quota: Quota) -> Result<Self, PolicyError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(plain) {
            return Err(PolicyError::Name(name.to_owned()));
        }
        Ok(Self {
            name: name.into(),
            quota,
            algorithm: Algorithm::FixedWindow,
            key: KeySource::UserOrIp,
            ipv6_prefix: Ipv6Prefix::default(),
            on_store_failure: OnStoreFailure::Local,
        })
    }

    /// The same policy under `algorithm`.
    ///
    /// # Errors
    /// When the quota is too large for that algorithm to count exactly.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, PolicyError> {
        let largest = algorithm.largest_quota(self.quota.window());
        let wanted = match algorithm {
            Algorithm::TokenBucket { burst } => burst,
            _ => self.quota.units(),
        };
        match wanted {
            0 => Err(PolicyError::NoBurst),
            _ if wanted > largest => Err(PolicyError::TooLarge { algorithm, wanted, largest }),
            _ => Ok(Self { algorithm, ..self }),
        }
    }

    /// The same policy, counted by `key`.
    #[must_use]
    pub fn with_key(self, key: KeySource) -> Self {
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
    /// The value of this header field, its name in lower case; everyone without it shares a quota.
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

/// Something that cannot be a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// A name that header fields or keys could not carry as it is.
    Name(String),
    /// An algorithm that does not exist.
    Algorithm(String),
    /// A key that does not exist.
    Key(String),
    /// A rule for store failures that does not exist.
    OnStoreFailure(String),
    /// A token bucket that holds nothing.
    NoBurst,
    /// A quota, or burst, that the algorithm could not count exactly or in bounded memory.
    TooLarge {
        /// The algorithm.
        algorithm: Algorithm,
        /// The units asked for.
        wanted: u64,
        /// The most units that fit, with the same window.
        largest: u64,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "{name:?} cannot name a policy: expected 1 to {MAX_NAME} ASCII letters, digits, '-', '_' or '.'"
            ),
            Self::Algorithm(text) => write!(
                f,
                "{text:?} is not an algorithm: expected fixed-window, sliding-window, sliding-log or token-bucket"
            ),
            Self::Key(text) => write!(
                f,
                "{text:?} is not a key: expected ip, user, user-or-ip, global or header:NAME"
            ),
            Self::OnStoreFailure(text) => {
                write!(
                    f,
                    "{text:?} is not a rule for store failures: expected local, allow or deny"
                )
            }
            Self::NoBurst => f.write_str("a burst must be at least 1 unit"),
            Self::TooLarge { algorithm, wanted, largest } => write!(
                f,
                "{wanted} units are too many for {algorithm} with this window: at most {largest} fit"
            ),
        }
    }
}

impl std::error::Error for PolicyError {}

#[cfg(test)]
mod tests;
