//! What is wrong with a policy, in words.

use std::fmt;

use super::MAX_NAME;
use crate::domain::algorithm::Algorithm;

/// Something that cannot be a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// A name that header fields or keys could not carry as it is.
    Name(String),
    /// A name that is none of a plan.
    Plan(String),
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
            Self::Plan(name) => write!(
                f,
                "{name:?} cannot name a plan: expected 1 to {MAX_NAME} ASCII letters, digits, '-', '_' or '.'"
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
