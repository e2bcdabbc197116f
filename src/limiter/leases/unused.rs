//! Units that nobody used, and their way back to the store.

use std::sync::Arc;

use super::counts::Counters;
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::store::{Answer, Charge, Refund, Refunded, Store, StoreError};

/// Units of a lease that nobody used.
#[derive(Clone, Debug)]
pub(in crate::limiter) struct Unused {
    /// The charge. Its cost does not matter.
    pub(super) charge: Charge,
    pub(super) units: u64,
    /// When they were charged, by the store's clock.
    pub(super) charged_at: Option<Millis>,
    pub(super) counters: Arc<Counters>,
}

/// Units on their way back to the store. They are sent once, whatever becomes of the call.
#[derive(Debug)]
pub(in crate::limiter) struct GivingBack {
    unused: Vec<Unused>,
    answer: Answer<Vec<Refunded>>,
}

impl Unused {
    /// Counts them as expired.
    pub(super) fn expire(&self) {
        self.counters.returned(self.units, 0);
    }

    /// It needs no mark that it was made, since it is never sent again.
    fn refund(&self) -> Option<Refund> {
        let refund = Refund::new(self.charge.clone().with_cost(Cost::new(self.units)?));
        Some(match self.charged_at {
            Some(at) => refund.charged_at(at),
            None => refund,
        })
    }
}

impl GivingBack {
    /// Begins to give `unused` back to `store`.
    pub(super) fn begin(unused: Vec<Unused>, store: &dyn Store) -> Self {
        let refunds: Vec<Refund> = unused.iter().filter_map(Unused::refund).collect();
        let answer = match refunds.is_empty() {
            true => Answer::ready(Ok(Vec::new())),
            false => store.refund(refunds),
        };
        Self { unused, answer }
    }

    /// Blocks this thread until it is done.
    pub(super) fn wait(self) {
        count(&self.unused, self.answer.wait());
    }

    /// Is there when it is done.
    pub(in crate::limiter) async fn done(self) {
        count(&self.unused, self.answer.await);
    }
}

/// Counts what became of `unused`.
fn count(unused: &[Unused], refunded: Result<Vec<Refunded>, StoreError>) {
    let refunded = refunded.unwrap_or_else(|error| {
        log::debug!("Leased units could not be given back, and expire: {error}.");
        Vec::new()
    });
    for (index, unused) in unused.iter().enumerate() {
        let given = match refunded.get(index) {
            Some(Refunded::Given(units)) => *units,
            Some(Refunded::Before) | None => 0,
        };
        unused.counters.returned(unused.units, given);
    }
}
