//! Where the windows of a policy begin and end by the calendar.

use std::iter;
use std::sync::Arc;

use super::{Policy, PolicyError};
use crate::domain::calendar::{Weekday, Zone};
use crate::domain::quota::{Quota, Quotas};

impl Policy {
    /// The same policy, all quotas of which count in `zone`: days, weeks, months and years end when the calendar there
    /// says so. Other windows stay as they are. Without a zone, months and years end when the calendar of UTC says so,
    /// and days and weeks are aligned to the Unix epoch.
    ///
    /// ```
    /// use tollgate::{Policy, Weekday};
    ///
    /// let daily = Policy::new("daily", "1000/day".parse()?)?
    ///     .with_timezone("Europe/Berlin".parse()?, Weekday::Monday)?;
    /// let calendar = daily.quota().window().calendar().expect("a calendar");
    /// let hour = 3_600_000;
    /// let lengths = [1_774_652_400_000, 1_774_738_800_000, 1_774_821_600_000].map(|at| {
    ///     let day = calendar.window(at);
    ///     (day.end - day.start) / hour
    /// });
    /// assert_eq!(lengths, [24, 23, 24], "from 28 to 30 March 2026");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the algorithm is not a fixed window, and a quota is of days, weeks, months or years.
    pub fn with_timezone(mut self, zone: Zone, week_begins: Weekday) -> Result<Self, PolicyError> {
        self.timezone = Some((zone, week_begins));
        self.quota = self.local(self.quota);
        self.further = self.further.iter().map(|quota| self.local(*quota)).collect();
        let local = |quota| self.local(quota);
        let special = Arc::new(self.special.map(local));
        let rollout = self.rollout.clone().map_candidate(local);
        (self.special, self.rollout) = (special, rollout);
        self.all_checked()?;
        Ok(self)
    }

    /// The time zone that was set, and the day on which weeks begin there.
    #[must_use]
    pub fn timezone(&self) -> Option<(Zone, Weekday)> {
        self.timezone
    }

    /// Its own quotas, those of plans, users and networks, and those of the candidate.
    pub(crate) fn all_quotas(&self) -> impl Iterator<Item = Quota> {
        let own = iter::once(self.quota).chain(self.further.iter().copied());
        let candidates = self.rollout.candidate().into_iter().flat_map(Quotas::iter);
        own.chain(self.special.quotas()).chain(candidates)
    }

    /// `quota` as it counts in the policy's time zone.
    pub(super) fn local(&self, quota: Quota) -> Quota {
        match self.timezone {
            Some((zone, week_begins)) => quota.in_zone(zone, week_begins),
            None => quota,
        }
    }
}
