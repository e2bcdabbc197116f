//! The receipts of decisions.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::receipt::{Receipt, ReceiptCharge};
use crate::store::{Acquire, Acquired, Charge};

/// The receipt of what was charged to `asked`; `None` if the store does not say when that was.
pub(super) fn of(asked: &Acquire, acquired: &Acquired) -> Option<Receipt> {
    let charge = |(index, charge): (usize, &Charge)| {
        Some(ReceiptCharge {
            policy: (*charge.policy).clone(),
            tag: charge.key.hash_tag().into(),
            cost: charge.cost,
            at: acquired.charged_at(index)?,
            slot: acquired.slot(index).filter(|_| charge.is_in_flight()),
        })
    };
    let charges: Vec<_> = asked.charges.iter().enumerate().map(charge).collect::<Option<_>>()?;
    (!charges.is_empty()).then(|| Receipt::new(unique_id(), charges))
}

/// A number that no other process and no other decision has: it is as random as the secret of a hash table.
fn unique_id() -> u128 {
    static SECRETS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let [high, low] = SECRETS.each_ref().map(|secret| u128::from(secret.hash_one(number)));
    high << 64 | low
}
