//! The clock of a server, and the time of round trips to it.

use std::fmt;
use std::time::{Duration, Instant};

use redis::{Value, cmd};

use super::examiner::Examiner;
use super::finding::Level;
use crate::domain::clock::{Clock, Millis};
use crate::store::redis::error::store_error;
use crate::store::redis::health::cause::{Cause, Described};

/// How many round trips are timed.
const ROUND_TRIPS: usize = 51;

/// How far apart two clocks may be. Beyond that, windows begin at noticeably other times.
const MAX_APART: Millis = 100;

impl Examiner<'_> {
    /// Compares the server's clock with `clock`.
    pub(super) fn clocks(&mut self, clock: &dyn Clock) {
        let before = clock.now();
        let Ok((seconds, micros)) = self.ask::<(Millis, Millis)>(&cmd("TIME")) else {
            self.findings.warn("clock", "unknown: its user may not run TIME");
            return;
        };
        let after = clock.now();
        let (there, here) = (seconds * 1_000 + micros / 1_000, before.midpoint(after));
        let apart = there.abs_diff(here).saturating_sub(after.saturating_sub(before));
        let text = format!("{apart} ms apart from this host's");
        if apart > MAX_APART {
            let why =
                "windows that are counted here in an outage begin at other times; set both by NTP";
            self.findings.measured(Level::Warn, "clock", format!("{text}: {why}"), apart);
        } else {
            self.findings.measured(Level::Ok, "clock", text, apart);
        }
    }

    /// Times round trips, and compares them with the time limit.
    pub(super) fn latency(&mut self) {
        let mut times = Vec::with_capacity(ROUND_TRIPS);
        for _ in 0..ROUND_TRIPS {
            let begun = Instant::now();
            match self.ask::<Value>(&cmd("TIME")).map_err(store_error) {
                // A refusal takes a round trip as well.
                Err(error) if Cause::of(&error) != Cause::Permission => {
                    self.findings.fail("latency", format!("it {}", Described(&error)));
                    return;
                }
                _ => times.push(begun.elapsed()),
            }
        }
        times.sort_unstable();
        let (median, worst) = (times[ROUND_TRIPS / 2], times[ROUND_TRIPS - 1]);
        let limit = self.options.connect.timeout;
        let text = format!(
            "median {}, worst {} of {ROUND_TRIPS} round trips; store.timeout_ms is {}",
            Took(median),
            Took(worst),
            limit.as_millis()
        );
        let (level, text) = if median > limit / 4 {
            (Level::Fail, format!("{text}: too near to it, raise it"))
        } else if worst > limit / 2 {
            (Level::Warn, text)
        } else {
            (Level::Ok, text)
        };
        self.findings.measured(level, "latency", text, micros(worst));
    }
}

pub(super) fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

/// Prints a time in milliseconds.
pub(super) struct Took(pub(super) Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ms", self.0.as_secs_f64() * 1_000.0)
    }
}
