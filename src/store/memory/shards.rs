//! A [`MemoryStore`] as its shards: how many there are, and which of them holds a key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::crowding::{Counted, Level};
use super::overrides::KeptOverrides;
use super::shard::Shard;
use super::watch::Watches;
use crate::domain::clock::Clock;
use crate::store::{Fingerprint, SystemClock};

/// Enough shards that two threads rarely want the same lock.
pub(super) const ENOUGH_SHARDS: usize = 64;

/// The most keys of a shard: as many as a hash table of 16,384 places takes before it doubles. So a shard
/// is nearly full when the store is, and its table is never twice as large as it need be.
const LARGEST_SHARD: usize = 16_384 / 8 * 7;

/// The fewest keys of a shard: if shards were smaller, some would be full long before the others.
const SMALLEST_SHARD: usize = 1_024;

/// There is one shard of overflow counts for this many shards of keys.
const SHARDS_PER_OVERFLOW_SHARD: usize = 8;

/// The most keys that may owe something. Units that are admitted beyond them are not charged back.
pub(super) const MAX_DEBTS: usize = 131_072;

/// Keeps state in this process.
///
/// It holds at most `max_keys` keys. A key leaves when its quota is whole again and its place is needed,
/// and never earlier: a client that sends many keys can neither reset anyone's count nor make the store
/// grow.
///
/// Each policy has places of its own, so the keys of one policy do not keep out those of another. When a
/// policy has few places left, its new keys are counted more coarsely: IPv6 clients by wider networks
/// first, and finally all new keys in shared overflow counts, of which there is one for a hundred keys
/// that the store may hold. No request is refused because the store is full.
/// [`status`](Self::status) tells how full it is, and the log warns.
#[derive(Debug)]
pub struct MemoryStore {
    pub(super) clock: Arc<dyn Clock>,
    /// First the shards of keys, then those of overflow counts.
    pub(super) shards: Box<[Mutex<Shard>]>,
    /// How many of the shards are for keys.
    pub(super) key_shards: usize,
    pub(super) max_keys: usize,
    pub(super) watches: Arc<Watches>,
    pub(super) overrides: KeptOverrides,
}

impl MemoryStore {
    /// A store of at most `max_keys` keys (rounded up to whole shards), by the system's clock.
    #[must_use]
    pub fn new(max_keys: usize) -> Self {
        Self::with_clock(max_keys, Arc::new(SystemClock))
    }

    /// A store of at most `max_keys` keys, by `clock`.
    #[must_use]
    pub fn with_clock(max_keys: usize, clock: Arc<dyn Clock>) -> Self {
        let key_shards = (max_keys / SMALLEST_SHARD).clamp(1, ENOUGH_SHARDS);
        let key_shards = key_shards.max(max_keys.div_ceil(LARGEST_SHARD));
        let capacity = max_keys.max(1).div_ceil(key_shards);
        let watches = Arc::new(Watches::new(max_keys));
        let shard = |capacity, debts| Mutex::new(Shard::new(capacity, debts, watches.clone()));
        let of_keys = (0..key_shards).map(|_| shard(capacity, MAX_DEBTS.div_ceil(key_shards)));
        let overflow = (0..key_shards.div_ceil(SHARDS_PER_OVERFLOW_SHARD)).map(|_| shard(0, 0));
        Self {
            clock,
            shards: of_keys.chain(overflow).collect(),
            key_shards,
            max_keys,
            watches,
            overrides: KeptOverrides::default(),
        }
    }

    /// How many keys it holds, overflow counts aside.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..self.key_shards).map(|shard| self.lock(shard).entries.len()).sum()
    }

    /// Whether it holds no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Locks a shard. Its data is whole even after a panic: every change to it is one insertion or one
    /// charge.
    pub(super) fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard of a key.
    pub(super) fn shard_of_key(&self, key: Fingerprint) -> usize {
        key.shard(self.key_shards)
    }

    /// The shard of a count.
    pub(super) fn shard_of(&self, counted: Counted) -> usize {
        match counted.level {
            Level::Overflow => {
                self.key_shards + counted.fingerprint.shard(self.shards.len() - self.key_shards)
            }
            _ => self.shard_of_key(counted.fingerprint),
        }
    }
}
