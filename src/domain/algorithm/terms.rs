use crate::domain::clock::Millis;
#[cfg(feature = "redis")]
use crate::domain::quota::Cost;
#[cfg(feature = "redis")]
use crate::domain::standing::{Retry, Standing};

/// The numbers of a policy that its algorithm computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Units allowed per window.
    pub units: u64,
    /// The length of the window.
    pub window: Millis,
    /// The most units that can ever be used at once.
    pub burst: u64,
}

impl Standing {
    /// Where the key stood before the last `units` were charged to it, for a request of `cost`. `debt`
    /// is what its token bucket has not refilled now, in parts of a unit; 0 under another algorithm.
    #[cfg(feature = "redis")]
    pub(crate) fn before(&self, units: u64, debt: u64, terms: &Terms, cost: Cost) -> Self {
        let remaining = self.remaining.saturating_add(units);
        let retry = if remaining >= cost.units() { Retry::Now } else { self.retry };
        // Of a bucket alone, it is sooner whole again the less was taken.
        let until_whole = |debt: u64| debt.div_ceil(terms.units);
        let less = debt.saturating_sub(units.saturating_mul(terms.window));
        let sooner = until_whole(debt) - until_whole(less);
        Self { remaining, reset_after: self.reset_after.saturating_sub(sooner), retry }
    }
}
