//! What came of settling debts.

use crate::store::redis::health::link::Link;
use crate::store::{Acquire, Acquired, StoreError};

/// The units of some settled debts.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    keys: usize,
    pub(super) charged: u64,
    /// Units that were beyond a quota, or whose answer was lost.
    pub(super) lost: u64,
}

impl Settlement {
    pub(super) fn add(&mut self, debt: &Acquire, answer: &Result<Acquired, StoreError>) {
        let units = u64::from(debt.count);
        let charged = match answer {
            Ok(acquired) => u64::from(acquired.admitted),
            Err(error) if error.kind().may_have_charged() => 0,
            // It is still owed.
            Err(_) => return,
        };
        self.keys += 1;
        self.charged += charged;
        self.lost += units.saturating_sub(charged);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.charged + self.lost == 0
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.keys += other.keys;
        self.charged += other.charged;
        self.lost += other.lost;
    }

    /// Logs it and empties it, if the log may say that now. `is_new` says that more was settled.
    pub(super) fn log(&mut self, link: &Link, is_new: bool) {
        if self.is_empty() || !link.may_log_charges(is_new) {
            return;
        }
        let Self { keys, charged, lost } = std::mem::take(self);
        log::info!(
            "Redis at {} was charged with {charged} units of {keys} keys that were admitted without \
             it; {lost} units were beyond a quota, or their answer was lost.",
            link.address(),
        );
    }
}
