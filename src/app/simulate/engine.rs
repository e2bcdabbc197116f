//! Replays requests under the candidate, and beside it under the current configuration: an [`Engine`].

use super::everyone::{Everyone, Refusals};
use super::names::Names;
use super::replay::Replay;
use super::tally::Tally;
use crate::app::access_log::LoggedRequest;
use crate::app::config::Config;
use crate::app::error::AppError;

/// Replays requests under one configuration or two.
#[derive(Debug)]
pub(super) struct Engine {
    candidate: Replay,
    current: Option<Replay>,
    everyone: Everyone,
    names: Names,
}

/// What an engine counted.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) candidate: Tally,
    pub(super) current: Option<Tally>,
    pub(super) everyone: Everyone,
}

impl Engine {
    /// # Errors
    /// When policies and routes of a configuration do not fit together.
    pub(super) fn new(
        candidate: &Config,
        current: Option<&Config>,
        names: &Names,
    ) -> Result<Self, AppError> {
        let current = current.map(|current| Replay::new(current, names)).transpose()?;
        Ok(Self {
            candidate: Replay::new(candidate, names)?,
            current,
            everyone: Everyone::default(),
            names: names.clone(),
        })
    }

    /// Replays `request`, which began no earlier than those before it.
    pub(super) fn replay(&mut self, request: &LoggedRequest) {
        let seen = self.candidate.see(request);
        let by_candidate = self.candidate.admit(request, &seen);
        let by_current = self
            .current
            .as_mut()
            .is_some_and(|current| current.admit(request, &current.see(request)));
        self.everyone.count(&seen, Refusals { by_candidate, by_current }, &self.names);
    }

    /// What it counted.
    pub(super) fn end(self) -> Counted {
        Counted {
            candidate: self.candidate.take(),
            current: self.current.as_ref().map(Replay::take),
            everyone: self.everyone,
        }
    }
}

impl Counted {
    /// Adds what another engine counted of other clients.
    pub(super) fn add(&mut self, other: Self) {
        self.candidate.add(other.candidate);
        if let (Some(current), Some(other)) = (&mut self.current, other.current) {
            current.add(other);
        }
        self.everyone.add(other.everyone);
    }
}
