//! Requests under way: how many a policy allows at once, besides its quotas.

use super::{Policy, PolicyError, Share};
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;
use crate::domain::quota::Quota;
#[cfg(feature = "server")]
use crate::domain::quota::{MAX_WINDOW, Quotas};

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
        let limit = if self.has_quotas() { self.in_flight } else { Some(self.quota) };
        limit.map(|limit| (limit.units(), limit.window().longest()))
    }

    /// The same policy, which keeps this share of its slots, rounded up, for requests that
    /// [use the reserve](crate::Policies::with_reserve). Others are admitted only while fewer than the rest of the slots
    /// are held, by whichever requests.
    ///
    /// ```
    /// use tollgate::Policy;
    ///
    /// // Of 20 slots, 4 are kept.
    /// let policy = Policy::new("checkout", "100/hour".parse()?)?.with_in_flight(20, 30_000)?;
    /// let policy = policy.with_reserve("20%".parse()?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it has no limit of requests under way, or if no slot would be left for other requests.
    pub fn with_reserve(self, reserve: Share) -> Result<Self, PolicyError> {
        let (most, _) = self.in_flight().ok_or(PolicyError::NoSlots)?;
        if reserve.of_rounded_up(most) >= most {
            return Err(PolicyError::Reserve(reserve.to_string()));
        }
        Ok(Self { reserve, ..self })
    }

    /// The share of its slots that is kept for requests that use the reserve.
    #[must_use]
    pub fn reserve(&self) -> Share {
        self.reserve
    }

    /// The same policy, as requests meet it that may not use the reserve; `None` if it has none.
    pub(crate) fn without_reserve(&self) -> Option<Self> {
        let (most, slot) = self.in_flight()?;
        let kept_slots = self.reserve.of_rounded_up(most);
        let rest = Quota::new(most.checked_sub(kept_slots)?, slot).ok()?;
        let (quota, in_flight) =
            if self.has_quotas() { (self.quota, Some(rest)) } else { (rest, None) };
        let policy = Self { quota, in_flight, kept_slots, reserve: Share::NONE, ..self.clone() };
        (kept_slots > 0).then_some(policy)
    }

    /// How many slots were taken off its limit, because they are kept for other requests.
    #[cfg(feature = "server")]
    pub(crate) fn kept_slots(&self) -> u64 {
        if self.has_quotas() { 0 } else { self.kept_slots }
    }

    /// What it allows, as in `10/minute` or `5 at once`.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn allows(&self) -> String {
        match self.algorithm {
            Algorithm::InFlight => format!("{} at once", self.quota.units()),
            _ => self.quota.to_string(),
        }
    }

    /// All that it allows, as in `100/hour; 5 at once`.
    #[cfg(feature = "server")]
    pub(crate) fn limits(&self) -> String {
        self.limits_with(None)
    }

    /// All that it would allow with these quotas in place of its own.
    #[cfg(feature = "server")]
    pub(crate) fn limits_with(&self, quotas: Option<&Quotas>) -> String {
        let own = quotas.map_or_else(|| self.quotas().to_string(), ToString::to_string);
        let quotas = self.has_quotas().then_some(own);
        let at_once = self.in_flight().map(|(most, _)| {
            let all = most + self.kept_slots;
            match self.kept_slots + self.reserve.of_rounded_up(most) {
                0 => format!("{all} at once"),
                kept => format!("{all} at once, {kept} of them in reserve"),
            }
        });
        quotas.into_iter().chain(at_once).collect::<Vec<_>>().join("; ")
    }

    /// The same policy, whose slots last until they are given back.
    #[cfg(feature = "server")]
    pub(crate) fn with_endless_slots(&self) -> Self {
        let endless = |limit: Quota| Quota::new(limit.units(), MAX_WINDOW).unwrap_or(limit);
        let quota = if self.has_quotas() { self.quota } else { endless(self.quota) };
        Self { quota, in_flight: self.in_flight.map(endless), ..self.clone() }
    }

    /// The limit of requests under way, as a policy that counts beside the quotas.
    pub(super) fn in_flight_part(&self) -> Option<Self> {
        let limit = self.in_flight?;
        let label = Some(format!("{}/in-flight", self.name).into());
        Some(Self { label, algorithm: Algorithm::InFlight, lease: 0, ..self.of_quota(limit) })
    }
}
