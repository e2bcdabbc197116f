//! Where a key stands under its policy: a [`Standing`], and when to [`Retry`].

use crate::domain::clock::Millis;

/// When a request of a given cost would be admitted, if no other request came.
// Exhaustive: there is no fifth answer, and whoever matches on it should not have to write one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// At once.
    Now,
    /// After this many milliseconds, and not one earlier.
    After(Millis),
    /// Once a request that is under way ends. Nobody knows when that will be.
    WhenFreed,
    /// Never: it costs more than the whole quota.
    Never,
}

impl Retry {
    /// The later of two: a request under several policies waits for all of them.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::WhenFreed, _) | (_, Self::WhenFreed) => Self::WhenFreed,
            (Self::After(a), Self::After(b)) => Self::After(a.max(b)),
            (Self::After(wait), Self::Now) | (Self::Now, Self::After(wait)) => Self::After(wait),
            (Self::Now, Self::Now) => Self::Now,
        }
    }
}

/// Where one key stands under its policy, for a request of a given cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The units that may still be used now.
    pub remaining: u64,
    /// How many milliseconds pass until the quota is whole again, if nothing more is charged; 0 if it is
    /// whole.
    pub reset_after: Millis,
    /// When the next request of that cost would be admitted.
    pub retry: Retry,
}

impl Standing {
    /// A key with `remaining` units, which is whole again after `reset_after` milliseconds.
    #[must_use]
    pub fn new(remaining: u64, reset_after: Millis, retry: Retry) -> Self {
        Self { remaining, reset_after, retry }
    }
}
