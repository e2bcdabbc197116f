//! Whether a server is to be asked: a state machine of atomics, to which time is an argument.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::backoff::Backoff;
use crate::domain::clock::Millis;

/// As much evidence in a row opens the breaker.
const ENOUGH: u32 = 3;

/// Requests that were answered for so many intervals of probes make an outage one by itself: a server
/// that stalls now and then is asked again as soon as it answers.
const CALM_INTERVALS: Millis = 2;

/// What went wrong with a call, and what that says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A connection was lost. Connections are: one says little.
    Lost,
    /// The server answered with an error, which may be about this call alone. Nobody waited for it.
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

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: it is one of few, or the breaker is open already.
    None,
    /// The breaker is open now.
    Opened,
    /// The server refuses, as it did when a probe was answered; another is to say whether it still is.
    Doubted,
}

/// Closed, the server is asked. Failures in a row open it, whatever lies between them in time: a
/// server that works answers many calls between two failures, and each of them clears the record.
/// Only a probe closes it.
///
/// Where the very first probe after nothing but refusals succeeds, they are about some requests only.
/// Nobody waits for a refusal, and others are answered: so more of them do not open it, until there
/// were none for a while. But as many in a row have the server *doubted*: a probe is then due, after
/// a wait that grows, and opens the breaker where it fails.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// Of the failures since the last call that succeeded.
    evidence: AtomicU32,
    /// Whether any of them was other than a refusal.
    is_grave: AtomicBool,
    /// One more than when it opened; 0 while it is closed.
    opened: AtomicU64,
    /// One more than when it closed last; 0 before.
    closed: AtomicU64,
    /// Whether a call succeeded since then.
    answered: AtomicBool,
    /// The wait before the first probe, where probes succeed and requests then do not.
    relapses: Backoff,
    /// Whether refusals opened it, and no probe has failed since.
    is_refused: AtomicBool,
    is_doubted: AtomicBool,
    /// One more than when a probe last showed that what is refused is not everything; 0 before.
    confirmed: AtomicU64,
    /// The wait before the next probe of that kind.
    doubts: Backoff,
}

impl Breaker {
    /// A closed one, of a server that is probed every `interval` while it is open.
    pub(crate) fn new(interval: Millis) -> Self {
        Self {
            evidence: AtomicU32::new(0),
            is_grave: AtomicBool::new(false),
            opened: AtomicU64::new(0),
            closed: AtomicU64::new(0),
            answered: AtomicBool::new(false),
            relapses: Backoff::new(interval).with_calm(CALM_INTERVALS * interval),
            is_refused: AtomicBool::new(false),
            is_doubted: AtomicBool::new(false),
            confirmed: AtomicU64::new(0),
            doubts: Backoff::new(interval),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.opened.load(Ordering::Acquire) == 0
    }

    /// Since when it is open.
    pub(crate) fn opened_at(&self) -> Option<Millis> {
        self.opened.load(Ordering::Acquire).checked_sub(1)
    }

    /// A call was answered in time; whether failures came before it.
    pub(crate) fn succeeded(&self) -> bool {
        // Mostly there is nothing to change, and a store would take the line from other threads.
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
        self.evidence.load(Ordering::Relaxed) > 0 && self.clear()
    }

    /// A call failed at `now`.
    pub(crate) fn failed(&self, failure: Failure, now: Millis) -> Verdict {
        if failure != Failure::Refused {
            self.is_grave.store(true, Ordering::Release);
        }
        let before = self.evidence.fetch_add(failure.evidence(), Ordering::AcqRel);
        if before.saturating_add(failure.evidence()) < ENOUGH || !self.is_closed() {
            return Verdict::None;
        }
        let is_refused = !self.is_grave.load(Ordering::Acquire);
        if is_refused && self.is_confirmed(now) {
            let was_doubted = self.is_doubted.swap(true, Ordering::AcqRel);
            return if was_doubted { Verdict::None } else { Verdict::Doubted };
        }
        if !self.open(now) {
            return Verdict::None;
        }
        self.is_refused.store(is_refused, Ordering::Release);
        Verdict::Opened
    }

    /// Opens it; false where it is open already.
    pub(crate) fn open(&self, now: Millis) -> bool {
        let swap = self.opened.compare_exchange(0, now + 1, Ordering::AcqRel, Ordering::Acquire);
        if swap.is_err() {
            return false;
        }
        if let Some(closed) = self.closed.load(Ordering::Acquire).checked_sub(1) {
            // Without an answer it was not well, however long nobody asked.
            let is_calm = self.answered.load(Ordering::Relaxed);
            self.relapses.again(if is_calm { now.saturating_sub(closed) } else { 0 });
        }
        true
    }

    /// A probe failed while it is open.
    pub(crate) fn probe_failed(&self) {
        self.is_refused.store(false, Ordering::Release);
    }

    /// A probe succeeded: closes it. For how long it was open, `None` where it was not.
    pub(crate) fn close(&self, now: Millis) -> Option<Millis> {
        let opened = self.opened_at()?;
        if self.is_refused.swap(false, Ordering::AcqRel) {
            self.confirm(now);
        }
        self.clear();
        self.is_doubted.store(false, Ordering::Release);
        self.answered.store(false, Ordering::Relaxed);
        self.closed.store(now + 1, Ordering::Release);
        self.opened.store(0, Ordering::Release);
        Some(now.saturating_sub(opened))
    }

    /// How long the first probe waits: not at all, unless it opens again and again.
    pub(crate) fn wait(&self) -> Millis {
        self.relapses.wait()
    }

    /// While the server is doubted, in how long a probe is due that says whether it counts.
    pub(crate) fn doubt(&self, now: Millis) -> Option<Millis> {
        let is_doubted = self.is_doubted.load(Ordering::Acquire) && self.is_closed();
        is_doubted.then(|| self.due().saturating_sub(now))
    }

    /// A probe succeeded where requests are refused: not everything is.
    pub(crate) fn confirm(&self, now: Millis) {
        let calm = match self.confirmed.load(Ordering::Acquire) {
            0 => 0,
            _ => now.saturating_sub(self.due()),
        };
        self.doubts.again(calm);
        self.confirmed.store(now + 1, Ordering::Release);
        self.clear();
        self.is_doubted.store(false, Ordering::Release);
    }

    /// Whether a probe was answered not long before, or refusals have gone on since.
    fn is_confirmed(&self, now: Millis) -> bool {
        self.confirmed.load(Ordering::Acquire) > 0 && now < self.due() + self.doubts.longest()
    }

    /// When a doubt may be probed.
    fn due(&self) -> Millis {
        match self.confirmed.load(Ordering::Acquire) {
            0 => 0,
            confirmed => confirmed - 1 + self.doubts.wait(),
        }
    }

    /// Forgets the failures in a row; whether there were any.
    fn clear(&self) -> bool {
        self.is_grave.store(false, Ordering::Release);
        self.evidence.swap(0, Ordering::AcqRel) > 0
    }
}

#[cfg(test)]
mod tests;
