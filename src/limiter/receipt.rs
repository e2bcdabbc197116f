//! The receipts of decisions.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::observer::DecidedBy;
use crate::domain::receipt::{CountedIn, Receipt, ReceiptCharge};
use crate::store::{Acquire, Acquired, Charge};

/// As random as the secrets of hash tables.
static SECRETS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);

/// The number of this process, which tells its receipts from those of another.
static PROCESS: LazyLock<u64> = LazyLock::new(|| SECRETS[0].hash_one("process"));

/// The receipt of what was charged to `asked` by the store or in its place; `None` if nothing was, or if nobody can
/// say when that was.
pub(super) fn of(asked: &Acquire, acquired: &Acquired, by: DecidedBy) -> Option<Receipt> {
    let counted_in = match by {
        DecidedBy::Store | DecidedBy::Lease => CountedIn::Store,
        DecidedBy::Fallback => CountedIn::Process(*PROCESS),
        DecidedBy::Limiter | DecidedBy::DenyCache => return None,
    };
    if acquired.admitted == 0 {
        return None;
    }
    let charge = |index, charge: &Charge, at, is_trial| ReceiptCharge {
        policy: charge.policy.clone(),
        is_trial,
        tag: charge.key.hash_tag().into(),
        cost: charge.cost,
        at,
        slot: acquired.slot(index).filter(|_| charge.is_in_flight()),
    };
    let mut charges = Vec::with_capacity(asked.charges.len());
    for (index, it) in asked.charges.iter().enumerate() {
        charges.push(charge(index, it, acquired.charged_at(index)?, false));
    }
    let mut index = asked.charges.len();
    for (trial, answer) in asked.trials.iter().zip(&acquired.trials) {
        let at = answer.decided_at.or(acquired.charged_at(0)).filter(|_| answer.admitted > 0);
        for it in trial.charges() {
            charges.extend(at.map(|at| charge(index, it, at, true)));
            index += 1;
        }
    }
    (!charges.is_empty()).then(|| Receipt::new(unique_id(), counted_in, charges))
}

/// Whether the charges of `receipt` were counted in the store or by this process, and not by another one.
pub(super) fn is_within_reach(receipt: &Receipt) -> bool {
    match receipt.counted_in() {
        CountedIn::Store => true,
        CountedIn::Process(number) => number == *PROCESS,
    }
}

/// A number that no other process and no other decision has.
fn unique_id() -> u128 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let [high, low] = SECRETS.each_ref().map(|secret| u128::from(secret.hash_one(number)));
    high << 64 | low
}
