//! State in this process: sharded, and bounded in keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::crowding::{Counted, Level};
use self::fallback::{Debt, MAX_DEBTS};
pub(crate) use self::fallback::{FallbackRequest, LastKnown};
pub use self::status::{MemoryStatus, NewKeys, PolicyKeys};
use self::table::Table;
use self::watch::Watches;
use super::fingerprint::{BuildFingerprintHasher, Fingerprint};
use super::{Acquire, Acquired, Answer, Charge, Key, Store, SystemClock};
use crate::domain::algorithm::State;
use crate::domain::clock::{Clock, Millis};
use crate::domain::decision::Standing;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;

mod acquire;
mod crowding;
mod entry;
mod fallback;
mod status;
mod table;
mod watch;

/// Enough shards that threads seldom meet.
const ENOUGH_SHARDS: usize = 64;

/// As many keys as a hash table of 16,384 places takes before it doubles: a shard of so many is
/// nearly full when the store is, and never twice as large as it need be.
const LARGEST_SHARD: usize = 16_384 / 8 * 7;

/// A shard of a small store: any smaller, and some would be full long before the others.
const SMALLEST_SHARD: usize = 1_024;

/// Places are reserved for so many policies.
const MOST_PREPARED: usize = 1_024;

/// One shard for overflow counts for so many for keys.
const SHARDS_FOR_ONE: usize = 8;

/// Keeps state in this process.
///
/// It holds at most as many keys as it was made for. A key leaves when its quota is whole again and
/// room is wanted, and never before: so whoever sends many keys can neither reset anyone's count nor make
/// the store grow. Each policy has places of its own, so that the keys of one do not keep out those of
/// another. When a policy has few left, its new keys are counted coarser: those of IPv6 by wider networks,
/// and all of them together in the end, in a hundredth as many counts as the store may hold keys. Nobody
/// is refused for want of room. [`status`](Self::status) says how it is, and the log warns.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    /// Those for keys, and behind them those for overflow counts.
    shards: Box<[Mutex<Shard>]>,
    for_keys: usize,
    max_keys: usize,
    watches: Arc<Watches>,
}

#[derive(Debug)]
struct Shard {
    entries: Table,
    /// What is owed to the store that this one stands in for; empty where it does not.
    debts: HashMap<Fingerprint, Debt, BuildFingerprintHasher>,
    most_debts: usize,
}

impl MemoryStore {
    /// A store of at most `max_keys` keys (rounded up to a whole number a shard), by the system's clock.
    #[must_use]
    pub fn new(max_keys: usize) -> Self {
        Self::with_clock(max_keys, Arc::new(SystemClock))
    }

    /// A store of at most `max_keys` keys, by `clock`.
    #[must_use]
    pub fn with_clock(max_keys: usize, clock: Arc<dyn Clock>) -> Self {
        let for_keys = (max_keys / SMALLEST_SHARD).clamp(1, ENOUGH_SHARDS);
        let for_keys = for_keys.max(max_keys.div_ceil(LARGEST_SHARD));
        let capacity = max_keys.max(1).div_ceil(for_keys);
        let watches = Arc::new(Watches::new(max_keys));
        let shard = |capacity, debts| Mutex::new(Shard::new(capacity, debts, watches.clone()));
        let shards = (0..for_keys).map(|_| shard(capacity, MAX_DEBTS.div_ceil(for_keys)));
        let overflow = (0..for_keys.div_ceil(SHARDS_FOR_ONE)).map(|_| shard(0, 0));
        Self { clock, shards: shards.chain(overflow).collect(), for_keys, max_keys, watches }
    }

    /// How many keys it holds, overflow counts aside.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..self.for_keys).map(|shard| self.lock(shard).entries.len()).sum()
    }

    /// Whether it holds no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A shard is whole even after a panic: every change to it is one insertion or one charge.
    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard of the key of `fingerprint`.
    fn home(&self, fingerprint: Fingerprint) -> usize {
        fingerprint.shard(self.for_keys)
    }

    /// The shard of a count.
    fn home_of(&self, counted: Counted) -> usize {
        match counted.level {
            Level::Overflow => {
                self.for_keys + counted.fingerprint.shard(self.shards.len() - self.for_keys)
            }
            _ => self.home(counted.fingerprint),
        }
    }

    /// Decides and charges, here and now.
    #[must_use = "what was not admitted should not pass"]
    pub fn acquire_now(&self, acquire: &Acquire) -> Acquired {
        self.acquire_with(acquire, &())
    }
}

impl Store for MemoryStore {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        Answer::ready(Ok(self.acquire_now(acquire)))
    }

    fn prepare(&self, policies: &[Arc<Policy>]) {
        // Among so many there is hardly a place for each. They are known when they are used.
        if policies.len() > MOST_PREPARED {
            return;
        }
        for shard in 0..self.for_keys {
            let mut shard = self.lock(shard);
            policies.iter().for_each(|policy| shard.entries.prepare(policy));
        }
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        for key in keys {
            let fingerprint = key.fingerprint();
            let mut shard = self.lock(self.home(fingerprint));
            shard.entries.remove(&fingerprint);
            shard.debts.remove(&fingerprint);
        }
        Answer::ready(Ok(()))
    }
}

impl Shard {
    fn new(capacity: usize, most_debts: usize, watches: Arc<Watches>) -> Self {
        let entries = Table::new(capacity, watches);
        Self { entries, debts: HashMap::default(), most_debts }
    }

    /// Where the key of `fingerprint` stands; `None` where it has no entry.
    fn standing(
        &self,
        fingerprint: Fingerprint,
        charge: &Charge,
        now: Millis,
        cost: Cost,
    ) -> Option<Standing> {
        let entry = self.entries.get(&fingerprint)?;
        Some(entry.state.standing(&charge.policy.terms(), now, cost))
    }

    /// Charges `units`, and says where the key stands then, which stood at `standing`. Where nothing
    /// was admitted that writes only what a wrong clock wrote.
    #[inline]
    fn charge(
        &mut self,
        fingerprint: Fingerprint,
        charge: &Charge,
        now: Millis,
        units: u64,
        cost: Cost,
        standing: Standing,
    ) -> Standing {
        let terms = charge.policy.terms();
        match self.entries.get_mut(&fingerprint) {
            Some(entry) if units > 0 || entry.state.is_astray(&terms, now) => {
                entry.charge(&terms, now, units, cost)
            }
            None if units > 0 => {
                let mut state = State::untouched(charge.policy.algorithm());
                let standing = state.charge(&terms, now, units, cost);
                self.entries.insert(fingerprint, &charge.policy, state, now + standing.reset_after);
                standing
            }
            _ => standing,
        }
    }
}

#[cfg(test)]
mod tests;
