//! Policies that are tried out, decided while the shards of a request are locked.

use std::sync::MutexGuard;

use super::crowding::Counted;
use super::shard::Shard;
use crate::domain::clock::Millis;
use crate::domain::slot::SlotId;
use crate::domain::standing::{Retry, Standing};
use crate::store::{Acquire, Acquired, Charge, Few, TrialAnswer};

/// Decides and charges the trials of a request after its charges, of which `acquired` was answered. The counts of the
/// charges of the trials are `counted`, in the same order.
pub(super) fn decide_trials(
    locked: &mut [MutexGuard<'_, Shard>],
    mut counted: &[Counted],
    asked: &Acquire,
    acquired: &Acquired,
    now: Millis,
    first: SlotId,
) -> Vec<TrialAnswer> {
    let mut answers = Vec::with_capacity(asked.trials.len());
    for trial in &asked.trials {
        let most = trial.most_admitted(asked, acquired);
        let (of_trial, rest) = counted.split_at(counted.len().min(1 + trial.further.len()));
        let charges: Few<_> = trial.charges().zip(of_trial.iter().copied()).collect();
        answers.push(decide_trial(locked, &charges, most, now, first));
        counted = rest;
    }
    answers
}

/// Admits as many requests as fit under all `charges`, at most `most`, and charges all of them.
fn decide_trial(
    locked: &mut [MutexGuard<'_, Shard>],
    charges: &[(&Charge, Counted)],
    most: u32,
    now: Millis,
    first: SlotId,
) -> TrialAnswer {
    let mut admitted = most;
    let mut found: Few<Option<Standing>> = Few::new();
    for (charge, count) in charges {
        let shard = &mut *locked[count.shard];
        let known = shard.standing(count.fingerprint, charge, now, charge.cost);
        // Without a place for its key, nothing is known against a request.
        let standing = known.or_else(|| shard.begins(&[*count], charge, now));
        if let Some(standing) = &standing {
            let fit = standing.remaining / charge.cost.units();
            admitted = admitted.min(u32::try_from(fit).unwrap_or(u32::MAX));
        }
        found.push(standing);
    }
    let mut retry = Retry::Now;
    for ((charge, count), standing) in charges.iter().zip(found) {
        let Some(standing) = standing else { continue };
        let units = u64::from(admitted).saturating_mul(charge.cost.units());
        let shard = &mut *locked[count.shard];
        let after = shard.charge(count.fingerprint, charge, now, units, standing, first);
        retry = retry.later(after.retry);
    }
    TrialAnswer::new(admitted, retry)
}
