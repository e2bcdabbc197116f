//! Slots of requests under way: given back, and renewed.

use super::crowding::{Counted, Level, overflow_counts};
use super::entry::Entry;
use super::shards::MemoryStore;
use crate::domain::clock::Millis;
use crate::store::Slot;

impl MemoryStore {
    pub(super) fn release_now(&self, slot: &Slot) -> bool {
        self.find_slot(slot, |entry, now| entry.state.release(now, slot.id))
    }

    pub(super) fn renew_now(&self, slot: &Slot) -> bool {
        let terms = slot.charge.policy.terms();
        self.find_slot(slot, |entry, now| entry.renew(&terms, now, slot.id))
    }

    /// Asks the entries that may count `slot`, from its own one to its overflow count, until `ask` finds it there. Returns
    /// whether it did.
    fn find_slot(&self, slot: &Slot, ask: impl Fn(&mut Entry, Millis) -> bool) -> bool {
        let overflow_counts = overflow_counts(self.max_keys);
        let mut counted = Counted::own(&slot.charge.key);
        loop {
            let mut shard = self.lock(self.shard_of(counted));
            let now = self.clock.now();
            if let Some(entry) = shard.entries.get_mut(&counted.fingerprint) {
                let is_found = ask(entry, now);
                if entry.state.is_untouched() {
                    shard.entries.remove(&counted.fingerprint);
                }
                if is_found {
                    return true;
                }
            }
            if counted.level == Level::Overflow {
                return false;
            }
            counted = counted.coarser(&slot.charge, overflow_counts);
        }
    }
}
