//! What is known of clients that are denied again and again.
//!
//! They have room of their own beside the keys of the policies, for as many clients as a shard has keys. While that
//! is full, the denials of further clients are not counted.

use std::collections::HashMap;

use crate::domain::clock::Millis;
use crate::domain::penalty::{Penalty, PenaltyState};
use crate::domain::quota::MAX_WINDOW;
use crate::store::{BuildFingerprintHasher, Fingerprint};

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

    pub(super) fn read(&self, key: &Fingerprint, penalty: &Penalty, now: Millis) -> PenaltyState {
        self.by_key.get(key).map_or_else(PenaltyState::default, |it| it.state.read(penalty, now))
    }

    /// Forgets what a wrong clock wrote.
    pub(super) fn put_right(&mut self, key: &Fingerprint, penalty: &Penalty, now: Millis) {
        if let Some(kept) = self.by_key.get_mut(key)
            && kept.state.is_astray(penalty, now)
        {
            kept.state = kept.state.read(penalty, now);
            kept.until = kept.state.kept_until(penalty);
        }
    }

    /// Keeps a state. Returns whether there is room for it.
    pub(super) fn keep(
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
