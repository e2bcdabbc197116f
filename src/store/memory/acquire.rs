//! One step over the keys of a request: reading, deciding and charging under their locks.

use std::sync::MutexGuard;

use super::crowding::{Counted, Level, overflow_counts};
use super::{MemoryStore, Shard};
use crate::domain::algorithm::State;
use crate::domain::clock::Millis;
use crate::domain::decision::Standing;
use crate::domain::quota::Cost;
use crate::store::{Acquire, Acquired, Charge, Few, Fingerprint};

/// What else happens under the locks of a request, to each of its keys.
pub(super) trait UnderLock {
    /// Before the key is read.
    fn before_reading(&self, _shard: &mut Shard, _name: Fingerprint, _index: usize, _now: Millis) {}

    /// Where a key stands for this request that is counted coarser, and so has no entry of its own.
    fn bound(&self, _index: usize, _now: Millis, _cost: Cost, standing: Standing) -> Standing {
        standing
    }

    /// After `units` were charged to it.
    fn after_charging(&self, _shard: &mut Shard, _name: Fingerprint, _index: usize, _units: u64) {}
}

/// Nothing.
impl UnderLock for () {}

impl MemoryStore {
    pub(super) fn acquire_with(&self, acquire: &Acquire, hooks: &impl UnderLock) -> Acquired {
        if let [charge] = &acquire.charges[..] {
            // As most requests are, and no order to be found.
            let counted = Counted::own(&charge.key);
            let shard = self.lock(self.home(counted.fingerprint));
            return self.acquire_in([shard], &[counted], acquire, hooks);
        }
        let own = |charge: &Charge| Counted::own(&charge.key);
        self.acquire_as(acquire.charges.iter().map(own).collect(), acquire, hooks)
    }

    /// Decides and charges to the counts `counted`, those of the charges in turn.
    fn acquire_as(
        &self,
        mut counted: Few<Counted>,
        acquire: &Acquire,
        hooks: &impl UnderLock,
    ) -> Acquired {
        // Always in the same order, so that two requests never wait for each other.
        let mut order: Few<usize> = counted.iter().map(|it| self.home_of(*it)).collect();
        order.sort_unstable();
        order.dedup();
        let shards: Few<_> = order.iter().map(|&shard| self.lock(shard)).collect();
        for counted in &mut counted {
            counted.shard = order.binary_search(&self.home_of(*counted)).unwrap_or(0);
        }
        self.acquire_in(shards, &counted, acquire, hooks)
    }

    /// Decides and charges in `shards`, which are locked.
    fn acquire_in<'a>(
        &'a self,
        mut shards: impl AsMut<[MutexGuard<'a, Shard>]>,
        counted: &[Counted],
        acquire: &Acquire,
        hooks: &impl UnderLock,
    ) -> Acquired {
        let locked = shards.as_mut();
        let charges = || acquire.charges.iter().zip(counted).enumerate();
        // The clock is read under the locks, or a slower caller would step it back for the others.
        let now = self.clock.now();
        let cost = acquire.cost;
        let mut admitted = acquire.count;
        let mut standings = Vec::with_capacity(acquire.charges.len());
        let mut is_new = false;
        for (index, (charge, count)) in charges() {
            let shard = &mut *locked[count.shard];
            let is_own = count.level == Level::Own;
            if is_own {
                hooks.before_reading(shard, count.fingerprint, index, now);
            }
            let mut standing = match shard.entries.get(&count.fingerprint) {
                Some(entry) => entry.state.standing(&charge.policy.terms(), now, cost),
                None => {
                    is_new = true;
                    let Some(standing) = shard.begins(&counted[..=index], charge, now, cost) else {
                        drop(shards);
                        return self.acquire_coarser(index, counted, acquire, hooks);
                    };
                    standing
                }
            };
            let mut remaining = standing.remaining;
            if !is_own {
                standing = hooks.bound(index, now, cost, standing);
                remaining = share_of(standing.remaining, count.fingerprint, counted);
            }
            // Most fit, and need no division to show it.
            if remaining < u64::from(admitted).saturating_mul(cost.units()) {
                let fit = remaining / cost.units();
                admitted = u32::try_from(fit).unwrap_or(u32::MAX).min(admitted);
            }
            standings.push(standing);
        }
        if acquire.count > 0 {
            // No more than remains of a quota, and saturated where there is none.
            let units = u64::from(admitted).saturating_mul(cost.units());
            for ((index, (charge, count)), standing) in charges().zip(&mut standings) {
                let shard = &mut *locked[count.shard];
                *standing = shard.charge(count.fingerprint, charge, now, units, cost, *standing);
                match count.level {
                    Level::Own => hooks.after_charging(shard, count.fingerprint, index, units),
                    level => shard.entries.note(&charge.policy, level, acquire.count),
                }
            }
        }
        let acquired = Acquired { admitted, standings };
        drop(shards);
        if is_new {
            self.watches.speak();
        }
        acquired
    }

    /// Decides and charges where the key of the charge at `index` is new and has no place: it is counted
    /// coarser than it was `counted`. There is always a place for an overflow count.
    #[cold]
    fn acquire_coarser(
        &self,
        index: usize,
        counted: &[Counted],
        acquire: &Acquire,
        hooks: &impl UnderLock,
    ) -> Acquired {
        let mut counted = Few::from_slice(counted);
        let overflow_counts = overflow_counts(self.max_keys);
        counted[index] = counted[index].coarser(&acquire.charges[index], overflow_counts);
        self.acquire_as(counted, acquire, hooks)
    }
}

impl Shard {
    /// Where the new key of the last of `counted` stands, after those before it; `None` where there is no
    /// place for it.
    #[cold]
    fn begins(
        &mut self,
        counted: &[Counted],
        charge: &Charge,
        now: Millis,
        cost: Cost,
    ) -> Option<Standing> {
        let (count, before) = counted.split_last()?;
        let before = before.iter().filter(|it| it.shard == count.shard).map(|it| it.fingerprint);
        let has_place = self.entries.has_place(*count, charge, before, now);
        has_place.then(|| untouched(charge, now, cost))
    }
}

/// What each of a request's keys may use of what remains of the count of `fingerprint`.
#[cold]
fn share_of(remaining: u64, fingerprint: Fingerprint, counted: &[Counted]) -> u64 {
    let keys = counted.iter().filter(|count| count.fingerprint == fingerprint).count();
    remaining / keys.max(1) as u64
}

/// Where a key stands that was never charged.
pub(super) fn untouched(charge: &Charge, now: Millis, cost: Cost) -> Standing {
    let policy = &charge.policy;
    State::untouched(policy.algorithm()).standing(&policy.terms(), now, cost)
}
