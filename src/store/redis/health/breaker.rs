//! Decides whether a server is asked: a state machine of atomics that takes the time as an argument.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::backoff::Backoff;
use crate::domain::clock::Millis;

/// How much evidence in a row opens the breaker.
const ENOUGH: u32 = 3;

/// After requests were answered for so many intervals of probes, the next outage is a new one and not
/// a relapse. So a server that stalls now and then is asked again as soon as it answers.
const CALM_INTERVALS: Millis = 2;

/// What went wrong with a call. Each kind is a different evidence against the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallFailure {
    /// A connection was lost. That happens, and says little about the server.
    Lost,
    /// The server replied with an error, which may be about this call only. Nobody waited for it.
    Refused,
    /// No answer came in time, or one that took too long. The next caller may wait as long.
    Late,
    /// A new connection could not be made, so that no call can be sent.
    NoConnection,
}

impl CallFailure {
    /// Two calls that wait are enough, since no third one should have to. Errors and lost connections
    /// must come three times.
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
    /// Nothing changes: there were too few, or the breaker is open already.
    None,
    /// The breaker is open now.
    Opened,
    /// The server refuses calls, as it did when it last answered a probe. Another probe shall find out
    /// whether it still answers those.
    Doubted,
}

/// While it is closed, the server is asked. Failures in a row open it, however much time is between
/// them: a server that works answers many calls between two failures, and each answer clears the record.
/// Only a probe closes it.
///
/// Refusals may open it although the very next probe succeeds. Then the server refuses only some
/// requests. Nobody waits for a refusal, and other requests are answered. So more refusals do not open
/// it again, until there were none for a while. Instead, as many in a row make the server *doubted*: a
/// probe is due after a wait that grows each time, and opens the breaker if it fails.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// The evidence of the failures since the last call that succeeded.
    evidence: AtomicU32,
    /// Whether any of these failures was not a refusal.
    is_grave: AtomicBool,
    /// One more than the instant at which it opened; 0 while it is closed.
    opened: AtomicU64,
    /// One more than the instant at which it last closed; 0 before that.
    closed: AtomicU64,
    /// Whether a call has succeeded since it last closed.
    answered: AtomicBool,
    /// The wait before the first probe. It grows where probes succeed but requests then fail.
    relapses: Backoff,
    /// Whether only refusals opened it, and no probe has failed since.
    is_refused: AtomicBool,
    is_doubted: AtomicBool,
    /// One more than the instant at which a probe last showed that only some requests are refused; 0
    /// before that.
    confirmed: AtomicU64,
    /// The wait before the next probe of a doubted server.
    doubts: Backoff,
}

impl Breaker {
    /// A closed breaker. The server is probed every `interval` while it is open.
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

    /// When it opened; `None` while it is closed.
    pub(crate) fn opened_at(&self) -> Option<Millis> {
        self.opened.load(Ordering::Acquire).checked_sub(1)
    }

    /// Learns that a call was answered in time. Returns whether failures came right before it.
    pub(crate) fn succeeded(&self) -> bool {
        // Mostly it is set already. Another write would take the cache line from other threads.
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
        self.evidence.load(Ordering::Relaxed) > 0 && self.clear()
    }

    /// Learns that a call failed at `now`.
    pub(crate) fn failed(&self, failure: CallFailure, now: Millis) -> Verdict {
        if failure != CallFailure::Refused {
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

    /// Opens it; false if it is open already.
    pub(crate) fn open(&self, now: Millis) -> bool {
        let swap = self.opened.compare_exchange(0, now + 1, Ordering::AcqRel, Ordering::Acquire);
        if swap.is_err() {
            return false;
        }
        if let Some(closed) = self.closed.load(Ordering::Acquire).checked_sub(1) {
            // Without an answered call the server was not well, however long nobody asked it.
            let is_calm = self.answered.load(Ordering::Relaxed);
            self.relapses.again(if is_calm { now.saturating_sub(closed) } else { 0 });
        }
        true
    }

    /// Learns that a probe failed while it is open.
    pub(crate) fn probe_failed(&self) {
        self.is_refused.store(false, Ordering::Release);
    }

    /// Closes it after a probe succeeded. Returns for how long it was open; `None` if it was not.
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

    /// How long the first probe waits. It does not wait unless the breaker opens again and again.
    pub(crate) fn wait(&self) -> Millis {
        self.relapses.wait()
    }

    /// How long it is until a probe of a doubted server is due; `None` if the server is not doubted.
    pub(crate) fn doubt(&self, now: Millis) -> Option<Millis> {
        let is_doubted = self.is_doubted.load(Ordering::Acquire) && self.is_closed();
        is_doubted.then(|| self.due().saturating_sub(now))
    }

    /// Learns that a probe succeeded while requests are refused, so that only some of them are.
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

    /// Whether a probe succeeded not long ago, or refusals have gone on since.
    fn is_confirmed(&self, now: Millis) -> bool {
        self.confirmed.load(Ordering::Acquire) > 0 && now < self.due() + self.doubts.longest()
    }

    /// When a doubted server may be probed.
    fn due(&self) -> Millis {
        match self.confirmed.load(Ordering::Acquire) {
            0 => 0,
            confirmed => confirmed - 1 + self.doubts.wait(),
        }
    }

    /// Forgets the failures in a row. Returns whether there were any.
    fn clear(&self) -> bool {
        self.is_grave.store(false, Ordering::Release);
        self.evidence.swap(0, Ordering::AcqRel) > 0
    }
}

#[cfg(test)]
mod tests;
