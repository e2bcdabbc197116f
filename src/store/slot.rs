//! What stores need for policies that limit the requests under way.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::asked::Charge;
use crate::domain::slot::SlotId;

/// A slot that a request holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Slot {
    /// The charge by which it was taken.
    pub charge: Charge,
    /// Its name.
    pub id: SlotId,
}

impl Slot {
    /// The slot called `id`, which was taken by `charge`.
    #[must_use]
    pub fn new(charge: Charge, id: SlotId) -> Self {
        Self { charge, id }
    }
}

/// New names for `count` slots: the first of them. No other process has the same, and none is given twice here.
pub(crate) fn new_slots(count: u64) -> SlotId {
    static HOLDER: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    SlotId::new(*HOLDER, NUMBER.fetch_add(count, Ordering::Relaxed))
}
