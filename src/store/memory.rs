//! State in this process: sharded, and bounded in keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::stand_in::{Debt, MAX_DEBTORS};
pub(crate) use self::stand_in::{Instead, Known};
use super::name::{BuildNameHasher, Name};
use super::{
    Acquire, Acquired, Answer, Charge, Few, Key, Store, StoreError, StoreErrorKind, SystemClock,
};
use crate::algorithm::{State, Terms};
use crate::clock::{Clock, Millis};
use crate::decision::Standing;
use crate::quota::Cost;

mod stand_in;

/// Enough shards that threads seldom meet.
const ENOUGH_SHARDS: usize = 64;

/// As many keys as a hash table of 16,384 places takes before it doubles: a shard of so many is
/// nearly full when the store is, and never twice as large as it need be.
const LARGEST_SHARD: usize = 16_384 / 8 * 7;

/// A shard of a small store: any smaller, and some would be full long before the others.
const SMALLEST_SHARD: usize = 1_024;

/// Below this a shard is not worth a sweep.
const SMALLEST_SWEEP: usize = 64;

/// Keeps state in this process.
///
/// It holds at most as many keys as it was made for. A key leaves when its quota is whole again and
/// room is wanted, and never before: when a shard is full of keys that are still owed time, a new
/// key is refused with [`StoreErrorKind::Full`]. So whoever sends many keys can neither reset
/// anyone's count nor make the store grow.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Debug)]
struct Shard {
    entries: HashMap<Name, Entry, BuildNameHasher>,
    /// What is owed to the store that this one stands in for; empty where it does not.
    debts: HashMap<Name, Debt, BuildNameHasher>,
    capacity: usize,
    most_debts: usize,
    /// The number of keys at which to look for some to evict.
    sweep_at: usize,
    /// Until when a look would find none.
    sweep_from: Millis,
}

#[derive(Debug)]
struct Entry {
    state: State,
    /// When the quota is whole again: from then on the entry says no more than its absence.
    whole_at: Millis,
}

/// What else happens under the locks of a request, to each of its keys.
trait Beside {
    /// Before the key is read.
    fn before(&self, _shard: &mut Shard, _name: Name, _index: usize, _now: Millis) {}

    /// After `units` were charged to it.
    fn after(&self, _shard: &mut Shard, _name: Name, _index: usize, _units: u64) {}
}

/// Nothing.
impl Beside for () {}

impl MemoryStore {
    /// A store of at most `max_keys` keys (rounded up to a whole number a shard), by the system's clock.
    #[must_use]
    pub fn new(max_keys: usize) -> Self {
        Self::with_clock(max_keys, Arc::new(SystemClock))
    }

    /// A store of at most `max_keys` keys, by `clock`.
    #[must_use]
    pub fn with_clock(max_keys: usize, clock: Arc<dyn Clock>) -> Self {
        let shards = (max_keys / SMALLEST_SHARD).clamp(1, ENOUGH_SHARDS);
        let shards = shards.max(max_keys.div_ceil(LARGEST_SHARD));
        let capacity = max_keys.max(1).div_ceil(shards);
        let shard = || Mutex::new(Shard::new(capacity, MAX_DEBTORS.div_ceil(shards)));
        Self { clock, shards: (0..shards).map(|_| shard()).collect() }
    }

    /// How many keys it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..self.shards.len()).map(|shard| self.lock(shard).entries.len()).sum()
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

    /// The shard of the key called `name`.
    fn home(&self, name: Name) -> usize {
        name.shard(self.shards.len())
    }

    /// Decides and charges, here and now.
    ///
    /// # Errors
    /// When there is no room for a new key.
    pub fn acquire_now(&self, acquire: &Acquire) -> Result<Acquired, StoreError> {
        self.acquire_beside(acquire, &())
    }

    fn acquire_beside(
        &self,
        acquire: &Acquire,
        beside: &impl Beside,
    ) -> Result<Acquired, StoreError> {
        if let [charge] = &acquire.charges[..] {
            // As most requests are, and no order to be found.
            let name = charge.key.name();
            let shard = self.lock(self.home(name));
            return self.acquire_in(&mut [shard], &[(name, 0)], acquire, beside);
        }
        let names = acquire.charges.iter().map(|charge| charge.key.name());
        // Always in the same order, so that two requests never wait for each other.
        let mut order: Few<usize> = names.clone().map(|name| self.home(name)).collect();
        order.sort_unstable();
        order.dedup();
        let mut shards: Few<_> = order.iter().map(|&shard| self.lock(shard)).collect();
        let place = |name| order.binary_search(&self.home(name)).unwrap_or(0);
        let places: Few<_> = names.map(|name| (name, place(name))).collect();
        self.acquire_in(&mut shards, &places, acquire, beside)
    }

    /// Decides and charges in `shards`, which are locked: each key by its name and its shard's index.
    fn acquire_in(
        &self,
        shards: &mut [MutexGuard<'_, Shard>],
        places: &[(Name, usize)],
        acquire: &Acquire,
        beside: &impl Beside,
    ) -> Result<Acquired, StoreError> {
        let charges = || acquire.charges.iter().zip(places).enumerate();
        // The clock is read under the locks, or a slower caller would step it back for the others.
        let now = self.clock.now();
        let cost = acquire.cost;
        let mut standings = Vec::with_capacity(acquire.charges.len());
        let mut admitted = acquire.count;
        for (index, (charge, &(name, place))) in charges() {
            let shard = &mut *shards[place];
            beside.before(shard, name, index, now);
            let standing = shard.standing(name, charge, now, cost);
            // Most fit, and need no division to show it.
            if standing.remaining < u64::from(admitted).saturating_mul(cost.units()) {
                let fit = standing.remaining / cost.units();
                admitted = u32::try_from(fit).unwrap_or(u32::MAX).min(admitted);
            }
            standings.push(standing);
        }
        if admitted > 0 {
            for (number, shard) in shards.iter_mut().enumerate() {
                let here = places.iter().filter(|(_, place)| *place == number);
                shard.make_room(here.map(|(name, _)| *name), now)?;
            }
        }
        if acquire.count > 0 {
            let units = u64::from(admitted) * cost.units();
            for ((index, (charge, &(name, place))), standing) in charges().zip(&mut standings) {
                let shard = &mut *shards[place];
                *standing = shard.charge(name, charge, now, units, cost, *standing);
                beside.after(shard, name, index, units);
            }
        }
        Ok(Acquired { admitted, standings })
    }
}

impl Store for MemoryStore {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        Answer::ready(self.acquire_now(acquire))
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        for key in keys {
            let name = key.name();
            let mut shard = self.lock(self.home(name));
            shard.entries.remove(&name);
            shard.debts.remove(&name);
        }
        Answer::ready(Ok(()))
    }
}

impl Shard {
    fn new(capacity: usize, most_debts: usize) -> Self {
        Self {
            entries: HashMap::default(),
            debts: HashMap::default(),
            capacity,
            most_debts,
            sweep_at: capacity.min(SMALLEST_SWEEP),
            sweep_from: 0,
        }
    }

    fn standing(&self, name: Name, charge: &Charge, now: Millis, cost: Cost) -> Standing {
        let terms = charge.policy.terms();
        match self.entries.get(&name) {
            Some(entry) => entry.state.standing(&terms, now, cost),
            None => State::untouched(charge.policy.algorithm()).standing(&terms, now, cost),
        }
    }

    /// Charges `units`, and says where the key stands then, which stood at `standing`. Where nothing
    /// was admitted that writes only what a wrong clock wrote.
    fn charge(
        &mut self,
        name: Name,
        charge: &Charge,
        now: Millis,
        units: u64,
        cost: Cost,
        standing: Standing,
    ) -> Standing {
        let terms = charge.policy.terms();
        match self.entries.get_mut(&name) {
            Some(entry) if units > 0 || entry.state.is_astray(&terms, now) => {
                entry.charge(&terms, now, units, cost)
            }
            None if units > 0 => {
                let state = State::untouched(charge.policy.algorithm());
                let mut entry = Entry { state, whole_at: now };
                let standing = entry.charge(&terms, now, units, cost);
                self.entries.insert(name, entry);
                standing
            }
            _ => standing,
        }
    }

    /// Sees to it that every one of `names` has or can have an entry.
    fn make_room(
        &mut self,
        names: impl Iterator<Item = Name> + Clone,
        now: Millis,
    ) -> Result<(), StoreError> {
        let most = self.entries.len() + names.clone().count();
        if most <= self.sweep_at || self.len_with(names.clone()) <= self.sweep_at {
            return Ok(());
        }
        if now >= self.sweep_from {
            self.sweep(now);
        }
        if self.len_with(names) <= self.capacity {
            Ok(())
        } else {
            Err(StoreError::new(StoreErrorKind::Full))
        }
    }

    fn len_with(&self, names: impl Iterator<Item = Name>) -> usize {
        self.entries.len() + names.filter(|name| !self.entries.contains_key(name)).count()
    }

    /// Evicts every key whose quota is whole. The next look comes when the shard has doubled, so
    /// that sweeping costs a fixed share of inserting; or, once it is full, when there is one to find.
    fn sweep(&mut self, now: Millis) {
        self.entries.retain(|_, entry| entry.whole_at > now);
        let live = self.entries.len();
        self.sweep_at = (2 * live).max(SMALLEST_SWEEP).min(self.capacity);
        self.sweep_from = match live < self.capacity {
            true => 0,
            false => self.entries.values().map(|entry| entry.whole_at).min().unwrap_or(0),
        };
    }
}

impl Entry {
    fn charge(&mut self, terms: &Terms, now: Millis, units: u64, cost: Cost) -> Standing {
        let standing = self.state.charge(terms, now, units, cost);
        self.whole_at = now + standing.reset_after;
        standing
    }
}

#[cfg(test)]
mod tests;
