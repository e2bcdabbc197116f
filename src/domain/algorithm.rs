//! The algorithms as pure functions: state and time in, state and standing out.
//!
//! Authors of stores keep a [`State`] per key, and charge it by the [`Terms`] of a policy.
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
//! Windows are aligned to the Unix epoch, or end with the [calendar](crate::Calendar)'s. Every number is
//! an integer below 2^53, so that the Lua files of the same names compute exactly the same.
//!
//! # A clock that steps back
//!
//! A state is never read as of a time before it was written. If the clock is up to one window behind,
//! time stands still until the clock has caught up, and no quota appears at the edge of a window. A state
//! that is further ahead was written by a wrong clock: it is read as if it had been written now, and the
//! next check writes it again so. Otherwise a client would stay locked out until then.

use std::fmt;

use self::reading::{Reading as _, is_astray};
pub use self::terms::Terms;
pub use self::unknown::UnknownAlgorithm;
use crate::domain::clock::Millis;
use crate::domain::quota::{Cost, MAX_EXACT, Quota};
use crate::domain::slot::SlotId;
use crate::domain::standing::Standing;
use crate::domain::window::Window;

mod calendar_window;
mod fixed_window;
mod in_flight;
mod reading;
mod sliding_log;
mod sliding_window;
mod terms;
mod token_bucket;
mod unknown;

/// The largest quota of a sliding log, in units: the log keeps up to one entry per unit.
pub const LARGEST_LOG: u64 = 100_000;

/// The most requests that may be under way at once under one key: each is kept by itself.
pub const MOST_IN_FLIGHT: u64 = 100_000;

/// How a policy counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Counts per window. Windows are aligned to the Unix epoch, or end when the calendar says so.
    FixedWindow,
    /// Counts per window, and adds a part of the window before.
    SlidingWindow,
    /// Remembers every admitted request for one window.
    SlidingLog,
    /// Refills steadily, up to `burst` units.
    TokenBucket {
        /// The most units that can be saved up, at least 1.
        burst: u64,
    },
    /// Counts the requests under way. The quota's units may be under way at once, and its window is the time after
    /// which a slot ends that nobody renews.
    InFlight,
}

impl Algorithm {
    /// The algorithm called `name`. The burst of a token bucket is then the whole `quota`.
    ///
    /// # Errors
    /// If there is no such algorithm.
    pub fn named(name: &str, quota: Quota) -> Result<Self, UnknownAlgorithm> {
        match name {
            "fixed-window" => Ok(Self::FixedWindow),
            "sliding-window" => Ok(Self::SlidingWindow),
            "sliding-log" => Ok(Self::SlidingLog),
            "token-bucket" => Ok(Self::TokenBucket { burst: quota.units() }),
            _ => Err(UnknownAlgorithm::new(name)),
        }
    }

    /// The numbers that this algorithm computes with under `quota`.
    #[must_use]
    pub fn terms(self, quota: Quota) -> Terms {
        let burst = match self {
            Self::TokenBucket { burst } => burst,
            _ => quota.units(),
        };
        Terms { units: quota.units(), window: quota.window(), burst }
    }

    /// The most units per `window` that it counts exactly and in bounded memory; for a token bucket, the
    /// largest burst.
    #[must_use]
    pub fn largest_quota(self, window: Window) -> u64 {
        match self {
            Self::FixedWindow => MAX_EXACT,
            Self::SlidingLog => LARGEST_LOG,
            Self::InFlight => MOST_IN_FLIGHT,
            // Less one: if the clock is a window behind, the time when an empty bucket is full again is
            // still exact.
            Self::SlidingWindow | Self::TokenBucket { .. } => MAX_EXACT / window.longest() - 1,
        }
    }

    /// Whether it can count in windows that end when the calendar says so.
    #[must_use]
    pub fn counts_by_calendar(self) -> bool {
        self == Self::FixedWindow
    }

    /// Its name, as in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FixedWindow => "fixed-window",
            Self::SlidingWindow => "sliding-window",
            Self::SlidingLog => "sliding-log",
            Self::TokenBucket { .. } => "token-bucket",
            Self::InFlight => "in-flight",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is stored for one key under one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    FixedWindow(fixed_window::State),
    SlidingWindow(sliding_window::State),
    SlidingLog(sliding_log::State),
    TokenBucket(token_bucket::State),
    InFlight(in_flight::State),
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
            Algorithm::InFlight => Kind::InFlight(in_flight::State::default()),
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
            Kind::InFlight(state) => state.read(terms, now).standing(terms, cost),
        }
    }

    /// Charges `units` at `now`, and returns where the key stands then, for one more request of `cost`.
    ///
    /// No more than what remains may be charged. Slots of requests under way that are charged so have no name: they end
    /// by themselves. See [`hold`](Self::hold).
    pub fn charge(&mut self, terms: &Terms, now: Millis, units: u64, cost: Cost) -> Standing {
        match &mut self.0 {
            Kind::FixedWindow(state) => state.charge(terms, now, units).standing(terms, cost),
            Kind::SlidingWindow(state) => state.charge(terms, now, units).standing(terms, cost),
            Kind::SlidingLog(state) => state.charge(terms, now, units).standing(terms, cost),
            Kind::TokenBucket(state) => state.charge(terms, now, units).standing(terms, cost),
            Kind::InFlight(_) => self.hold(terms, now, units, cost, SlotId::default()),
        }
    }

    /// Charges like [`charge`](Self::charge). If it counts requests under way, they hold slots by the names that begin
    /// with `first`.
    pub fn hold(
        &mut self,
        terms: &Terms,
        now: Millis,
        units: u64,
        cost: Cost,
        first: SlotId,
    ) -> Standing {
        match &mut self.0 {
            Kind::InFlight(state) => state.hold(terms, now, units, first).standing(terms, cost),
            _ => self.charge(terms, now, units, cost),
        }
    }

    /// Gives the slot called `id` back. Returns whether it was held at `now`.
    pub fn release(&mut self, now: Millis, id: SlotId) -> bool {
        match &mut self.0 {
            Kind::InFlight(state) => state.release(now, id),
            _ => false,
        }
    }

    /// Lets the slot called `id` last for a window from `now` on, if it is held still. Returns whether it is.
    pub fn renew(&mut self, terms: &Terms, now: Millis, id: SlotId) -> bool {
        match &mut self.0 {
            Kind::InFlight(state) => state.renew(terms.length(), now, id),
            _ => false,
        }
    }

    /// Gives back up to `units`, and returns how many it gave: as many as still count at `now` of what was charged
    /// at `charged_at`, or of what was charged last if that is `None`. A part of a unit counts as one.
    ///
    /// It gives back nothing that other charges used, except where the state cannot tell them apart: a fixed and a
    /// sliding window know only how much was charged in a window, and a token bucket how much is missing.
    pub fn refund(
        &mut self,
        terms: &Terms,
        now: Millis,
        units: u64,
        charged_at: Option<Millis>,
    ) -> u64 {
        match &mut self.0 {
            Kind::FixedWindow(state) => state.refund(terms, now, units, charged_at),
            Kind::SlidingWindow(state) => state.refund(terms, now, units, charged_at),
            Kind::SlidingLog(state) => state.refund(terms, now, units, charged_at),
            Kind::TokenBucket(state) => state.refund(terms, now, units, charged_at),
            // Slots are given back by their names.
            Kind::InFlight(_) => 0,
        }
    }

    /// Whether it says no more than the state of a key that was never charged.
    pub(crate) fn is_untouched(&self) -> bool {
        match &self.0 {
            Kind::FixedWindow(state) => state.is_untouched(),
            Kind::SlidingWindow(state) => state.is_untouched(),
            Kind::SlidingLog(state) => state.is_untouched(),
            Kind::TokenBucket(state) => state.is_untouched(),
            Kind::InFlight(state) => state.is_untouched(),
        }
    }

    /// From when on it says no more than the state of a key that was never charged, if it stands at `standing` at `now`.
    pub(crate) fn whole_at(&self, now: Millis, standing: &Standing) -> Millis {
        match &self.0 {
            Kind::InFlight(state) => state.whole_at(),
            _ => now + standing.reset_after,
        }
    }

    /// Whether a wrong clock wrote the state, more than a window ahead of `now`. A check then writes it
    /// again as of now, with a charge of 0 units if it admits nothing.
    #[must_use]
    pub fn is_astray(&self, terms: &Terms, now: Millis) -> bool {
        self.astray(terms.window, now).is_some()
    }

    /// When the state was written, if a wrong clock wrote it: see [`is_astray`](Self::is_astray).
    pub(crate) fn astray(&self, window: Window, now: Millis) -> Option<Millis> {
        let stamp = match &self.0 {
            Kind::FixedWindow(state) => return state.astray(window, now),
            Kind::SlidingWindow(state) => state.stamp(),
            Kind::SlidingLog(state) => state.stamp(),
            Kind::TokenBucket(state) => state.stamp(),
            Kind::InFlight(state) => state.stamp(window.longest()),
        };
        is_astray(stamp, window.longest(), now).then_some(stamp)
    }
}

#[cfg(test)]
mod tests;
