//! Requests under way: how many a policy allows at once, besides its quotas.

use super::{Policy, PolicyError};
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;
use crate::domain::quota::Quota;

impl Policy {
    /// The same policy, under which at most `most` requests of a key are under way at once, besides its quotas. Each
    /// holds a slot, which it gives back when it ends. A slot that is not renewed ends after `slot` milliseconds, as
    /// those of a process that died.
    ///
    /// ```
    /// use tollgate::Policy;
    ///
    /// let policy = Policy::new("reports", "100/hour".parse()?)?.with_in_flight(5, 30_000)?;
    /// assert_eq!(policy.in_flight(), Some((5, 30_000)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `most` is 0 or above [`MOST_IN_FLIGHT`](crate::algorithm::MOST_IN_FLIGHT), or if `slot` is not a whole number
    /// of seconds between one second and 366 days.
    pub fn with_in_flight(self, most: u64, slot: Millis) -> Result<Self, PolicyError> {
        let limit = Quota::new(most, slot).map_err(|error| PolicyError::Quotas(error.into()))?;
        let policy = Self { in_flight: Some(limit), ..self };
        if let Some(part) = policy.in_flight_part() {
            part.checked()?;
        }
        Ok(policy)
    }

    /// How many requests of a key may be under way at once, and the milliseconds after which a slot ends that is not
    /// renewed; `None` for any number.
    #[must_use]
    pub fn in_flight(&self) -> Option<(u64, Millis)> {
        let counts_them = self.algorithm == Algorithm::InFlight;
        let limit = if counts_them { Some(self.quota) } else { self.in_flight };
        limit.map(|limit| (limit.units(), limit.window().longest()))
    }

    /// What it allows, as in `10/minute` or `5 at once`.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn allows(&self) -> String {
        match self.algorithm {
            Algorithm::InFlight => format!("{} at once", self.quota.units()),
            _ => self.quota.to_string(),
        }
    }

    /// The limit of requests under way, as a policy that counts beside the quotas.
    pub(super) fn in_flight_part(&self) -> Option<Self> {
        let limit = self.in_flight?;
        let label = Some(format!("{}/in-flight", self.name).into());
        Some(Self { label, algorithm: Algorithm::InFlight, lease: 0, ..self.of_quota(limit) })
    }
}
