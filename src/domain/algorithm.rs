//! The four ways to count, as pure steps: state and time in, state and standing out.
//!
//! A quota of 4 units per window, and a client that sends 4 requests late in one window and 4
//! early in the next (`x` admitted, `-` denied):
//!
//! ```text
//!                 |      window 1      |      window 2      |      window 3      |
//! requests        |                xxxx|xxxx                |                    |
//!
//! fixed-window    |                xxxx|xxxx                |
//!   counts per aligned window: least state, and up to twice the quota across an edge
//!
//! sliding-window  |                xxxx|----                |
//!   weighs the window before by how much of it the last full window still covers:
//!   4 * 95 % + 0 > 3, so the edge is closed; an estimate that assumes an even spread
//!
//! sliding-log     |                xxxx|----                |
//!                                  |<----- one window ----->| first unit back here
//!   remembers each admitted request until it is a window old: exact, one entry a request
//!
//! token-bucket    |                xxxx|---x                |
//!   refills steadily, here a unit each quarter window, up to its burst: smooths traffic
//!
//!                   state      over any window admits        first request after a full stop
//! fixed-window      2 numbers  at most 2 x quota             at the edge of the window
//! sliding-window    3 numbers  < 2 x quota, about 1 if even  as the window before slides out
//! sliding-log       1 a request  at most the quota           when the oldest entry is a window old
//! token-bucket      2 numbers  at most burst + quota         one unit later: window / quota
//! ```
//!
//! Windows are aligned to the Unix epoch. Every number is an integer below 2^53, so that the Lua
//! files of the same names compute exactly the same.
//!
//! # A clock that steps back
//!
//! State is never read as of before it was written: up to one window, time stands still until the
//! clock has caught up, and nothing is minted at a window's edge. A state further ahead than that
//! was written by a clock that was wrong: it is read as if written now, and written back so by the
//! next check, or a client would stay locked out until the clock is there again.

use std::fmt;

use crate::domain::clock::Millis;
use crate::domain::decision::{Retry, Standing};
use crate::domain::policy::PolicyError;
use crate::domain::quota::{Cost, MAX_EXACT, Quota};

mod fixed_window;
mod sliding_log;
mod sliding_window;
mod token_bucket;

/// The largest quota of a sliding log: it keeps up to one entry per unit.
pub const LARGEST_LOG: u64 = 100_000;

/// How a policy counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Counts per window, aligned to the epoch.
    FixedWindow,
    /// Counts per window and weighs the window before.
    SlidingWindow,
    /// Remembers every admitted request for one window.
    SlidingLog,
    /// Refills steadily, up to `burst` units.
    TokenBucket {
        /// The most units that can be saved up, at least 1.
        burst: u64,
    },
}

impl Algorithm {
    /// The algorithm called `name`; a token bucket saves up one whole quota.
    ///
    /// # Errors
    /// When there is no such algorithm.
    pub fn named(name: &str, quota: Quota) -> Result<Self, PolicyError> {
        match name {
            "fixed-window" => Ok(Self::FixedWindow),
            "sliding-window" => Ok(Self::SlidingWindow),
            "sliding-log" => Ok(Self::SlidingLog),
            "token-bucket" => Ok(Self::TokenBucket { burst: quota.units() }),
            _ => Err(PolicyError::Algorithm(name.to_owned())),
        }
    }

    /// The most units per `window` (for a token bucket, the largest burst) that it counts exactly
    /// and in bounded memory.
    #[must_use]
    pub fn largest_quota(self, window: Millis) -> u64 {
        match self {
            Self::FixedWindow => MAX_EXACT,
            Self::SlidingLog => LARGEST_LOG,
            // Less one, so that an empty bucket, while the clock is a window behind, still waits for a
            // time that is exact.
            Self::SlidingWindow | Self::TokenBucket { .. } => MAX_EXACT / window - 1,
        }
    }

    /// Its name, as operators write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FixedWindow => "fixed-window",
            Self::SlidingWindow => "sliding-window",
            Self::SlidingLog => "sliding-log",
            Self::TokenBucket { .. } => "token-bucket",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The numbers of a policy that its algorithm computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Units allowed per window.
    pub units: u64,
    /// The length of the window.
    pub window: Millis,
    /// The most units that can ever be used at once.
    pub burst: u64,
}

impl Terms {
    /// The terms of a quota under an algorithm.
    #[must_use]
    pub fn new(quota: Quota, algorithm: Algorithm) -> Self {
        let burst = match algorithm {
            Algorithm::TokenBucket { burst } => burst,
            _ => quota.units(),
        };
        Self { units: quota.units(), window: quota.window(), burst }
    }
}

impl Standing {
    /// Where the key stood before the last `units` were charged to it, for a request of `cost`. `debt`
    /// is what its token bucket has not refilled now, in parts of a unit; 0 under another algorithm.
    #[cfg(feature = "redis")]
    pub(crate) fn before(&self, units: u64, debt: u64, terms: &Terms, cost: Cost) -> Self {
        let remaining = self.remaining.saturating_add(units);
        let retry = if remaining >= cost.units() { Retry::Now } else { self.retry };
        // Of a bucket alone, it is sooner whole again the less was taken.
        let until_whole = |debt: u64| debt.div_ceil(terms.units);
        let less = debt.saturating_sub(units.saturating_mul(terms.window));
        let sooner = until_whole(debt) - until_whole(less);
        Self { remaining, reset_after: self.reset_after.saturating_sub(sooner), retry }
    }
}

/// What is remembered of one key under one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    FixedWindow(fixed_window::State),
    SlidingWindow(sliding_window::State),
    SlidingLog(sliding_log::State),
    TokenBucket(token_bucket::State),
}

impl State {
    /// The state of a key that was never charged.
    #[must_use]
    pub fn untouched(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::FixedWindow => Kind::FixedWindow(fixed_window::State::default()),
            Algorithm::SlidingWindow => Kind::SlidingWindow(sliding_window::State::default()),
            Algorithm::SlidingLog => Kind::SlidingLog(sliding_log::State::default()),
            Algorithm::TokenBucket { .. } => Kind::TokenBucket(token_bucket::State::default()),
        })
    }

    /// Where the key stands at `now`, for a request of `cost`.
    #[must_use]
    pub fn standing(&self, terms: &Terms, now: Millis, cost: Cost) -> Standing {
        match &self.0 {
            Kind::FixedWindow(state) => state.read(terms, now).standing(terms, cost),
            Kind::SlidingWindow(state) => state.read(terms, now).standing(terms, cost),
            Kind::SlidingLog(state) => state.read(terms, now).standing(terms, cost),
            Kind::TokenBucket(state) => state.read(terms, now).standing(terms, cost),
        }
    }

    /// Uses `units` at `now`, which must remain, and says where the key stands then, for one more
    /// request of `cost`.
    pub fn charge(&mut self, terms: &Terms, now: Millis, units: u64, cost: Cost) -> Standing {
        match &mut self.0 {
            Kind::FixedWindow(state) => state.charge(terms, now, units).standing(terms, cost),
            Kind::SlidingWindow(state) => state.charge(terms, now, units).standing(terms, cost),
            Kind::SlidingLog(state) => state.charge(terms, now, units).standing(terms, cost),
            Kind::TokenBucket(state) => state.charge(terms, now, units).standing(terms, cost),
        }
    }

    /// Whether the state was written by a clock that was wrong, more than a window ahead of `now`:
    /// a check that charges nothing writes it back as of now, by a charge of 0 units.
    #[must_use]
    pub fn is_astray(&self, terms: &Terms, now: Millis) -> bool {
        self.astray(terms.window, now).is_some()
    }

    /// As of when the state was written, if a clock that was wrong wrote it: see
    /// [`is_astray`](Self::is_astray).
    pub(crate) fn astray(&self, window: Millis, now: Millis) -> Option<Millis> {
        let stamp = match &self.0 {
            Kind::FixedWindow(state) => state.stamp(),
            Kind::SlidingWindow(state) => state.stamp(),
            Kind::SlidingLog(state) => state.stamp(),
            Kind::TokenBucket(state) => state.stamp(),
        };
        is_astray(stamp, window, now).then_some(stamp)
    }
}

/// A state as it is read at one instant.
trait Reading {
    /// Units that may be used now.
    fn remaining(&self) -> u64;

    /// How long until the quota is whole again.
    fn reset_after(&self) -> Millis;

    /// How long until `cost` units fit, asked where they do not yet but can.
    fn wait_for(&self, cost: u64) -> Millis;

    fn standing(&self, terms: &Terms, cost: Cost) -> Standing {
        let (remaining, cost) = (self.remaining(), cost.units());
        let retry = if cost <= remaining {
            Retry::Now
        } else if cost <= terms.burst {
            Retry::After(self.wait_for(cost))
        } else {
            Retry::Never
        };
        Standing { remaining, reset_after: self.reset_after(), retry }
    }
}

/// The instant as of which a state is read that was written as of `stamp`.
fn read_as_of(stamp: Millis, window: Millis, now: Millis) -> Millis {
    if is_astray(stamp, window, now) { now } else { now.max(stamp) }
}

fn is_astray(stamp: Millis, window: Millis, now: Millis) -> bool {
    stamp > now + window
}

#[cfg(test)]
mod tests;
