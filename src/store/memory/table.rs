//! The entries of one shard, and how its places are divided among policies. A place is room for one entry.
//!
//! Half of a table's places are reserved, in equal parts, for the policies that are known. The other half
//! is shared. A new entry takes one of its policy's own places or a shared one, whichever are less full.
//! An entry that leaves frees one of its policy's own places first. So no policy takes the last places of
//! another, and a policy that is alone has all places.

use std::collections::HashMap;
use std::sync::Arc;

use super::crowding::{Counted, FILLING, FULL, Level};
use super::entry::{Entry, MAX_ROOMS};
use super::room::Room;
use super::watch::{Watch, Watches};
use crate::domain::algorithm::State;
use crate::domain::clock::Millis;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::window::Window;
use crate::store::{BuildFingerprintHasher, Charge, Fingerprint};

/// A table with fewer entries is not worth a sweep.
pub(super) const SMALLEST_SWEEP: usize = 64;

/// A sweep because room is needed may look at this many entries per millisecond since the last sweep.
/// Looking at so many takes about a microsecond.
const SWEPT_PER_MILLISECOND: usize = 128;

/// Up to this many rooms, comparing all of them is faster than hashing a name.
const FEW_ROOMS: usize = 8;

/// A room that was filling counts as free again below this percentage.
const EASED: usize = 60;

#[derive(Debug)]
pub(super) struct Table {
    entries: HashMap<Fingerprint, Entry, BuildFingerprintHasher>,
    rooms: Vec<Room>,
    /// The indices of each policy's rooms, for a search among many.
    by_policy: HashMap<Box<str>, Vec<usize>>,
    /// How many of the rooms have a single key each.
    single_key_rooms: usize,
    /// How many shared places are taken.
    shared: usize,
    capacity: usize,
    watches: Arc<Watches>,
    /// The number of entries at which the next sweep is due.
    sweep_at: usize,
    swept_at: Millis,
    /// No sweep because room is needed happens before this time.
    rests_until: Millis,
    /// No entry's quota is whole before this time.
    first_whole: Millis,
}

impl Table {
    /// A table of at most `capacity` entries and any number of overflow counts.
    pub(super) fn new(capacity: usize, watches: Arc<Watches>) -> Self {
        Self {
            entries: HashMap::default(),
            rooms: Vec::new(),
            by_policy: HashMap::new(),
            single_key_rooms: 0,
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

    /// Inserts or replaces an entry of `policy`. A new one needs [a place](Self::has_place).
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

    /// Notes that `count` requests under `policy` were counted at `level`.
    pub(super) fn note(&mut self, policy: &Policy, level: Level, count: u32) {
        let room = self.room_of(policy);
        self.rooms[room].watch.count(level, count);
    }

    /// Whether there is a place for a new entry of `charge`, counted as `counted`. Those `others` that have
    /// no entry yet get one first.
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

    /// The percentage that would be taken with `more` entries: of the room's own places or of the shared
    /// ones, whichever is less. It is 100 if no place is left.
    fn taken(&self, room: usize, more: usize) -> usize {
        if self.entries.len() + more >= self.capacity {
            return FULL;
        }
        self.taken_of_own(room, more).min(self.taken_of_shared(more))
    }

    fn taken_of_own(&self, room: usize, more: usize) -> usize {
        let room = &self.rooms[room];
        let places = if room.has_single_key { self.reserved().1 } else { self.reserved().0 };
        percentage(room.own + more, places)
    }

    fn taken_of_shared(&self, more: usize) -> usize {
        let (for_many_keys, for_single_key) = self.reserved();
        let reserved = for_many_keys * (self.rooms.len() - self.single_key_rooms)
            + for_single_key * self.single_key_rooms;
        percentage(self.shared + more, self.capacity.saturating_sub(reserved))
    }

    /// How many places are reserved for a room of many keys, and for one of a single key.
    fn reserved(&self) -> (usize, usize) {
        let (half, rooms) = (self.capacity / 2, self.rooms.len().max(1));
        (half / (rooms - self.single_key_rooms).max(1), (half / rooms).min(1))
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
    fn new_room(&mut self, policy: &Policy, window: Window) -> usize {
        if let Some(last) = self.rooms.get_mut(MAX_ROOMS - 1) {
            // The last room serves all policies beyond the limit.
            if window.longest() > last.window.longest() {
                last.window = window;
            }
            return MAX_ROOMS - 1;
        }
        let has_single_key = *policy.key() == KeySource::Global;
        self.single_key_rooms += usize::from(has_single_key);
        let watch = self.watches.of(policy);
        let room = self.rooms.len();
        self.by_policy.entry(policy.name().into()).or_default().push(room);
        self.rooms.push(Room::new(watch, window, has_single_key));
        room
    }

    /// Sweeps because room is needed, unless the last sweep was just now or no entry can be evicted yet. If
    /// the clock was set back, it sweeps in any case, since the times that it knows are of no use.
    fn sweep_for_room(&mut self, now: Millis) {
        let finds_some = now >= self.rests_until && now >= self.first_whole;
        if finds_some || now < self.swept_at {
            self.sweep(now);
        }
    }

    /// Evicts every entry whose quota is whole. The next sweep is due when the table has doubled, so that
    /// sweeping costs a fixed share of inserting.
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
        self.rests_until = now + (live / SWEPT_PER_MILLISECOND) as Millis;
        self.first_whole = first;
        for (number, room) in self.rooms.iter().enumerate() {
            if self.taken(number, 0) < EASED {
                room.watch.ease();
            }
        }
    }

    /// For each room: its policy's watch, the number of its entries, and the percentage of it that is
    /// taken.
    pub(super) fn rooms(
        &mut self,
        now: Millis,
    ) -> impl Iterator<Item = (&Arc<Watch>, usize, usize)> {
        if (0..self.rooms.len()).any(|room| self.taken(room, 0) >= FILLING) {
            self.sweep_for_room(now);
        }
        let table = &*self;
        let rooms = table.rooms.iter().enumerate();
        rooms.map(|(number, room)| (&room.watch, room.len(), table.taken(number, 0)))
    }
}

fn percentage(taken: usize, places: usize) -> usize {
    if taken < places { taken.saturating_mul(100) / places } else { FULL }
}

#[cfg(test)]
mod tests;
