//! One request in the memory store: it reads, decides and charges while the shards of all keys are locked.

use std::sync::MutexGuard;

use super::crowding::{Counted, Level, overflow_counts};
use super::penalized::Penalized;
use super::shard::Shard;
use super::shards::MemoryStore;
use super::trials::decide_trials;
use crate::domain::algorithm::State;
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::domain::slot::SlotId;
use crate::domain::standing::Standing;
use crate::store::{Acquire, Acquired, Charge, Few, Fingerprint, Trial, new_slots};

/// What else happens to the keys of a request while their shards are locked.
pub(super) trait UnderLock {
    /// Is called before a key is read that has an entry of its own, or may get one.
    fn before_reading(&self, _shard: &mut Shard, _key: Fingerprint, _index: usize, _now: Millis) {}

    /// Limits the `standing` of a coarser count, for the key of the charge at `index`.
    fn bound(&self, _index: usize, _now: Millis, _cost: Cost, standing: Standing) -> Standing {
        standing
    }

    /// Is called after `units` were charged to a key's own entry.
    fn after_charging(&self, _shard: &mut Shard, _key: Fingerprint, _index: usize, _units: u64) {}
}

/// Nothing else happens.
impl UnderLock for () {}

impl MemoryStore {
    /// Decides and charges at once.
    #[must_use = "a request that was not admitted should not pass"]
    pub fn acquire_now(&self, acquire: &Acquire) -> Acquired {
        self.acquire_with(acquire, &())
    }

    pub(super) fn acquire_with(&self, acquire: &Acquire, hooks: &impl UnderLock) -> Acquired {
        if let ([charge], [], []) =
            (&acquire.charges[..], &acquire.trials[..], &acquire.penalties[..])
        {
            // Most requests have one charge. They need no order of locks.
            let counted = Counted::own(&charge.key);
            let shard = self.lock(self.shard_of_key(counted.fingerprint));
            return self.acquire_in([shard], &[counted], &[], acquire, hooks);
        }
        let own = |charge: &Charge| Counted::own(&charge.key);
        let tried = acquire.trials.iter().flat_map(Trial::charges);
        self.acquire_as(acquire.charges.iter().chain(tried).map(own).collect(), acquire, hooks)
    }

    /// Decides and charges to `counted`, the counts of the charges and then of the trials, in the same order.
    fn acquire_as(
        &self,
        mut counted: Few<Counted>,
        acquire: &Acquire,
        hooks: &impl UnderLock,
    ) -> Acquired {
        // Locks are taken in one order, so that two requests never wait for each other.
        let mut order: Few<usize> = counted.iter().map(|it| self.shard_of(*it)).collect();
        let of_penalties =
            acquire.penalties.iter().map(|it| self.shard_of_key(it.key.fingerprint()));
        let mut penalties: Few<usize> = of_penalties.collect();
        order.extend_from_slice(&penalties);
        order.sort_unstable();
        order.dedup();
        let shards: Few<_> = order.iter().map(|&shard| self.lock(shard)).collect();
        for counted in &mut counted {
            counted.shard = order.binary_search(&self.shard_of(*counted)).unwrap_or(0);
        }
        for shard in &mut penalties {
            *shard = order.binary_search(shard).unwrap_or(0);
        }
        self.acquire_in(shards, &counted, &penalties, acquire, hooks)
    }

    /// Decides and charges in the locked `shards`. The states of penalties are in those of the indices `penalties`.
    fn acquire_in<'a>(
        &'a self,
        mut shards: impl AsMut<[MutexGuard<'a, Shard>]>,
        counted: &[Counted],
        penalties: &[usize],
        acquire: &Acquire,
        hooks: &impl UnderLock,
    ) -> Acquired {
        let locked = shards.as_mut();
        let charges = || acquire.charges.iter().zip(counted).enumerate();
        // The clock is read under the locks. Otherwise a slower caller would come with an earlier time.
        let now = self.clock.now();
        let is_penalized = !acquire.penalties.is_empty();
        let penalized = is_penalized.then(|| Penalized::read(locked, acquire, penalties, now));
        let ban = penalized.as_ref().and_then(|penalized| penalized.ban(0));
        let mut admitted = if ban.is_some() { 0 } else { acquire.count };
        let mut standings = Vec::with_capacity(acquire.charges.len());
        let mut is_new = false;
        for (index, (charge, count)) in charges() {
            let cost = charge.cost;
            let shard = &mut *locked[count.shard];
            let is_own = count.level == Level::Own;
            if is_own {
                hooks.before_reading(shard, count.fingerprint, index, now);
            }
            let mut standing = match shard.entries.get(&count.fingerprint) {
                Some(entry) => entry.state.standing(&charge.policy.terms(), now, cost),
                None => {
                    is_new = true;
                    let Some(standing) = shard.begins(&counted[..=index], charge, now) else {
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
            // Most requests fit, and this shows it without a division.
            if remaining < u64::from(admitted).saturating_mul(cost.units()) {
                let fit = remaining / cost.units();
                admitted = u32::try_from(fit).unwrap_or(u32::MAX).min(admitted);
            }
            standings.push(standing);
        }
        let first = slots_for(acquire);
        if acquire.count > 0 {
            for ((index, (charge, count)), standing) in charges().zip(&mut standings) {
                // At most what remains of the quota.
                let units = u64::from(admitted).saturating_mul(charge.cost.units());
                let shard = &mut *locked[count.shard];
                let fingerprint = count.fingerprint;
                *standing = shard.charge(fingerprint, charge, now, units, *standing, first);
                match count.level {
                    Level::Own => hooks.after_charging(shard, fingerprint, index, units),
                    level => shard.entries.note(&charge.policy, level, acquire.count),
                }
            }
        }
        let mut acquired = Acquired::new(admitted, standings).decided_at(now);
        acquired.ban = ban;
        if first != SlotId::default() {
            acquired = acquired.with_slots(first);
        }
        if let Some(penalized) = penalized.filter(|_| ban.is_none()) {
            acquired.ban = penalized.count(locked, &acquired);
        }
        if !acquire.trials.is_empty() {
            let counted = &counted[acquire.charges.len()..];
            acquired.trials = decide_trials(locked, counted, acquire, &acquired, now, first);
        }
        drop(shards);
        if is_new {
            self.watches.log_news();
        }
        acquired
    }

    /// Decides and charges if there is no place for the new key of the charge at `index`: it is counted
    /// more coarsely than `counted`. There is always a place for an overflow count.
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
    /// Where the new key of the last of `counted` stands. It is `None` if there is no place for it, once
    /// those before it have theirs.
    #[cold]
    pub(super) fn begins(
        &mut self,
        counted: &[Counted],
        charge: &Charge,
        now: Millis,
    ) -> Option<Standing> {
        let (count, before) = counted.split_last()?;
        let before = before.iter().filter(|it| it.shard == count.shard).map(|it| it.fingerprint);
        let has_place = self.entries.has_place(*count, charge, before, now);
        has_place.then(|| untouched(charge, now, charge.cost))
    }
}

/// The first of the slots that `acquire` may take.
fn slots_for(acquire: &Acquire) -> SlotId {
    let takes_slots = acquire.count > 0 && acquire.is_in_flight();
    if takes_slots { new_slots(acquire.count.into()) } else { SlotId::default() }
}

/// What each of a request's keys may use, if several of them are counted together under `fingerprint`.
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
