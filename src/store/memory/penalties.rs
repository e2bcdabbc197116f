//! Clients that are denied again and again: their denials are counted while the shards of a request are locked.
//!
//! They have room of their own beside the keys of the policies, for as many clients as a shard has keys. While that
//! is full, the denials of further clients are not counted.

use std::collections::HashMap;
use std::sync::MutexGuard;

use super::shard::Shard;
use super::shards::MemoryStore;
use crate::domain::clock::Millis;
use crate::domain::penalty::{Penalty, PenaltyState};
use crate::domain::quota::MAX_WINDOW;
use crate::domain::standing::Retry;
use crate::store::{Acquire, Acquired, Ban, BuildFingerprintHasher, Few, Fingerprint, PenaltyKey};

/// Fewer states are not worth a sweep.
const SMALLEST_SWEEP: usize = 64;

/// A sweep may look at this many states per millisecond since the last one.
const SWEPT_PER_MILLISECOND: usize = 128;

/// What is known of the denials of the clients of one shard.
#[derive(Debug)]
pub(super) struct Penalties {
    by_key: HashMap<Fingerprint, Kept, BuildFingerprintHasher>,
    most: usize,
    /// The number of states at which the next sweep is due.
    sweep_at: usize,
    /// No sweep happens before this time.
    rests_until: Millis,
}

#[derive(Debug)]
struct Kept {
    state: PenaltyState,
    until: Millis,
}

impl Penalties {
    /// Room for `most` clients.
    pub(super) fn new(most: usize) -> Self {
        let by_key = HashMap::default();
        Self { by_key, most, sweep_at: SMALLEST_SWEEP, rests_until: 0 }
    }

    pub(super) fn remove(&mut self, key: &Fingerprint) {
        self.by_key.remove(key);
    }

    fn read(&self, key: &Fingerprint, penalty: &Penalty, now: Millis) -> PenaltyState {
        self.by_key.get(key).map_or_else(PenaltyState::default, |it| it.state.read(penalty, now))
    }

    /// Forgets what a wrong clock wrote.
    fn put_right(&mut self, key: &Fingerprint, penalty: &Penalty, now: Millis) {
        if let Some(kept) = self.by_key.get_mut(key)
            && kept.state.is_astray(penalty, now)
        {
            kept.state = kept.state.read(penalty, now);
            kept.until = kept.state.kept_until(penalty);
        }
    }

    /// Keeps a state. Returns whether there is room for it.
    fn keep(
        &mut self,
        key: Fingerprint,
        penalty: &Penalty,
        state: PenaltyState,
        now: Millis,
    ) -> bool {
        let until = state.kept_until(penalty);
        let is_known = self.by_key.contains_key(&key);
        if !is_known && self.by_key.len() >= self.sweep_at.min(self.most) {
            self.sweep(now);
        }
        let has_room = is_known || self.by_key.len() < self.most;
        if has_room {
            self.by_key.insert(key, Kept { state, until });
        }
        has_room
    }

    /// Forgets what means nothing any more, and what a wrong clock wrote.
    fn sweep(&mut self, now: Millis) {
        // If the clock was set back, the time of the next sweep is of no use.
        let longest_rest = (self.most / SWEPT_PER_MILLISECOND) as Millis;
        if now < self.rests_until && self.rests_until <= now + longest_rest {
            return;
        }
        self.by_key.retain(|_, kept| now < kept.until && kept.until <= now + 2 * MAX_WINDOW);
        let live = self.by_key.len();
        self.sweep_at = (2 * live).max(SMALLEST_SWEEP);
        self.rests_until = now + (live / SWEPT_PER_MILLISECOND) as Millis;
    }
}

impl MemoryStore {
    /// Learns that another store, which this one may have to decide in place of, says that a client is banned for
    /// so long.
    pub(crate) fn learn_ban(&self, penalty: &PenaltyKey, lasts: Millis) {
        let PenaltyKey { penalty, key, .. } = penalty;
        let key = key.fingerprint();
        let mut shard = self.lock(self.shard_of_key(key));
        let now = self.clock.now();
        let state = shard.penalties.read(&key, penalty, now);
        if state.banned_for(now) < lasts {
            shard.penalties.keep(key, penalty, state.banned_until(now + lasts), now);
        }
    }
}

/// The penalties of one request, as they are read before its policies.
#[derive(Debug)]
pub(super) struct Penalized<'a> {
    asked: &'a Acquire,
    /// The indices of their shards among those that are locked.
    shards: &'a [usize],
    states: Few<PenaltyState>,
    now: Millis,
}

impl<'a> Penalized<'a> {
    /// Reads them. Unless the request is a peek, what a wrong clock wrote is forgotten.
    pub(super) fn read(
        locked: &mut [MutexGuard<'_, Shard>],
        asked: &'a Acquire,
        shards: &'a [usize],
        now: Millis,
    ) -> Self {
        let read = asked.penalties.iter().zip(shards).map(|(it, shard)| {
            let (key, penalties) = (it.key.fingerprint(), &mut locked[*shard].penalties);
            if asked.count > 0 {
                penalties.put_right(&key, &it.penalty, now);
            }
            penalties.read(&key, &it.penalty, now)
        });
        Self { asked, shards, states: read.collect(), now }
    }

    /// The ban that lasts longest, if the client is banned. It began after `decided` requests.
    pub(super) fn ban(&self, decided: u32) -> Option<Ban> {
        let lasts = self.states.iter().map(|state| state.banned_for(self.now)).enumerate();
        // Of equal ones, the first.
        let (penalty, lasts) = lasts.rev().max_by_key(|(_, lasts)| *lasts)?;
        (lasts > 0).then_some(Ban { penalty, lasts, decided })
    }

    /// Counts the denials among the requests of which `acquired` was answered, as if they had come one after
    /// another, and returns the ban that begins with one of them.
    pub(super) fn count(
        mut self,
        locked: &mut [MutexGuard<'_, Shard>],
        acquired: &Acquired,
    ) -> Option<Ban> {
        let asked = self.asked;
        let denied = asked.count.saturating_sub(acquired.admitted);
        let denies = |index: &usize| {
            let charge = asked.penalties.get(*index).map(|it| it.charge);
            let standing = charge.and_then(|charge| acquired.standings.get(charge));
            standing.is_some_and(|standing| standing.retry != Retry::Now)
        };
        let denying: Few<usize> = (0..self.states.len()).filter(denies).collect();
        let until_ban =
            |index: &usize| self.states[*index].denials_until_ban(&asked.penalties[*index].penalty);
        let counted = denying.iter().map(until_ban).min()?.min(denied);
        if counted == 0 {
            return None;
        }
        for index in denying {
            let (it, state) = (&asked.penalties[index], &mut self.states[index]);
            state.count(&it.penalty, self.now, counted);
            let penalties = &mut locked[self.shards[index]].penalties;
            if !penalties.keep(it.key.fingerprint(), &it.penalty, *state, self.now) {
                *state = PenaltyState::default();
            }
        }
        self.ban(acquired.admitted + counted)
    }
}

#[cfg(test)]
mod tests;
