use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::clock::{Clock, Millis, millis};

/// The system's wall clock. It may step back.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the Clock that all other code uses")]
    fn now(&self) -> Millis {
        millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

/// A clock that never steps back. Its time begins when it is made, so it only measures lengths of time.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock(Instant);

impl MonotonicClock {
    /// A clock whose time begins now.
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
