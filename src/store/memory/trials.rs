//! Policies that are tried out, decided while the shards of a request are locked.

use std::sync::MutexGuard;

use super::crowding::Counted;
use super::shard::Shard;
use crate::domain::clock::Millis;
use crate::domain::slot::SlotId;
use crate::domain::standing::Retry;
use crate::store::{Acquire, Acquired, Trial, TrialAnswer};

/// Decides and charges the trials of a request after its charges, of which `acquired` was answered. The counts of the
/// trials are `counted`, in the same order.
pub(super) fn decide_trials(
    locked: &mut [MutexGuard<'_, Shard>],
    counted: &[Counted],
    asked: &Acquire,
    acquired: &Acquired,
    now: Millis,
    first: SlotId,
) -> Vec<TrialAnswer> {
    let mut answers = Vec::with_capacity(asked.trials.len());
    for (trial, count) in asked.trials.iter().zip(counted) {
        let most = trial.most_admitted(asked, acquired);
        answers.push(locked[count.shard].decide_trial(*count, trial, most, now, first));
    }
    answers
}

impl Shard {
    fn decide_trial(
        &mut self,
        counted: Counted,
        trial: &Trial,
        most: u32,
        now: Millis,
        first: SlotId,
    ) -> TrialAnswer {
        let Trial { charge, .. } = trial;
        let cost = charge.cost;
        let known = self.standing(counted.fingerprint, charge, now, cost);
        // Without a place for its key, nothing is known against a request.
        let Some(standing) = known.or_else(|| self.begins(&[counted], charge, now)) else {
            return TrialAnswer::new(most, Retry::Now);
        };
        let fit = u32::try_from(standing.remaining / cost.units()).unwrap_or(u32::MAX);
        let admitted = fit.min(most);
        let units = u64::from(admitted).saturating_mul(cost.units());
        let after = self.charge(counted.fingerprint, charge, now, units, standing, first);
        TrialAnswer::new(admitted, after.retry)
    }
}
