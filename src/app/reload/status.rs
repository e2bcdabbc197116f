//! Which configuration is in force, and whether its files have a newer one that was refused.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::clock::{Clock, Millis};
use crate::store::{MonotonicClock, SystemClock};

/// The state of reloads, for `/ready` and for metrics.
#[derive(Debug)]
pub(crate) struct ReloadStatus {
    clock: MonotonicClock,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    generation: u64,
    /// When it came into force, by the system's clock: people read it.
    in_force_since: Millis,
    refused: Option<(Millis, Vec<String>)>,
    counts: ReloadCounts,
}

/// How often a reload ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReloadCounts {
    /// A new configuration came into force.
    pub(crate) taken: u64,
    /// Something was wrong with the new configuration.
    pub(crate) refused: u64,
}

/// A configuration that was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    /// For how long the files have had it.
    pub(crate) since: Duration,
    /// What is wrong with it.
    pub(crate) errors: Vec<String>,
}

impl ReloadStatus {
    /// The status after the start: the first generation is in force.
    pub(crate) fn new() -> Self {
        let state = State {
            generation: 1,
            in_force_since: SystemClock.now(),
            refused: None,
            counts: ReloadCounts::default(),
        };
        Self { clock: MonotonicClock::start(), state: Mutex::new(state) }
    }

    /// The number of the configuration that is in force.
    pub(crate) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// When it came into force, in milliseconds since the Unix epoch.
    pub(crate) fn in_force_since(&self) -> Millis {
        self.state().in_force_since
    }

    /// The configuration that was refused, if the files still have it.
    pub(crate) fn refused(&self) -> Option<Refused> {
        let (since, errors) = self.state().refused.clone()?;
        let since = Duration::from_millis(self.clock.now().saturating_sub(since));
        Some(Refused { since, errors })
    }

    pub(crate) fn counts(&self) -> ReloadCounts {
        self.state().counts
    }

    /// Notes that `generation` came into force.
    pub(super) fn taken(&self, generation: u64) {
        let mut state = self.state();
        state.generation = generation;
        state.in_force_since = SystemClock.now();
        state.refused = None;
        state.counts.taken += 1;
    }

    /// Notes that a configuration was refused because of `errors`.
    pub(super) fn refuse(&self, errors: Vec<String>) {
        let now = self.clock.now();
        let mut state = self.state();
        // It is outdated since the first of several refusals.
        let since = state.refused.take().map_or(now, |(since, _)| since);
        state.refused = Some((since, errors));
        state.counts.refused += 1;
    }

    /// Notes that the files say again what is in force. Returns whether they said something else before.
    pub(super) fn unchanged(&self) -> bool {
        self.state().refused.take().is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
