//! The status of a store, and the counts that it is made of.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use super::calls::CallTally;
use super::cause::Cause;
use super::count::Count;

/// The status of a [`RedisStore`](crate::RedisStore) at one moment. The counts begin when the store is
/// started, and never fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStatus {
    /// For how long the server has been down, so that requests do not ask it; `None` while it is up. In a
    /// cluster, the longest time of any node.
    pub down_for: Option<Duration>,
    /// Why the last call failed that did, in a few words that never change for the same cause.
    pub cause: Option<&'static str>,
    /// How often the server went down.
    pub outages: u64,
    /// CallTally that failed, and connections that could not be made.
    pub failures: u64,
    /// CallTally that were answered, but later than the time limit.
    pub slow: u64,
    /// Checks and peeks that the server did not answer.
    pub unanswered: u64,
    /// Those of the unanswered ones that were not sent, because too many waited in the queue, or they had
    /// waited there for too long.
    pub overloads: u64,
    /// Units that were admitted without the server, and charged to it afterwards.
    pub charged_back: u64,
    /// Units that were admitted without the server, and could not be charged to it: no quota was left,
    /// or the answer was lost.
    pub not_charged_back: u64,
    /// Units in a cluster that were charged in one slot to requests that another slot then denied, and
    /// that could not be given back. They stay used.
    pub not_given_back: u64,
}

/// The counts of one store.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cause: AtomicU8,
    pub(crate) outages: Count,
    pub(crate) failures: Count,
    pub(crate) slow: Count,
    pub(crate) unanswered: Count,
    pub(crate) overloads: Count,
    pub(crate) charged_back: Count,
    pub(crate) not_charged_back: Count,
    pub(crate) not_given_back: Count,
    pub(crate) calls: CallTally,
}

impl Tally {
    pub(crate) fn cause(&self) -> Option<Cause> {
        Cause::from_code(self.cause.load(Ordering::Relaxed))
    }

    pub(crate) fn set_cause(&self, cause: Cause) {
        self.cause.store(cause.code(), Ordering::Relaxed);
    }

    pub(crate) fn status(&self, down_for: Option<Duration>) -> RedisStatus {
        RedisStatus {
            down_for,
            cause: self.cause().map(Cause::name),
            outages: self.outages.get(),
            failures: self.failures.get(),
            slow: self.slow.get(),
            unanswered: self.unanswered.get(),
            overloads: self.overloads.get(),
            charged_back: self.charged_back.get(),
            not_charged_back: self.not_charged_back.get(),
            not_given_back: self.not_given_back.get(),
        }
    }
}
