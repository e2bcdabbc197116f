//! The keys that share one lock.

use std::sync::Arc;

use super::debts::Debts;
use super::penalties::Penalties;
use super::refund_marks::RefundMarks;
use super::table::Table;
use super::watch::Watches;
use crate::domain::algorithm::State;
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::domain::slot::SlotId;
use crate::domain::standing::Standing;
use crate::store::{Charge, Fingerprint};

/// The entries of some keys, what is owed for them, and the denials of some clients.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) entries: Table,
    pub(super) debts: Debts,
    pub(super) penalties: Penalties,
    pub(super) refunds: RefundMarks,
}

impl Shard {
    /// A shard of at most `capacity` keys, of which `most_debts` may owe something.
    pub(super) fn new(capacity: usize, most_debts: usize, watches: Arc<Watches>) -> Self {
        Self {
            entries: Table::new(capacity, watches),
            debts: Debts::new(most_debts),
            penalties: Penalties::new(capacity),
            refunds: RefundMarks::new(capacity),
        }
    }

    /// Where the key of `fingerprint` stands; `None` if it has no entry.
    pub(super) fn standing(
        &self,
        fingerprint: Fingerprint,
        charge: &Charge,
        now: Millis,
        cost: Cost,
    ) -> Option<Standing> {
        let entry = self.entries.get(&fingerprint)?;
        Some(entry.state.standing(&charge.policy.terms(), now, cost))
    }

    /// Gives back what `charge` costs, as far as its key still counts what was charged at `charged_at`, or what was
    /// charged last.
    pub(super) fn refund(
        &mut self,
        fingerprint: Fingerprint,
        charge: &Charge,
        now: Millis,
        charged_at: Option<Millis>,
    ) -> u64 {
        let Some(entry) = self.entries.get_mut(&fingerprint) else { return 0 };
        let given =
            entry.state.refund(&charge.policy.terms(), now, charge.cost.units(), charged_at);
        if entry.state.is_untouched() {
            self.entries.remove(&fingerprint);
        }
        self.debts.reduce(&fingerprint, given);
        given
    }

    /// Charges `units` to a key that stood at `standing`, and returns where it stands then. A charge of 0
    /// units writes only if a wrong clock wrote the state. Slots are named `first` and on.
    #[inline]
    pub(super) fn charge(
        &mut self,
        fingerprint: Fingerprint,
        charge: &Charge,
        now: Millis,
        units: u64,
        standing: Standing,
        first: SlotId,
    ) -> Standing {
        let (terms, cost) = (charge.policy.terms(), charge.cost);
        match self.entries.get_mut(&fingerprint) {
            Some(entry) if units > 0 || entry.state.is_astray(&terms, now) => {
                entry.charge(&terms, now, units, cost, first)
            }
            None if units > 0 => {
                let mut state = State::untouched(charge.policy.algorithm());
                let standing = state.hold(&terms, now, units, cost, first);
                let whole_at = state.whole_at(now, &standing);
                self.entries.insert(fingerprint, &charge.policy, state, whole_at);
                standing
            }
            _ => standing,
        }
    }
}
