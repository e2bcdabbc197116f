//! Where a key stands under its policy: a [`Standing`], and when to [`Retry`].

use crate::domain::clock::Millis;

/// When a request of a given cost would be admitted, if nothing else came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// At once.
    Now,
    /// After this long, and not a millisecond earlier.
    After(Millis),
    /// Never: it costs more than the whole quota.
    Never,
}

impl Retry {
    /// The later of two: a request under several policies waits for all of them.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::After(a), Self::After(b)) => Self::After(a.max(b)),
            (Self::After(wait), Self::Now) | (Self::Now, Self::After(wait)) => Self::After(wait),
            (Self::Now, Self::Now) => Self::Now,
        }
    }
}

/// Where one key stands under its policy, for a request of a given cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Units that may still be used now.
    pub remaining: u64,
    /// How long until the quota is whole again if nothing more is charged; 0 when it is.
    pub reset_after: Millis,
    /// When the next request of that cost would be admitted.
    pub retry: Retry,
}
