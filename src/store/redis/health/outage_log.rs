//! What the log says of one server: each outage and each return, but no faster than anybody reads.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use super::cause::{Cause, Says};
use super::log_throttle::Seldom;
use crate::domain::clock::Millis;
use crate::store::StoreError;

/// Between lines on outages that come again and again, however short.
const FIRST_OF_OUTAGES: Millis = 60_000;
const LONGEST_OF_OUTAGES: Millis = 600_000;

/// An outage that lasts is no stall: so long, and between lines on such.
const LASTING: Duration = Duration::from_secs(2);
const FIRST: Millis = 1_000;
const LONGEST: Millis = 64_000;

/// Between lines on what is no outage.
const FIRST_OF_FEW: Millis = 10_000;
const LONGEST_OF_FEW: Millis = 600_000;

/// Writes the lines about the server at one address.
#[derive(Debug)]
pub(crate) struct Report {
    address: String,
    outages: Seldom,
    lasting: Seldom,
    /// Whether the log knows of the present outage.
    is_announced: AtomicBool,
    causes: Seldom,
    /// Why the server does not count, as the log says.
    cause: AtomicU8,
    few: Seldom,
    /// Calls that failed since that was said.
    failed: AtomicU64,
    charges: Seldom,
}

impl Report {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            outages: Seldom::new(FIRST_OF_OUTAGES, LONGEST_OF_OUTAGES),
            lasting: Seldom::new(FIRST, LONGEST),
            is_announced: AtomicBool::new(false),
            causes: Seldom::new(FIRST, LONGEST),
            cause: AtomicU8::new(0),
            few: Seldom::new(FIRST_OF_FEW, LONGEST_OF_FEW),
            failed: AtomicU64::new(0),
            charges: Seldom::new(FIRST, LONGEST),
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn is_up(&self) {
        log::info!("Redis at {} answers: counting there.", self.address);
    }

    /// A call failed.
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// The server was given up.
    pub(crate) fn went_down(&self, error: &StoreError, now: Millis) {
        self.is_announced.store(false, Ordering::Relaxed);
        self.announce(self.outages.happened(now), error);
    }

    /// A probe of a server that was given up `down` ago failed, too.
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
            log::warn!("Redis at {} now {}. {}", self.address, Says(error), cause.remedy());
        }
    }

    /// The server counts again, after `down` in which so many requests were `unanswered`.
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

    /// Calls fail because of `cause`, and others do not: no outage.
    pub(crate) fn fails_some(&self, cause: Cause, now: Millis) {
        if self.few.happened(now).is_none() {
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

    /// What the server was charged with may be told: see [`Seldom::happened`].
    pub(crate) fn may_tell_of_charges(&self, now: Millis, is_new: bool) -> bool {
        let told = if is_new { self.charges.happened(now) } else { self.charges.goes_on(now) };
        told.is_some()
    }

    /// Announces the present outage, if it may be: it is so many since the last that was.
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
            Says(error),
            cause.remedy()
        );
    }
}
