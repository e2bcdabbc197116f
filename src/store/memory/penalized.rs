//! The penalties of one request: its clients' denials are counted, and bans begin, while its shards are locked.

use std::sync::MutexGuard;

use super::shard::Shard;
use super::shards::MemoryStore;
use crate::domain::clock::Millis;
use crate::domain::penalty::PenaltyState;
use crate::store::{Acquire, Acquired, Ban, Few, PenaltyKey};

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
            asked.penalties.get(*index).is_some_and(|it| it.denies(&acquired.standings))
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
