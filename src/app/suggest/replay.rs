//! Replays the requests of one client under a quota, by the algorithms that serve.

use super::counting::Counting;
use super::times::Times;
use crate::domain::algorithm::{State, Terms};
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::domain::standing::Retry;

/// A client under a quota.
#[derive(Debug)]
struct Replay {
    terms: Terms,
    state: State,
}

/// How many of the requests at `times` a quota of `units` denies.
pub(super) fn denied(counting: Counting, units: u64, times: &Times) -> u64 {
    let mut replay = Replay::new(counting, units);
    let mut denied = 0;
    let mut closed_until = 0;
    for mut part in times.parts() {
        loop {
            // A client that is denied stays so until the time that it is told.
            denied += part.skip_before(closed_until);
            let Some(now) = part.first() else { break };
            match replay.admit(now) {
                Ok(_) => part.skip_one(),
                Err(opens_at) => closed_until = opens_at,
            }
        }
    }
    denied
}

/// Whether a quota of `units` denies any of the requests at `times`.
pub(super) fn denies_any(counting: Counting, units: u64, times: &Times) -> bool {
    let mut replay = Replay::new(counting, units);
    times.iter().any(|now| replay.admit(now).is_err())
}

/// The most units that are used at any time of the requests at `times`; `None` if that is more than the largest
/// quota. It is not for a token bucket, which refills by its units.
pub(super) fn most_used(counting: Counting, times: &Times) -> Option<u64> {
    let largest = counting.largest();
    let mut replay = Replay::new(counting, largest);
    let mut most = 0;
    for now in times.iter() {
        let remaining = replay.admit(now).ok()?;
        most = most.max(largest - remaining);
    }
    Some(most)
}

impl Replay {
    fn new(counting: Counting, units: u64) -> Self {
        Self { terms: counting.terms(units), state: counting.untouched() }
    }

    /// Charges a request, and returns the units that remain.
    ///
    /// # Errors
    /// With the time at which one is admitted again, if this one is denied.
    fn admit(&mut self, now: Millis) -> Result<u64, Millis> {
        match self.state.standing(&self.terms, now, Cost::ONE).retry {
            Retry::Now => Ok(self.state.charge(&self.terms, now, 1, Cost::ONE).remaining),
            Retry::After(wait) => Err(now + wait.max(1)),
            Retry::WhenFreed | Retry::Never => Err(Millis::MAX),
        }
    }
}
