//! What all algorithms share: how a state is read at one instant.

use super::terms::Terms;
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::domain::standing::{Retry, Standing};

/// A state as it is read at one instant.
pub(super) trait Reading {
    /// The units that may be used now.
    fn remaining(&self) -> u64;

    /// The time until the quota is whole again.
    fn reset_after(&self) -> Millis;

    /// The time until `cost` units fit. It is asked only if they do not fit yet, but can.
    fn wait_for(&self, cost: u64) -> Millis;

    fn standing(&self, terms: &Terms, cost: Cost) -> Standing {
        let (remaining, cost) = (self.remaining(), cost.units());
        let retry = if cost <= remaining {
            Retry::Now
        } else if cost <= terms.burst {
            Retry::After(self.wait_for(cost))
        } else {
            Retry::Never
        };
        Standing { remaining, reset_after: self.reset_after(), retry }
    }
}

/// The time as of which a state is read that was written at `stamp`: never before `stamp`.
pub(super) fn read_as_of(stamp: Millis, window: Millis, now: Millis) -> Millis {
    if is_astray(stamp, window, now) { now } else { now.max(stamp) }
}

/// Whether a wrong clock wrote `stamp`: it is more than a window ahead of `now`.
pub(super) fn is_astray(stamp: Millis, window: Millis, now: Millis) -> bool {
    stamp > now + window
}

#[cfg(feature = "redis")]
impl Standing {
    /// Where the key stood before the last `units` were charged to it, for a request of `cost`.
    ///
    /// `debt` is what its token bucket has yet to refill now, in parts of a unit; 0 under another
    /// algorithm.
    pub(crate) fn before(&self, units: u64, debt: u64, terms: &Terms, cost: Cost) -> Self {
        let remaining = self.remaining.saturating_add(units);
        let retry = if remaining >= cost.units() { Retry::Now } else { self.retry };
        // Only a bucket is whole sooner if less was taken.
        let until_whole = |debt: u64| debt.div_ceil(terms.units);
        let less = debt.saturating_sub(units.saturating_mul(terms.length()));
        let sooner = until_whole(debt) - until_whole(less);
        Self { remaining, reset_after: self.reset_after.saturating_sub(sooner), retry }
    }
}
