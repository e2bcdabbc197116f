//! Whether a server is to be asked: a state machine of atomics, to which time is an argument.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::clock::Millis;

/// As much evidence in a row opens the breaker.
const ENOUGH: u32 = 3;

/// How often the wait before the first probe doubles at most.
const MOST_DOUBLINGS: u32 = 4;

/// What went wrong with a call, and what that says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A connection was lost. Connections are: one says little.
    Lost,
    /// The server answered with an error, which may be about this call alone.
    Refused,
    /// No answer in time, or one that took too long. Whoever asks next waits as long.
    Late,
    /// A new connection could not be made: there is nothing else to ask over.
    NoConnection,
}

impl Failure {
    /// Two calls that wait are enough, as no third should; an error or a broken connection must come
    /// thrice.
    fn evidence(self) -> u32 {
        match self {
            Self::Lost | Self::Refused => 1,
            Self::Late | Self::NoConnection => 2,
        }
    }
}

/// Closed, the server is asked. Failures in a row open it, whatever lies between them in time: a
/// server that works answers many calls between two failures, and each of them clears the record.
/// Only a probe closes it.
#[derive(Debug)]
pub(super) struct Breaker {
    interval: Millis,
    /// Of the failures since the last call that succeeded.
    evidence: AtomicU32,
    /// One more than when it opened; 0 while it is closed.
    opened: AtomicU64,
    /// Whether a call succeeded since it closed last.
    answered: AtomicBool,
    /// How often it has opened again without that, one time after another.
    relapses: AtomicU32,
}

impl Breaker {
    /// A closed one, of a server that is probed every `interval` while it is open.
    pub(super) fn new(interval: Millis) -> Self {
        Self {
            interval,
            evidence: AtomicU32::new(0),
            opened: AtomicU64::new(0),
            answered: AtomicBool::new(true),
            relapses: AtomicU32::new(0),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.opened.load(Ordering::Acquire) == 0
    }

    /// Since when it is open.
    pub(super) fn opened_at(&self) -> Option<Millis> {
        self.opened.load(Ordering::Acquire).checked_sub(1)
    }

    /// A call was answered in time; whether failures came before it.
    pub(super) fn succeeded(&self) -> bool {
        // Mostly there is nothing to change, and a store would take the line from other threads.
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
        self.evidence.load(Ordering::Relaxed) > 0 && self.evidence.swap(0, Ordering::AcqRel) > 0
    }

    /// A call failed; whether that opens it.
    pub(super) fn failed(&self, failure: Failure, now: Millis) -> bool {
        let before = self.evidence.fetch_add(failure.evidence(), Ordering::AcqRel);
        before.saturating_add(failure.evidence()) >= ENOUGH && self.open(now)
    }

    /// Opens it; false where it is open already.
    pub(super) fn open(&self, now: Millis) -> bool {
        let swap = self.opened.compare_exchange(0, now + 1, Ordering::AcqRel, Ordering::Acquire);
        if swap.is_err() {
            return false;
        }
        if self.answered.load(Ordering::Relaxed) {
            self.relapses.store(0, Ordering::Release);
        } else {
            self.relapses.fetch_add(1, Ordering::AcqRel);
        }
        true
    }

    /// A probe succeeded: closes it. For how long it was open, `None` where it was not.
    pub(super) fn close(&self, now: Millis) -> Option<Millis> {
        let opened = self.opened_at()?;
        self.evidence.store(0, Ordering::Release);
        self.answered.store(false, Ordering::Relaxed);
        self.opened.store(0, Ordering::Release);
        Some(now.saturating_sub(opened))
    }

    /// How long the first probe waits: not at all, unless probes succeed where no request then does.
    pub(super) fn wait(&self) -> Millis {
        match self.relapses.load(Ordering::Acquire) {
            0 => 0,
            relapses => self.interval << (relapses - 1).min(MOST_DOUBLINGS),
        }
    }
}

#[cfg(test)]
mod tests;
