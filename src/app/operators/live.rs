//! What the operators' page follows while it is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;

use crate::app::observation::{Counts, History, LastHour};
use crate::domain::clock::{Clock, Millis};
use crate::store::{MonotonicClock, SystemClock};

/// For how long an overview is given again, in milliseconds.
const RECENT: Millis = 500;

/// The most pages that follow at a time.
const MOST_STREAMS: usize = 32;

/// What the operators' page follows while it is open.
#[derive(Debug)]
pub(super) struct Live {
    history: History,
    clock: MonotonicClock,
    /// The overview that was made last, and when.
    last: Mutex<Option<(Millis, Arc<str>)>>,
    streams: Arc<AtomicUsize>,
}

/// One page that follows, until it is dropped.
#[derive(Debug)]
pub(super) struct Follower(Arc<AtomicUsize>);

impl Live {
    pub(super) fn new(counts: Arc<Counts>) -> Self {
        Self {
            history: History::new(counts, Arc::new(SystemClock)),
            clock: MonotonicClock::start(),
            last: Mutex::new(None),
            streams: Arc::default(),
        }
    }

    /// Notes what was counted since it was last called.
    pub(super) fn look(&self) {
        self.history.look();
    }

    /// When what is counted began to be noted, in milliseconds since the Unix epoch.
    pub(super) fn since(&self) -> Millis {
        self.history.since()
    }

    pub(super) fn last_hour(&self) -> LastHour {
        self.history.last_hour()
    }

    /// What `make` made a moment ago, or makes now.
    pub(super) async fn recent<F: Future<Output = String>>(
        &self,
        make: impl FnOnce() -> F,
    ) -> Arc<str> {
        let mut last = self.last.lock().await;
        if let Some((at, text)) = &*last
            && self.clock.now() < at + RECENT
        {
            return text.clone();
        }
        let text: Arc<str> = make().await.into();
        *last = Some((self.clock.now(), text.clone()));
        text
    }

    /// Another page that follows; `None` if there are too many.
    pub(super) fn follow(&self) -> Option<Follower> {
        let follower = Follower(self.streams.clone());
        let before = self.streams.fetch_add(1, Ordering::Relaxed);
        (before < MOST_STREAMS).then_some(follower)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
