//! Policies that count a request only if its response has some status.

use std::sync::Arc;

use super::Policy;
use super::statuses::Statuses;

/// Counting by outcome. Every request is charged before it passes, so that requests under way never exceed the quota.
/// Once the status of its response is known, it is given back what does not count.
impl Policy {
    /// The same policy, which counts only requests whose response has one of these statuses.
    ///
    /// ```
    /// use tollgate::{KeySource, Policy, Statuses};
    ///
    /// let guesses = Policy::new("guesses", "5/minute".parse()?)?
    ///     .with_key(KeySource::Ip)
    ///     .with_charge_on(Statuses::new(["401"])?);
    /// assert!(guesses.counts(401) && !guesses.counts(200));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_charge_on(mut self, statuses: Statuses) -> Self {
        Arc::make_mut(self.by_outcome.get_or_insert_default()).charge_on = Some(statuses);
        self
    }

    /// The same policy, which does not count requests whose response has one of these statuses, even if
    /// [`with_charge_on`](Self::with_charge_on) says so.
    #[must_use]
    pub fn with_refund_on(mut self, statuses: Statuses) -> Self {
        Arc::make_mut(self.by_outcome.get_or_insert_default()).refund_on = Some(statuses);
        self
    }

    /// The only statuses for which a request counts; `None` for all.
    #[must_use]
    pub fn charge_on(&self) -> Option<&Statuses> {
        self.by_outcome.as_ref()?.charge_on.as_ref()
    }

    /// The statuses for which a request does not count; `None` for none.
    #[must_use]
    pub fn refund_on(&self) -> Option<&Statuses> {
        self.by_outcome.as_ref()?.refund_on.as_ref()
    }

    /// Whether a request counts whose response has this `status`.
    #[must_use]
    pub fn counts(&self, status: u16) -> bool {
        self.charge_on().is_none_or(|statuses| statuses.has(status))
            && !self.refund_on().is_some_and(|statuses| statuses.has(status))
    }

    /// Whether requests may be given back what they were charged, by the status of their response.
    pub(crate) fn counts_by_outcome(&self) -> bool {
        self.by_outcome.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_if_it_is_in_one_list_and_not_in_the_other() {
        let policy = Policy::new("p", "5/minute".parse().unwrap()).unwrap();
        let statuses = |list: &[&str]| Statuses::new(list).unwrap();
        let counted = |policy: &Policy| {
            [200, 401, 403, 404, 500]
                .into_iter()
                .filter(|it| policy.counts(*it))
                .collect::<Vec<_>>()
        };
        assert!(!policy.counts_by_outcome());
        assert_eq!(counted(&policy), [200, 401, 403, 404, 500]);
        let failures = policy.clone().with_charge_on(statuses(&["4xx"]));
        assert_eq!(counted(&failures), [401, 403, 404]);
        let served = policy.with_refund_on(statuses(&["5xx", "404"]));
        assert_eq!(counted(&served), [200, 401, 403]);
        let both = failures.with_refund_on(statuses(&["404"]));
        assert_eq!(counted(&both), [401, 403]);
        assert!(both.counts_by_outcome());
    }
}
