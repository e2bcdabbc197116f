//! What is asked about several parts, as one question to the store.

use std::ops::Range;

use crate::domain::quota::{Cost, MAX_EXACT, Quota};
use crate::store::{Acquire, Charge, Keyspace, PenaltyKey, Trial};

/// The same question with `quota` in place of all quotas that each policy has, as far as its algorithm can count it.
pub(super) fn under_one_quota(mut asked: Acquire, quota: Quota, keyspace: &Keyspace) -> Acquire {
    let (mut kept, mut charges): (Vec<usize>, Vec<Charge>) = (Vec::new(), Vec::new());
    for (index, charge) in asked.charges.iter().enumerate() {
        let is_further = charges.last().is_some_and(|it| it.policy.name() == charge.policy.name());
        match charge.policy.with_own_quota(quota) {
            Ok(_) if is_further => continue,
            Ok(policy) => {
                let key = keyspace.key_of_tag(charge.key.hash_tag(), &policy);
                charges.push(Charge { key, policy: policy.into(), ..charge.clone() });
            }
            Err(_) => charges.push(charge.clone()),
        }
        kept.push(index);
    }
    let place = |range: &Range<usize>| kept.iter().position(|index| range.contains(index));
    let mut trials = std::mem::take(&mut asked.trials);
    for trial in &mut trials {
        let replaced = trial.replaces.as_ref().and_then(place);
        trial.replaces = replaced.map(|index| index..index + 1);
    }
    Acquire { charges, trials, ..asked.part(&kept, asked.count) }
}

/// Adds what is asked about one part to the `whole`. Charges to one key become one, since a store counts each key of a
/// request once.
pub(super) fn join(whole: &mut Acquire, part: Acquire) {
    let Acquire { charges, trials, penalties, .. } = part;
    let place = |whole: &mut Acquire, charge: Charge| match whole
        .charges
        .iter()
        .position(|it| it.key == charge.key)
    {
        Some(known) => {
            let it = &mut whole.charges[known];
            *it = it.clone().with_cost(sum(it.cost, charge.cost));
            known
        }
        None => {
            whole.charges.push(charge);
            whole.charges.len() - 1
        }
    };
    let places: Vec<usize> = charges.into_iter().map(|charge| place(whole, charge)).collect();
    // The charges of a policy that is new in the whole stand side by side there as well.
    let places_of = |charges: &Range<usize>| {
        let places = places.get(charges.clone())?;
        Some(*places.first()?..*places.last()? + 1)
    };
    for trial in trials {
        match whole.trials.iter_mut().find(|it| it.charge.key == trial.charge.key) {
            Some(known) => {
                let costs = trial.charges().map(|charge| charge.cost);
                for (known, cost) in known.charges_mut().zip(costs) {
                    *known = known.clone().with_cost(sum(known.cost, cost));
                }
            }
            None => {
                let replaces = trial.replaces.as_ref().and_then(places_of);
                whole.trials.push(Trial { replaces, ..trial });
            }
        }
    }
    for PenaltyKey { charges, penalty, key, .. } in penalties {
        let is_known = whole.penalties.iter().any(|it| it.key == key);
        if let Some(charges) = places_of(&charges).filter(|_| !is_known) {
            whole.penalties.push(PenaltyKey::new(charges, penalty, key));
        }
    }
}

/// The sum of two costs; the largest cost where no number holds it, which no quota admits.
fn sum(one: Cost, other: Cost) -> Cost {
    Cost::new((one.units() + other.units()).min(MAX_EXACT)).unwrap_or(one)
}
