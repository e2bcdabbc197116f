//! State in this process: sharded, and with a limit on the number of keys.

use std::sync::Arc;

pub(crate) use self::fallback::{FallbackRequest, LastKnown};
use self::refund_marks::{Noted, counts_for};
pub use self::shards::MemoryStore;
pub use self::status::{MemoryStatus, NewKeys, PolicyKeys};
use super::answer::Answer;
use super::answered::{Acquired, Refunded};
use super::asked::{Acquire, Refund};
use super::contract::Store;
use super::error::StoreError;
use super::keyspace::Key;
use super::overrides::{OverrideStore, OverrideText, ReplaceOverrides};
use super::slot::Slot;
use crate::domain::policy::Policy;

mod acquire;
mod crowding;
mod debts;
mod entry;
mod fallback;
mod overrides;
mod penalized;
mod penalties;
mod refund_marks;
mod room;
mod shard;
mod shards;
mod slots;
mod status;
mod table;
mod trials;
mod watch;

/// Places are reserved for at most this many policies.
const MOST_PREPARED: usize = 1_024;

impl Store for MemoryStore {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        Answer::ready(Ok(self.acquire_now(acquire)))
    }

    fn prepare(&self, policies: &[Arc<Policy>]) {
        // With more policies there is hardly a place for each. Each gets its places when it is used.
        if policies.len() > MOST_PREPARED {
            return;
        }
        for shard in 0..self.key_shards {
            let mut shard = self.lock(shard);
            policies.iter().for_each(|policy| shard.entries.prepare(policy));
        }
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        for key in keys {
            let fingerprint = key.fingerprint();
            let mut shard = self.lock(self.shard_of_key(fingerprint));
            shard.entries.remove(&fingerprint);
            shard.debts.take(&fingerprint);
            shard.penalties.remove(&fingerprint);
        }
        Answer::ready(Ok(()))
    }

    fn release(&self, slots: Vec<Slot>) -> Answer<Vec<bool>> {
        Answer::ready(Ok(slots.iter().map(|slot| self.release_now(slot)).collect()))
    }

    fn renew(&self, slots: Vec<Slot>) -> Answer<Vec<bool>> {
        Answer::ready(Ok(slots.iter().map(|slot| self.renew_now(slot)).collect()))
    }

    fn refund(&self, refunds: Vec<Refund>) -> Answer<Vec<Refunded>> {
        Answer::ready(Ok(refunds.iter().map(|refund| self.refund_now(refund)).collect()))
    }
}

impl MemoryStore {
    fn refund_now(&self, refund: &Refund) -> Refunded {
        let Refund { charge, charged_at, once } = refund;
        let fingerprint = charge.key.fingerprint();
        let mut shard = self.lock(self.shard_of_key(fingerprint));
        // The clock is read under the lock, as for a charge.
        let now = self.clock.now();
        if let Some(mark) = once {
            let until = now.saturating_add(counts_for(charge));
            // Without room for the mark, nothing is given back: it might be given back twice.
            match shard.refunds.note(mark.fingerprint(), now, until) {
                Noted::Now => {}
                Noted::Before => return Refunded::Before,
                Noted::NoRoom => return Refunded::Given(0),
            }
        }
        Refunded::Given(shard.refund(fingerprint, charge, now, *charged_at))
    }
}

impl OverrideStore for MemoryStore {
    fn read_overrides(&self, known: Option<u64>) -> Result<OverrideText, StoreError> {
        Ok(self.overrides.read(self.clock.now(), known))
    }

    fn replace_overrides(&self, replace: &ReplaceOverrides<'_>) -> Result<Option<u64>, StoreError> {
        Ok(self.overrides.replace(self.clock.now(), replace))
    }

    fn override_changes(&self, most: usize) -> Result<Vec<String>, StoreError> {
        Ok(self.overrides.changes(self.clock.now(), most))
    }
}

#[cfg(test)]
mod tests;
