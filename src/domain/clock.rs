//! Time as an argument: whole milliseconds, read from a [`Clock`] that tests can set.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Whole milliseconds: an instant since the Unix epoch, or a length of time.
pub type Millis = u64;

/// `length` in whole milliseconds, rounded down; [`Millis::MAX`] if it does not fit.
pub(crate) fn millis(length: Duration) -> Millis {
    // As `Duration::as_millis` counts, but without arithmetic of 128 bits: every request reads a clock.
    length.as_secs().saturating_mul(1_000).saturating_add(length.subsec_millis().into())
}

/// Tells a store that keeps its own time what time it is.
///
/// A clock may step back: the algorithms allow for that.
pub trait Clock: Debug + Send + Sync {
    /// The current time, in milliseconds since the Unix epoch.
    fn now(&self) -> Millis;
}

/// A clock that stands still until it is set, for tests.
///
/// ```
/// use tollgate::{Clock, ManualClock};
///
/// let clock = ManualClock::new(60_000);
/// clock.advance(500);
/// assert_eq!(clock.now(), 60_500);
/// clock.set(59_000);
/// assert_eq!(clock.now(), 59_000);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Millis) -> Self {
        Self(AtomicU64::new(now))
    }

    /// Moves the clock to `now`, forward or back.
    pub fn set(&self, now: Millis) {
        self.0.store(now, Ordering::SeqCst);
    }

    /// Moves the clock forward by `length` milliseconds.
    pub fn advance(&self, length: Millis) {
        self.0.fetch_add(length, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}
