//! How much of a key the requests of this process use.

use crate::domain::clock::Millis;

/// What was used in the present period and in the one before. A period is as long as a lease.
#[derive(Debug, Default)]
pub(super) struct Demand {
    since: Millis,
    last: Millis,
    now: Used,
    before: Used,
}

#[derive(Clone, Copy, Debug, Default)]
struct Used {
    requests: u64,
    units: u64,
}

impl Demand {
    /// Learns that a request used so many `units` at `now`.
    pub(super) fn add(&mut self, units: u64, now: Millis, period: Millis) {
        self.roll(now, period);
        self.last = self.last.max(now);
        self.now.requests += 1;
        self.now.units = self.now.units.saturating_add(units);
    }

    /// Learns that the last of it was not used after all.
    pub(super) fn take_back(&mut self, units: u64) {
        self.now.requests = self.now.requests.saturating_sub(1);
        self.now.units = self.now.units.saturating_sub(units);
    }

    /// The units that are used within a period.
    pub(super) fn units(&mut self, now: Millis, period: Millis) -> u64 {
        self.roll(now, period);
        self.now.units.max(self.before.units)
    }

    /// The requests that come within a period.
    pub(super) fn requests(&mut self, now: Millis, period: Millis) -> u64 {
        self.roll(now, period);
        self.now.requests.max(self.before.requests)
    }

    /// For how long nothing was used.
    pub(super) fn idle_for(&self, now: Millis) -> Millis {
        now.saturating_sub(self.last)
    }

    fn roll(&mut self, now: Millis, period: Millis) {
        let passed = now.saturating_sub(self.since);
        if passed >= period {
            self.before = if passed < 2 * period { self.now } else { Used::default() };
            self.now = Used::default();
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_one_period_and_forgets_an_older_one() {
        let mut demand = Demand::default();
        for at in [1_000, 1_010, 1_020] {
            demand.add(2, at, 100);
        }
        assert_eq!((demand.requests(1_050, 100), demand.units(1_050, 100)), (3, 6));
        demand.add(1, 1_110, 100);
        assert_eq!((demand.requests(1_110, 100), demand.units(1_110, 100)), (3, 6));
        assert_eq!(demand.units(1_320, 100), 0, "nothing in the last two periods");
        assert_eq!(demand.idle_for(1_320), 210);
    }

    #[test]
    fn what_was_not_used_after_all_does_not_count() {
        let mut demand = Demand::default();
        demand.add(5, 1_000, 100);
        demand.add(5, 1_000, 100);
        demand.take_back(5);
        assert_eq!((demand.requests(1_000, 100), demand.units(1_000, 100)), (1, 5));
    }
}
