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

/// A clock that never steps back, and costs little to read. It may be some milliseconds late.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoarseClock(coarsetime::Instant);

#[cfg(feature = "server")]
impl CoarseClock {
    /// A clock whose time begins now.
    pub(crate) fn start() -> Self {
        Self(coarsetime::Instant::now_without_cache_update())
    }
}

#[cfg(feature = "server")]
impl Clock for CoarseClock {
    fn now(&self) -> Millis {
        let now = coarsetime::Instant::now_without_cache_update();
        now.duration_since(self.0).as_millis()
    }
}
