//! What is stored for one key.

use crate::domain::algorithm::{State, Terms};
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::domain::slot::SlotId;
use crate::domain::standing::Standing;
use crate::domain::window::Window;

/// The most rooms of a table: see [`Due`].
pub(super) const MAX_ROOMS: usize = 1 << ROOM_BITS;
const ROOM_BITS: u32 = 11;
const LATEST: Millis = Millis::MAX >> ROOM_BITS;

/// The state of one key.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) state: State,
    due: Due,
}

/// When an entry's quota is whole again, in 53 bits like all times, and the index of its room in the table.
/// Both are in one word, since there are millions of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due(u64);

impl Entry {
    /// An entry in `room`, whose quota is whole again at `whole_at`.
    pub(super) fn new(state: State, whole_at: Millis, room: usize) -> Self {
        Self { state, due: Due::new(whole_at, room) }
    }

    /// From this time on, the entry means no more than its absence would.
    pub(super) fn whole_at(&self) -> Millis {
        self.due.whole_at()
    }

    pub(super) fn room(&self) -> usize {
        self.due.room()
    }

    pub(super) fn charge(
        &mut self,
        terms: &Terms,
        now: Millis,
        units: u64,
        cost: Cost,
        first: SlotId,
    ) -> Standing {
        let standing = self.state.hold(terms, now, units, cost, first);
        self.due = Due::new(self.state.whole_at(now, &standing), self.room());
        standing
    }

    /// Lets a slot last for another window. Returns whether it is held still.
    pub(super) fn renew(&mut self, terms: &Terms, now: Millis, id: SlotId) -> bool {
        let is_held = self.state.renew(terms, now, id);
        let latest = self.whole_at().max(now + terms.window.longest());
        self.due = Due::new(if is_held { latest } else { self.whole_at() }, self.room());
        is_held
    }

    /// Keeps an entry of a wrong clock for as long as if it had been written now, since it is read that
    /// way. Otherwise it would stay until the time of that clock has come.
    pub(super) fn settle(&mut self, window: Window, now: Millis) {
        let kept_for = self.state.astray(window, now).and_then(|stamp| {
            // It is before the stamp if this was done already.
            let kept_for = self.whole_at().checked_sub(stamp)?;
            // The present window of a calendar may be longer than that of the stamp.
            Some(if window.calendar().is_some() { window.longest() } else { kept_for })
        });
        if let Some(kept_for) = kept_for {
            self.due = Due::new(now + kept_for, self.room());
        }
    }
}

impl Due {
    fn new(whole_at: Millis, room: usize) -> Self {
        Self(whole_at.min(LATEST) << ROOM_BITS | (room % MAX_ROOMS) as u64)
    }

    fn whole_at(self) -> Millis {
        self.0 >> ROOM_BITS
    }

    fn room(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX) % MAX_ROOMS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quota::MAX_EXACT;
    use crate::store::Fingerprint;

    #[test]
    fn an_entry_is_small() {
        assert!(
            size_of::<(Fingerprint, Entry)>() <= 56,
            "{} bytes",
            size_of::<(Fingerprint, Entry)>()
        );
    }

    #[test]
    fn a_word_holds_every_time_and_every_room() {
        for whole_at in [0, 1, 1_700_000_000_000, MAX_EXACT] {
            for room in [0, 1, MAX_ROOMS - 1] {
                let due = Due::new(whole_at, room);
                assert_eq!((due.whole_at(), due.room()), (whole_at, room));
            }
        }
        assert_eq!(Due::new(u64::MAX, 7).whole_at(), MAX_EXACT, "the latest time that fits");
    }
}
