//! What one process has of a policy by itself: its share of the quota while the store is away, and leases.

use std::num::NonZeroU64;
use std::time::Duration;

use super::Policy;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::{Millis, millis};

impl Policy {
    /// The same policy with its quota divided by `parts`, rounded up to whole units.
    #[must_use]
    pub fn share_of(&self, parts: NonZeroU64) -> Self {
        let algorithm = match self.algorithm {
            Algorithm::TokenBucket { burst } => {
                Algorithm::TokenBucket { burst: burst.div_ceil(parts.get()) }
            }
            other => other,
        };
        let further = self.further.iter().map(|quota| quota.share_of(parts)).collect();
        Self { quota: self.quota.share_of(parts), further, algorithm, ..self.clone() }
    }

    /// The same policy, of which a process leases units of busy keys for as long as `lease`, in whole milliseconds. Zero
    /// is never.
    ///
    /// The process charges several units at once and then admits requests in memory, so the quota holds as without
    /// leases. The limiter needs a [clock for it](crate::LimiterBuilder::leases). A sliding log is never leased, since
    /// it remembers when each unit was used. Neither is a policy with a penalty, since only the store knows who is
    /// banned, nor one that counts by [outcome](Policy::charge_on), since it gives back what it charged, nor one
    /// with a limit of requests [under way](Policy::in_flight), since only the store knows how many there are.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease: millis(lease), ..self }
    }

    /// For how many milliseconds a process may lease units; `None` if it may not.
    #[must_use]
    pub fn lease(&self) -> Option<Millis> {
        let can_be = self.algorithm.can_be_leased()
            && self.penalty.is_none()
            && self.in_flight.is_none()
            && !self.counts_by_outcome();
        (self.lease > 0 && can_be).then_some(self.lease)
    }
}

impl Algorithm {
    /// Whether units that are charged now may be used a moment later.
    pub(crate) fn can_be_leased(self) -> bool {
        matches!(self, Self::FixedWindow | Self::SlidingWindow | Self::TokenBucket { .. })
    }
}
