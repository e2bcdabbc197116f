//! Replays requests under one configuration: a [`Replay`].

use std::sync::Arc;

use super::names::Names;
use super::request::Replayed;
use super::tally::{Recorder, Tally};
use super::view::View;
use crate::app::access_log::LoggedRequest;
use crate::app::assemble::{Stores, limiter_alone};
use crate::app::config::Config;
use crate::app::error::AppError;
use crate::domain::clock::ManualClock;
use crate::limiter::{Admission, Limiter, Refused};
use crate::store::MemoryStore;

/// More keys than a log has clients. The store takes memory for the keys that it holds alone.
const MAX_KEYS: usize = 100_000_000;

/// Replays requests under one configuration, by the very code that serves.
#[derive(Debug)]
pub(super) struct Replay {
    limiter: Limiter,
    clock: Arc<ManualClock>,
    recorder: Arc<Recorder>,
    view: View,
}

impl Replay {
    /// # Errors
    /// When policies and routes do not fit together.
    pub(super) fn new(config: &Config, names: &Names) -> Result<Self, AppError> {
        let clock = Arc::new(ManualClock::default());
        let recorder = Recorder::new(clock.clone(), names.clone(), &config.policies);
        let recorder = Arc::new(recorder);
        let memory = Arc::new(MemoryStore::with_clock(MAX_KEYS, clock.clone()));
        let limiter = limiter_alone(config, &Stores::in_memory(memory), recorder.clone())?;
        Ok(Self { limiter, clock, recorder, view: View::of(config) })
    }

    /// The request as this configuration sees it.
    pub(super) fn see<'a>(&self, request: &'a LoggedRequest) -> Replayed<'a> {
        self.view.see(request)
    }

    /// Decides about a request at the time of the log. Returns whether policies deny it, or a penalty bans its client.
    pub(super) fn admit(&self, request: &LoggedRequest, seen: &Replayed<'_>) -> bool {
        self.clock.set(request.began_at());
        // A store in memory decides at once.
        let admission = self.limiter.admit(seen).now();
        match admission {
            Ok(Admission::Refused(Refused::Denied(_) | Refused::Banned(_))) => true,
            Ok(Admission::Passes(Some(decision))) => {
                if let Some((settler, status)) = self.limiter.settler().zip(request.status()) {
                    // What was charged at this time is given back at the same time, at once.
                    let _ = settler.settle(decision, status, true);
                }
                false
            }
            _ => false,
        }
    }

    /// What was counted so far, which is then forgotten.
    pub(super) fn take(&self) -> Tally {
        self.recorder.take()
    }
}
