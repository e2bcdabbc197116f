use super::{Policy, PolicyError};
use crate::domain::algorithm::Terms;

impl Policy {
    /// Checks that its algorithm can count its own quota exactly.
    pub(super) fn checked(&self) -> Result<(), PolicyError> {
        let (algorithm, Terms { units, window, burst: wanted }) = (self.algorithm, self.terms());
        if let Some(calendar) = window.calendar().filter(|_| !algorithm.counts_by_calendar()) {
            return Err(PolicyError::ByCalendar { algorithm, units, unit: calendar.unit() });
        }
        let largest = algorithm.largest_quota(window);
        match wanted {
            0 => Err(PolicyError::NoBurst),
            _ if wanted > largest => Err(PolicyError::TooLarge { algorithm, wanted, largest }),
            _ => Ok(()),
        }
    }

    /// Checks that it can count all quotas of the policy exactly.
    pub(super) fn all_checked(&self) -> Result<(), PolicyError> {
        self.all_quotas().try_for_each(|quota| self.of_quota(quota).checked())
    }
}
