//! Leases as a limiter uses them, and as its owner sees them.

use super::Limiter;
use super::leases::{InHand, LeaseCounts};
use crate::store::{Acquire, Acquired, StoreError};

impl Limiter {
    /// Ends the leases of this process, and gives back what it has not used. It may take new ones afterwards. An app
    /// calls it when it stops. A limiter that is dropped does it as well, but nobody waits for that.
    pub async fn end_leases(&self) {
        if let Some(leases) = &self.0.leases {
            leases.give_back_all().done().await;
        }
    }

    /// Ends the leases of this process, which are given back soon. Another limiter takes the requests from now on.
    #[cfg(feature = "server")]
    pub(crate) fn retire_leases(&self) {
        if let Some(leases) = &self.0.leases {
            leases.end_all();
        }
    }

    /// What leases did, by policy; empty if no policy is leased.
    #[must_use]
    pub fn lease_counts(&self) -> Vec<LeaseCounts> {
        self.0.leases.as_ref().map(|leases| leases.counts()).unwrap_or_default()
    }
}

/// What questions to the store ask of leases. Without any, each costs a branch.
impl Limiter {
    /// The units that a request has in hand; `None` if it has none.
    pub(super) fn take_leased(&self, asked: &Acquire) -> Option<InHand> {
        let leases = self.0.leases.as_ref()?;
        Some(leases.take(asked)).filter(|units| !units.is_empty())
    }

    /// Puts `units` back, which were taken for `asked`.
    pub(super) fn put_back(&self, units: &InHand, asked: &Acquire) {
        if let Some(leases) = &self.0.leases {
            leases.put_back(units, asked);
        }
    }

    /// Adds to what the store `acquired` for `asked`, if that is a peek, what this process holds besides.
    pub(super) fn add_leased(&self, asked: &Acquire, acquired: &mut Acquired) {
        if asked.count == 0
            && let Some(leases) = &self.0.leases
        {
            leases.add_to(asked, acquired);
        }
    }

    /// Asks the store where keys stand, with what this process holds besides.
    pub(super) async fn peek_at(&self, asked: &Acquire) -> Result<Acquired, StoreError> {
        let mut acquired = self.0.store.acquire(asked).await?;
        self.add_leased(asked, &mut acquired);
        Ok(acquired)
    }
}
