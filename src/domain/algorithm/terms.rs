use crate::domain::clock::Millis;

/// The numbers that an algorithm computes with: see [`Algorithm::terms`](super::Algorithm::terms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Terms {
    /// The units allowed per window.
    pub units: u64,
    /// The length of the window in milliseconds.
    pub window: Millis,
    /// The most units that can ever be used at once.
    pub burst: u64,
}
