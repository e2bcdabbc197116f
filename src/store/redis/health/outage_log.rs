//! The lines in the log about one server: its outages and returns, but no more than people can read.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use super::cause::{Cause, Described};
use super::log_throttle::LogThrottle;
use crate::domain::clock::Millis;
use crate::store::StoreError;

/// The intervals between lines about outages that come again and again, however short they are.
const FIRST_OF_OUTAGES: Millis = 60_000;
const LONGEST_OF_OUTAGES: Millis = 600_000;

/// An outage of this length is more than a stall, and gets a line at shorter intervals.
const LASTING: Duration = Duration::from_secs(2);
const FIRST: Millis = 1_000;
const LONGEST: Millis = 64_000;

/// The intervals between lines about failures that are no outage.
const FIRST_OF_FAILURES: Millis = 10_000;
const LONGEST_OF_FAILURES: Millis = 600_000;

/// Writes the lines about one server.
#[derive(Debug)]
pub(crate) struct OutageLog {
    address: String,
    outages: LogThrottle,
    lasting: LogThrottle,
    /// Whether the log has mentioned the present outage.
    is_announced: AtomicBool,
    causes: LogThrottle,
    /// The code of the cause that the log has mentioned last.
    cause: AtomicU8,
    failures: LogThrottle,
    /// How many calls have failed since that was mentioned.
    failed: AtomicU64,
    charges: LogThrottle,
}

impl OutageLog {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            outages: LogThrottle::new(FIRST_OF_OUTAGES, LONGEST_OF_OUTAGES),
            lasting: LogThrottle::new(FIRST, LONGEST),
            is_announced: AtomicBool::new(false),
            causes: LogThrottle::new(FIRST, LONGEST),
            cause: AtomicU8::new(0),
            failures: LogThrottle::new(FIRST_OF_FAILURES, LONGEST_OF_FAILURES),
            failed: AtomicU64::new(0),
            charges: LogThrottle::new(FIRST, LONGEST),
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The server answers the first probe of all.
    pub(crate) fn starts_up(&self) {
        log::info!("Redis at {} answers: counting there.", self.address);
    }

    /// A call failed.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// The server went down.
    pub(crate) fn went_down(&self, error: &StoreError, now: Millis) {
        self.is_announced.store(false, Ordering::Relaxed);
        self.announce(self.outages.happened(now), error);
    }

    /// A probe failed after the server has been down for the length `down`.
    pub(crate) fn is_still_down(&self, error: &StoreError, down: Duration, now: Millis) {
        let cause = Cause::of(error);
        log::debug!("The probe of Redis at {} failed: {}.", self.address, cause.name());
        if !self.is_announced.load(Ordering::Relaxed) {
            let is_said = down >= LASTING && self.lasting.happened(now).is_some();
            self.announce(is_said.then(|| self.outages.mention(now)), error);
        } else if self.cause.load(Ordering::Relaxed) != cause.code()
            && self.causes.happened(now).is_some()
        {
            self.cause.store(cause.code(), Ordering::Relaxed);
            log::warn!("Redis at {} now {}. {}", self.address, Described(error), cause.remedy());
        }
    }

    /// The server counts again. It was down for the length `down`, with so many `unanswered` requests.
    pub(crate) fn came_back(&self, down: Duration, unanswered: u64) {
        if self.is_announced.swap(false, Ordering::Relaxed) {
            log::info!(
                "Redis at {} answers: counting there again, after {:.1} s in which {unanswered} \
                 requests were decided without it.",
                self.address,
                down.as_secs_f64(),
            );
        }
    }

    /// Some calls fail because of `cause`, and others do not, so that it is no outage.
    pub(crate) fn some_failed(&self, cause: Cause, now: Millis) {
        if self.failures.happened(now).is_none() {
            return;
        }
        let Self { address, .. } = self;
        let (name, remedy) = (cause.name(), cause.remedy());
        match self.failed.swap(0, Ordering::Relaxed) {
            ..=1 => log::warn!(
                "Redis at {address} failed a call and answered the next ({name}): its requests were \
                 decided without it. {remedy}"
            ),
            failed => log::warn!(
                "Redis at {address} failed {failed} calls and answered others ({name}): their \
                 requests were decided without it. {remedy}"
            ),
        }
    }

    /// Whether the log may say now what the server was charged with. `is_new` says that more was.
    pub(crate) fn may_log_charges(&self, now: Millis, is_new: bool) -> bool {
        let times = if is_new { self.charges.happened(now) } else { self.charges.goes_on(now) };
        times.is_some()
    }

    /// Mentions the present outage, unless it may not. It is one of so many `outages` since the last
    /// mentioned one.
    fn announce(&self, outages: Option<u64>, error: &StoreError) {
        let Some(outages) = outages else { return };
        self.is_announced.store(true, Ordering::Relaxed);
        self.failed.store(0, Ordering::Relaxed);
        let cause = Cause::of(error);
        self.cause.store(cause.code(), Ordering::Relaxed);
        let often = match outages {
            ..=1 => String::new(),
            _ => format!(" It was given up {outages} times since this was said last."),
        };
        log::warn!(
            "Redis at {} {}: counting in this process, or as on_store_failure says, until it does. {}{often}",
            self.address,
            Described(error),
            cause.remedy()
        );
    }
}
