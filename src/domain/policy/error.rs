//! Why something cannot be a policy.

use std::fmt;

use super::key_error::KeyPartsError;
use super::name::MAX_NAME;
use crate::domain::algorithm::{Algorithm, UnknownAlgorithm};
use crate::domain::calendar::CalendarUnit;
use crate::domain::quota::QuotasError;

/// Why something cannot be a [`Policy`](super::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// A name that cannot stand in header fields and keys as it is.
    Name(String),
    /// A name that no plan can have.
    Plan(String),
    /// An algorithm that does not exist.
    Algorithm(UnknownAlgorithm),
    /// A key that does not exist.
    Key(String),
    /// A key whose name cannot be that of a header field, a claim and so on.
    KeyName(String),
    /// Parts that make no key together.
    KeyParts(KeyPartsError),
    /// An unknown word for what to do while the store fails.
    OnStoreFailure(String),
    /// Quotas that cannot hold together.
    Quotas(QuotasError),
    /// A text that is not a share of keys.
    Share(String),
    /// A quota of a policy that limits requests under way alone.
    NoQuota,
    /// A reserve of slots that leaves no slot for other requests.
    Reserve(String),
    /// A reserve of a policy that does not limit requests under way.
    NoSlots,
    /// A token bucket with a burst of 0.
    NoBurst,
    /// A quota or burst that the algorithm cannot count exactly, or not in bounded memory.
    TooLarge {
        /// The algorithm.
        algorithm: Algorithm,
        /// The units asked for.
        wanted: u64,
        /// The most units that fit, with the same window.
        largest: u64,
    },
    /// A window by the calendar, with an algorithm that cannot count in it.
    ByCalendar {
        /// The algorithm.
        algorithm: Algorithm,
        /// The units of the quota.
        units: u64,
        /// The unit of its window.
        unit: CalendarUnit,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "{name:?} cannot name a policy: expected 1 to {MAX_NAME} ASCII letters, digits, '-', '_' or '.'"
            ),
            Self::Plan(name) => write!(
                f,
                "{name:?} cannot name a plan: expected 1 to {MAX_NAME} ASCII letters, digits, '-', '_' or '.'"
            ),
            Self::Algorithm(error) => error.fmt(f),
            Self::Key(text) => write!(
                f,
                "{text:?} is not a key: expected ip, user, user-or-ip, global, header:NAME, claim:NAME, cookie:NAME, \
                 query:NAME, host, segment:NAME, route or descriptor"
            ),
            Self::KeyName(text) => write!(
                f,
                "{text:?} names nothing to count by: expected a name after the colon, as in header:x-tenant, claim:org, \
                 cookie:session, query:api_key or segment:id"
            ),
            Self::KeyParts(error) => error.fmt(f),
            Self::OnStoreFailure(text) => {
                write!(
                    f,
                    "{text:?} is not a rule for store failures: expected local, allow or deny"
                )
            }
            Self::Quotas(error) => error.fmt(f),
            Self::Share(text) => write!(
                f,
                "{text:?} is not a share: expected 0% to 100%, with at most two decimals, as in \"10%\""
            ),
            Self::NoQuota => {
                f.write_str("the policy limits requests under way alone, and has no quota")
            }
            Self::Reserve(share) => write!(
                f,
                "a reserve of {share} leaves no slot for requests that do not use it: expected a smaller share"
            ),
            Self::NoSlots => f.write_str(
                "a reserve is a share of the requests that may be under way at once, of which this policy has no limit",
            ),
            Self::NoBurst => f.write_str("a burst must be at least 1 unit"),
            Self::TooLarge { algorithm, wanted, largest } => write!(
                f,
                "{wanted} units are too many for {algorithm} with this window: at most {largest} fit"
            ),
            Self::ByCalendar { algorithm, units, unit } => {
                write!(
                    f,
                    "only a fixed-window can count in a {} by the calendar, and this is a {algorithm}",
                    unit.name()
                )?;
                match unit {
                    CalendarUnit::Month => write!(f, ": \"{units}/30 days\" has one length"),
                    CalendarUnit::Year => write!(f, ": \"{units}/365 days\" has one length"),
                    CalendarUnit::Day | CalendarUnit::Week(_) => {
                        f.write_str(": without a time zone it has one length")
                    }
                }
            }
        }
    }
}

impl std::error::Error for PolicyError {}

impl From<KeyPartsError> for PolicyError {
    fn from(error: KeyPartsError) -> Self {
        Self::KeyParts(error)
    }
}

impl From<UnknownAlgorithm> for PolicyError {
    fn from(error: UnknownAlgorithm) -> Self {
        Self::Algorithm(error)
    }
}
