//! A clock that is cheap enough to be read for each request.

use coarsetime::Instant;

use crate::domain::clock::{Clock, Millis};

/// A clock that never steps back, and costs little to read. It may be some milliseconds late. Its time begins when it
/// is made, so it only measures lengths of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoarseClock(Instant);

impl CoarseClock {
    /// A clock whose time begins now.
    pub(crate) fn start() -> Self {
        Self(Instant::now_without_cache_update())
    }
}

impl Clock for CoarseClock {
    fn now(&self) -> Millis {
        Instant::now_without_cache_update().duration_since(self.0).as_millis()
    }
}
