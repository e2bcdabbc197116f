use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::clock::{Clock, Millis};

/// The store's time, as this process carries it on from the last time that it read it. Only its own clock,
/// which must not step back, moves it.
#[derive(Debug)]
pub(in crate::limiter) struct StoreTime {
    clock: Arc<dyn Clock>,
    /// What is added to the own clock, wrapping around.
    offset: AtomicU64,
}

impl StoreTime {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, offset: AtomicU64::new(0) }
    }

    /// Learns that the store's time is `now`.
    pub(super) fn set(&self, now: Millis) {
        self.offset.store(now.wrapping_sub(self.clock.now()), Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now().wrapping_add(self.offset.load(Ordering::Relaxed))
    }
}
