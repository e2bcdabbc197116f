//! How a quota counts, whatever its units: a [`Counting`].

use super::window::Window as SuggestedWindow;
use crate::domain::algorithm::{Algorithm, State, Terms};
use crate::domain::clock::Millis;
use crate::domain::policy::{KeySource, Policy, PolicyError};
use crate::domain::quota::Quota;
use crate::domain::window::Window;

/// What the suggested policy is called.
pub(super) const NAME: &str = "suggested";

/// An algorithm and a window: a quota without its units. The burst of a token bucket is as large as the units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counting {
    pub(super) algorithm: Algorithm,
    pub(super) window: SuggestedWindow,
}

impl Counting {
    /// The most units that such a quota can have.
    pub(super) fn largest(self) -> u64 {
        self.algorithm.largest_quota(Window::Fixed(self.window.millis()))
    }

    /// The quota of `units`, from 1 to the largest.
    pub(super) fn quota(self, units: u64) -> Quota {
        self.window.quota(units).expect("the units are from 1 to the largest of a quota")
    }

    /// What it computes with under a quota of `units`, from 1 to the largest.
    pub(super) fn terms(self, units: u64) -> Terms {
        self.with_burst(units).terms(self.quota(units))
    }

    /// The state of a client that has not sent anything.
    pub(super) fn untouched(self) -> State {
        State::untouched(self.algorithm)
    }

    /// The policy of `units`, counted by `key`.
    ///
    /// # Errors
    /// If the units are more than the largest.
    pub(super) fn policy(self, units: u64, key: KeySource) -> Result<Policy, PolicyError> {
        let policy = Policy::new(NAME, self.quota(units))?;
        Ok(policy.with_algorithm(self.with_burst(units))?.with_key(key))
    }

    pub(super) fn window(self) -> Millis {
        self.window.millis()
    }

    fn with_burst(self, units: u64) -> Algorithm {
        match self.algorithm {
            Algorithm::TokenBucket { .. } => Algorithm::TokenBucket { burst: units },
            other => other,
        }
    }
}
