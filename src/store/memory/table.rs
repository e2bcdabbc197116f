//! The entries of one shard, and how its places are divided among policies.
//!
//! Half of a table's places are reserved, in equal parts, for the policies that are known; the other half
//! is shared. A new entry takes a place where fewer are taken, of its policy's own or of the shared ones, and
//! gives one of its policy's own back first. So no policy ever takes the last places of another, and one
//! policy alone has all places.

use std::collections::HashMap;
use std::sync::Arc;

use super::crowding::{Counted, FILLING, FULL, Level};
use super::entry::{Entry, MAX_ROOMS};
use super::watch::{Watch, Watches};
use crate::domain::algorithm::State;
use crate::domain::clock::Millis;
use crate::domain::policy::{KeySource, Policy};
use crate::store::{BuildFingerprintHasher, Charge, Fingerprint};

/// Below this a table is not worth a sweep.
pub(super) const SMALLEST_SWEEP: usize = 64;

/// A sweep for want of room looks at so many entries for each millisecond since the last one, at most:
/// that takes about a microsecond.
const SWEPT_A_MILLISECOND: usize = 128;

/// So many rooms are gone through faster than a hash is made.
const FEW_ROOMS: usize = 8;

/// Below this percentage a room that was filling is so no longer.
const EASED: usize = 60;

#[derive(Debug)]
pub(super) struct Table {
    entries: HashMap<Fingerprint, Entry, BuildFingerprintHasher>,
    rooms: Vec<Room>,
    /// The rooms of each policy, by their places: to look for among many.
    by_policy: HashMap<Box<str>, Vec<usize>>,
    /// How many of the rooms are for one key each.
    for_one: usize,
    /// How many of the shared places are taken.
    shared: usize,
    capacity: usize,
    watches: Arc<Watches>,
    /// The number of entries at which to look for some to evict.
    sweep_at: usize,
    swept_at: Millis,
    /// Until when not to look again for want of room.
    rests_until: Millis,
    /// No entry is whole before.
    first_whole: Millis,
}

/// The entries of one policy and one length of its window.
#[derive(Debug)]
struct Room {
    watch: Arc<Watch>,
    window: Millis,
    /// Whether all clients have one key.
    is_for_one: bool,
    /// How many entries it has, in places of its own and in shared ones.
    own: usize,
    shared: usize,
}

impl Table {
    /// A table of at most `capacity` entries and any number of overflow counts.
    pub(super) fn new(capacity: usize, watches: Arc<Watches>) -> Self {
        Self {
            entries: HashMap::default(),
            rooms: Vec::new(),
            by_policy: HashMap::new(),
            for_one: 0,
            shared: 0,
            capacity,
            watches,
            sweep_at: SMALLEST_SWEEP,
            swept_at: 0,
            rests_until: 0,
            first_whole: Millis::MAX,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, fingerprint: &Fingerprint) -> Option<&Entry> {
        self.entries.get(fingerprint)
    }

    pub(super) fn get_mut(&mut self, fingerprint: &Fingerprint) -> Option<&mut Entry> {
        self.entries.get_mut(fingerprint)
    }

    /// Puts an entry of `policy` in, for which there must be one, or [a place](Self::has_place).
    pub(super) fn insert(
        &mut self,
        fingerprint: Fingerprint,
        policy: &Policy,
        state: State,
        whole_at: Millis,
    ) {
        self.first_whole = self.first_whole.min(whole_at);
        if let Some(entry) = self.entries.get_mut(&fingerprint) {
            *entry = Entry::new(state, whole_at, entry.room());
            return;
        }
        let number = self.room_of(policy);
        let is_own = self.taken_of_own(number, 0) < self.taken_of_shared(0);
        self.rooms[number].take(is_own, &mut self.shared);
        self.entries.insert(fingerprint, Entry::new(state, whole_at, number));
    }

    pub(super) fn remove(&mut self, fingerprint: &Fingerprint) {
        let removed = self.entries.remove(fingerprint);
        if let Some(room) = removed.and_then(|entry| self.rooms.get_mut(entry.room())) {
            room.give_back(&mut self.shared);
        }
    }

    /// Reserves places for `policy`.
    pub(super) fn prepare(&mut self, policy: &Policy) {
        self.room_of(policy);
    }

    /// Notes that a request under `policy` was counted at `level`, `count` times.
    pub(super) fn note(&mut self, policy: &Policy, level: Level, count: u32) {
        let room = self.room_of(policy);
        self.rooms[room].watch.count(level, count);
    }

    /// Whether there is a place for a new entry of `charge` that is `counted` so, when those of `others`
    /// that have no entry get one first.
    pub(super) fn has_place(
        &mut self,
        counted: Counted,
        charge: &Charge,
        others: impl Iterator<Item = Fingerprint> + Clone,
        now: Millis,
    ) -> bool {
        if self.entries.len() >= self.sweep_at {
            self.sweep(now);
        }
        if counted.level == Level::Overflow {
            return true;
        }
        let room = self.room_of(&charge.policy);
        let taken = |table: &Self| {
            let others = others
                .clone()
                .filter(|fingerprint| !table.entries.contains_key(fingerprint))
                .count();
            table.taken(room, others)
        };
        if taken(self) < FILLING {
            return true;
        }
        self.sweep_for_room(now);
        let taken = taken(self);
        if taken >= FILLING {
            self.watches.notice(&self.rooms[room].watch, taken, now);
        }
        taken < counted.limit(&charge.key)
    }

    /// What percentage is taken of a room's own places or of the shared ones, whichever is less, with
    /// `more` entries: 100 where no place is left.
    fn taken(&self, room: usize, more: usize) -> usize {
        if self.entries.len() + more >= self.capacity {
            return FULL;
        }
        self.taken_of_own(room, more).min(self.taken_of_shared(more))
    }

    fn taken_of_own(&self, room: usize, more: usize) -> usize {
        let room = &self.rooms[room];
        let places = if room.is_for_one { self.reserved().1 } else { self.reserved().0 };
        percentage(room.own + more, places)
    }

    fn taken_of_shared(&self, more: usize) -> usize {
        let (for_many, for_one) = self.reserved();
        let reserved = for_many * (self.rooms.len() - self.for_one) + for_one * self.for_one;
        percentage(self.shared + more, self.capacity.saturating_sub(reserved))
    }

    /// How many places are reserved for a room, and for one of a single key.
    fn reserved(&self) -> (usize, usize) {
        let (half, rooms) = (self.capacity / 2, self.rooms.len().max(1));
        (half / (rooms - self.for_one).max(1), (half / rooms).min(1))
    }

    fn room_of(&mut self, policy: &Policy) -> usize {
        let window = policy.quota().window();
        let is_its = |room: &Room| room.window == window && room.watch.policy() == policy.name();
        let found = if self.rooms.len() <= FEW_ROOMS {
            self.rooms.iter().position(is_its)
        } else {
            let of_policy = self.by_policy.get(policy.name());
            of_policy.and_then(|rooms| rooms.iter().copied().find(|&it| is_its(&self.rooms[it])))
        };
        found.unwrap_or_else(|| self.new_room(policy, window))
    }

    #[cold]
    fn new_room(&mut self, policy: &Policy, window: Millis) -> usize {
        if let Some(last) = self.rooms.get_mut(MAX_ROOMS - 1) {
            // All further ones share it.
            last.window = last.window.max(window);
            return MAX_ROOMS - 1;
        }
        let is_for_one = *policy.key() == KeySource::Global;
        self.for_one += usize::from(is_for_one);
        let watch = self.watches.of(policy);
        let room = self.rooms.len();
        self.by_policy.entry(policy.name().into()).or_default().push(room);
        self.rooms.push(Room { watch, window, is_for_one, own: 0, shared: 0 });
        room
    }

    /// Looks for entries to evict, unless there are none, or it did so just now. Where the clock was set
    /// back, what it knows is of another time.
    fn sweep_for_room(&mut self, now: Millis) {
        let finds_some = now >= self.rests_until && now >= self.first_whole;
        if finds_some || now < self.swept_at {
            self.sweep(now);
        }
    }

    /// Evicts every entry whose quota is whole. The next look comes when the table has doubled, so that
    /// sweeping costs a fixed share of inserting; or for want of room, when there is one to find.
    fn sweep(&mut self, now: Millis) {
        let (rooms, shared) = (&mut self.rooms, &mut self.shared);
        let mut first = Millis::MAX;
        self.entries.retain(|_, entry| {
            let room = &mut rooms[entry.room()];
            entry.settle(room.window, now);
            let stays = entry.whole_at() > now;
            if stays {
                first = first.min(entry.whole_at());
            } else {
                room.give_back(shared);
            }
            stays
        });
        let live = self.entries.len();
        self.sweep_at = (2 * live).max(SMALLEST_SWEEP);
        self.swept_at = now;
        self.rests_until = now + (live / SWEPT_A_MILLISECOND) as Millis;
        self.first_whole = first;
        for (number, room) in self.rooms.iter().enumerate() {
            if self.taken(number, 0) < EASED {
                room.watch.ease();
            }
        }
    }

    /// Of each room, whose it is, how many entries it has, and what percentage of it is taken.
    pub(super) fn rooms(
        &mut self,
        now: Millis,
    ) -> impl Iterator<Item = (&Arc<Watch>, usize, usize)> {
        if (0..self.rooms.len()).any(|room| self.taken(room, 0) >= FILLING) {
            self.sweep_for_room(now);
        }
        let table = &*self;
        let rooms = table.rooms.iter().enumerate();
        rooms.map(|(number, room)| (&room.watch, room.held(), table.taken(number, 0)))
    }
}

impl Room {
    fn held(&self) -> usize {
        self.own + self.shared
    }

    /// It has one more entry, where so many `shared` places are taken in all.
    fn take(&mut self, is_own: bool, shared: &mut usize) {
        if is_own {
            self.own += 1;
        } else {
            self.shared += 1;
            *shared += 1;
        }
    }

    /// One of its entries went.
    fn give_back(&mut self, shared: &mut usize) {
        if self.own > 0 {
            self.own -= 1;
        } else {
            self.shared -= 1;
            *shared -= 1;
        }
    }
}

fn percentage(taken: usize, places: usize) -> usize {
    if taken < places { taken.saturating_mul(100) / places } else { FULL }
}

#[cfg(test)]
mod tests;
