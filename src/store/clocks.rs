use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::clock::{Clock, Millis, millis};

/// The system's wall clock, to which windows are aligned; it may step back.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the Clock that others are to take")]
    fn now(&self) -> Millis {
        millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

/// A clock that never steps back, for lengths of time alone: it begins when it is made.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock(Instant);

impl MonotonicClock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Millis {
        millis(self.0.elapsed())
    }
}
