use std::sync::Arc;

use super::watch::Watch;
use crate::domain::window::Window;

/// The entries of one policy with one window, in one table.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) watch: Arc<Watch>,
    pub(super) window: Window,
    /// Whether all clients have one key.
    pub(super) has_single_key: bool,
    /// How many entries are in places of its own.
    pub(super) own: usize,
    /// How many entries are in shared places.
    pub(super) shared: usize,
}

impl Room {
    pub(super) fn new(watch: Arc<Watch>, window: Window, has_single_key: bool) -> Self {
        Self { watch, window, has_single_key, own: 0, shared: 0 }
    }

    /// How many entries it has.
    pub(super) fn len(&self) -> usize {
        self.own + self.shared
    }

    /// Counts one more entry. `shared` is the number of shared places that all rooms have taken.
    pub(super) fn take(&mut self, is_own: bool, shared: &mut usize) {
        if is_own {
            self.own += 1;
        } else {
            self.shared += 1;
            *shared += 1;
        }
    }

    /// Counts one entry less.
    pub(super) fn give_back(&mut self, shared: &mut usize) {
        if self.own > 0 {
            self.own -= 1;
        } else {
            self.shared -= 1;
            *shared -= 1;
        }
    }
}
