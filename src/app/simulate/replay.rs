//! Replays requests under one configuration: a [`Replay`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::Names;
use super::request::Replayed;
use super::tally::{Recorder, Tally};
use super::view::View;
use crate::app::access_log::LoggedRequest;
use crate::app::assemble::{Stores, limiter_alone};
use crate::app::config::Config;
use crate::app::error::AppError;
use crate::domain::clock::{ManualClock, Millis};
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
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
    /// Admitted requests that have not ended, by when they do, and a number.
    under_way: BTreeMap<(Millis, u64), UnderWay>,
    /// The number of the next of them.
    next: u64,
}

/// An admitted request whose response decides what it is charged, or that holds slots until it ends.
#[derive(Debug)]
struct UnderWay {
    decision: Decision,
    status: Option<u16>,
}

impl Replay {
    /// # Errors
    /// When policies and routes do not fit together.
    pub(super) fn new(config: &Config, names: &Names) -> Result<Self, AppError> {
        let clock = Arc::new(ManualClock::default());
        let recorder = Recorder::new(clock.clone(), names.clone(), &config.policies);
        let recorder = Arc::new(recorder);
        let memory = Arc::new(MemoryStore::with_clock(MAX_KEYS, clock.clone()));
        // No process dies in a replay, so nothing but the end of a request ends its slots.
        let policies = config.policies.iter().map(Policy::with_endless_slots).collect();
        let endless = Config { policies, ..config.clone() };
        let limiter = limiter_alone(&endless, &Stores::in_memory(memory), recorder.clone())?;
        let (view, under_way) = (View::of(config), BTreeMap::new());
        Ok(Self { limiter, clock, recorder, view, under_way, next: 0 })
    }

    /// The request as this configuration sees it.
    pub(super) fn see<'a>(&self, request: &'a LoggedRequest) -> Replayed<'a> {
        self.view.see(request)
    }

    /// Decides about a request at the time of the log. Returns whether policies deny it, or a penalty bans its client.
    pub(super) fn admit(&mut self, request: &LoggedRequest, seen: &Replayed<'_>) -> bool {
        self.end_until(request.began_at());
        self.clock.set(request.began_at());
        // A store in memory decides at once.
        match self.limiter.admit(seen).now() {
            Ok(Admission::Refused(Refused::Denied(_) | Refused::Banned(_))) => true,
            Ok(Admission::Passes(Some(decision))) => {
                let (status, ends) = (request.status(), request.ended_at());
                if decision.holds_slots() || decision.receipt().is_some() {
                    self.under_way.insert((ends, self.next), UnderWay { decision, status });
                    self.next += 1;
                }
                false
            }
            _ => false,
        }
    }

    /// Ends the requests that ended no later than `now`.
    fn end_until(&mut self, now: Millis) {
        while let Some(first) = self.under_way.first_entry().filter(|it| it.key().0 <= now) {
            let (ended_at, _) = *first.key();
            let UnderWay { decision, status } = first.remove();
            self.clock.set(ended_at);
            if let Some((settler, status)) = self.limiter.settler().zip(status) {
                // A store in memory takes it back at once.
                let _ = settler.settle(decision, status, true);
            }
        }
    }

    /// What was counted so far, which is then forgotten.
    pub(super) fn take(&self) -> Tally {
        self.recorder.take()
    }
}
