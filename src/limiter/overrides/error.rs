use std::fmt;

use super::change::{MOST_BY, MOST_WHY};
use crate::domain::key::IdentityError;
use crate::domain::policy::PolicyError;
use crate::store::StoreError;

/// The most overrides that hold at a time.
pub(super) const MOST_OVERRIDES: usize = 10_000;

/// Why an override was not made or ended, or why nothing is known of overrides.
#[derive(Debug)]
#[non_exhaustive]
pub enum OverrideError {
    /// The limiter was built without [`Overrides`](crate::overrides::Overrides).
    NotKept,
    /// The key names no client.
    Key(IdentityError),
    /// No policy has this name.
    UnknownPolicy(String),
    /// A policy cannot count that quota exactly.
    Quota(PolicyError),
    /// It would last for no time, or for longer than 366 days.
    Duration,
    /// Who makes the change, or why, is too long, or has control characters.
    Note,
    /// 10,000 overrides hold already.
    Full,
    /// Other processes replaced the table again and again meanwhile.
    Contended,
    /// The store failed. Unless its error [may have charged](crate::StoreErrorKind::may_have_charged), nothing
    /// was changed.
    Store(StoreError),
}

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotKept => f.write_str("this limiter has no overrides"),
            Self::Key(error) => error.fmt(f),
            Self::UnknownPolicy(name) => write!(f, "there is no policy {name:?}"),
            Self::Quota(error) => error.fmt(f),
            Self::Duration => f.write_str("it may last for 1 ms to 366 days"),
            Self::Note => write!(
                f,
                "who makes the change may have {MOST_BY} characters, and the reason {MOST_WHY}, none of them a \
                 control character"
            ),
            Self::Full => write!(f, "{MOST_OVERRIDES} overrides hold already: end some first"),
            Self::Contended => f.write_str(
                "others changed the overrides at the same time: nothing was changed, try again",
            ),
            Self::Store(error) if error.kind().may_have_charged() => write!(
                f,
                "{error}, so that the change may have been made or not: list the overrides"
            ),
            Self::Store(error) => write!(f, "{error}, so that nothing was changed"),
        }
    }
}

impl std::error::Error for OverrideError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
