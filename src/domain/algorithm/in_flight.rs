//! Counts the requests under way. Each holds a slot until it ends. A slot that its holder does not renew ends by
//! itself after one window.

use super::reading;
use super::terms::Terms;
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::domain::slot::SlotId;
use crate::domain::standing::{Retry, Standing};

/// The slots that are held, and some that have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    id: SlotId,
    ends: Millis,
}

/// How many slots are held at one instant.
pub(super) struct Reading {
    terms: Terms,
    held: u64,
}

impl State {
    /// When the latest slot was taken or renewed, if all windows are `window` long.
    pub(super) fn stamp(&self, window: Millis) -> Millis {
        self.whole_at().saturating_sub(window)
    }

    /// When no slot is held any more, if none is renewed.
    pub(super) fn whole_at(&self) -> Millis {
        self.slots.iter().map(|slot| slot.ends).max().unwrap_or(0)
    }

    pub(super) fn read(&self, terms: &Terms, now: Millis) -> Reading {
        let held = self.slots.iter().filter(|slot| slot.ends > now).count();
        Reading { terms: *terms, held: held as u64 }
    }

    /// Takes `units` slots, of which the first is called `first`.
    pub(super) fn hold(
        &mut self,
        terms: &Terms,
        now: Millis,
        units: u64,
        first: SlotId,
    ) -> Reading {
        let window = terms.length();
        self.slots.retain(|slot| slot.ends > now);
        for slot in &mut self.slots {
            // A wrong clock took it. It counts as taken now.
            if reading::is_astray(slot.ends.saturating_sub(window), window, now) {
                slot.ends = now + window;
            }
        }
        let ends = now + window;
        self.slots.extend((0..units).map(|number| Slot { id: first.after(number), ends }));
        self.read(terms, now)
    }

    /// Gives the slot back. Returns whether it was held.
    pub(super) fn release(&mut self, now: Millis, id: SlotId) -> bool {
        let Some(index) = self.slots.iter().position(|slot| slot.id == id) else { return false };
        self.slots.swap_remove(index).ends > now
    }

    /// Lets the slot last for another `window`, if it is held still. Returns whether it is.
    pub(super) fn renew(&mut self, window: Millis, now: Millis, id: SlotId) -> bool {
        let slot = self.slots.iter_mut().find(|slot| slot.id == id && slot.ends > now);
        slot.map(|slot| slot.ends = now + window).is_some()
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.slots.is_empty()
    }
}

impl reading::Reading for Reading {
    fn remaining(&self) -> u64 {
        self.terms.units.saturating_sub(self.held)
    }

    /// Nobody knows when requests end.
    fn reset_after(&self) -> Millis {
        0
    }

    fn wait_for(&self, _cost: u64) -> Millis {
        0
    }

    fn standing(&self, terms: &Terms, cost: Cost) -> Standing {
        let (remaining, cost) = (self.remaining(), cost.units());
        let retry = if cost <= remaining {
            Retry::Now
        } else if cost <= terms.burst {
            Retry::WhenFreed
        } else {
            Retry::Never
        };
        Standing { remaining, reset_after: 0, retry }
    }
}

#[cfg(test)]
mod tests;
