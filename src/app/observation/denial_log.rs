//! Tells the log who is refused: a line for the first denial of a client, and then a summary each minute. However
//! many requests are refused, the lines and the memory are bounded.

use std::array;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use std::{fmt, io, thread};

use log::{Level, Log};

use self::denials::{Denials, PERIOD, SHARDS, Shard};
use super::refusals::{is_refusal, refusals};
use crate::domain::clock::Clock;
use crate::domain::standing::{Retry, Standing};
use crate::limiter::{DecisionEvent, Outcome, PenaltyBan};
use crate::store::Charge;

mod denials;
mod lines;

/// The most lines for first denials and for bans that begin, in a period.
const FIRST_LINES: u32 = 20;

/// The most policies that have a line in a summary. The others share one.
const SUMMARY_LINES: usize = 20;

/// How often it is asked whether a period is over.
const TICK: Duration = Duration::from_secs(1);

/// Tells the log who is refused.
pub(crate) struct DenialLog {
    sink: &'static dyn Log,
    clock: Arc<dyn Clock>,
    shards: [Mutex<Shard>; SHARDS],
    /// When the present period began.
    began: AtomicU64,
    /// How many lines for first denials may still be written in this period.
    first_lines_left: AtomicU32,
    blocked: AtomicU64,
    banned: AtomicU64,
    undecided: AtomicU64,
}

impl fmt::Debug for DenialLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenialLog").finish_non_exhaustive()
    }
}

impl DenialLog {
    /// Writes to `sink`, in periods by a clock that does not step back. Nothing ends the periods.
    fn new(sink: &'static dyn Log, clock: Arc<dyn Clock>) -> Self {
        Self {
            began: clock.now().into(),
            sink,
            clock,
            shards: array::from_fn(|_| Mutex::default()),
            first_lines_left: FIRST_LINES.into(),
            blocked: AtomicU64::new(0),
            banned: AtomicU64::new(0),
            undecided: AtomicU64::new(0),
        }
    }

    /// Writes to the log, with a thread that writes the summaries for as long as this lives.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(clock: Arc<dyn Clock>) -> io::Result<Arc<Self>> {
        let denial_log = Arc::new(Self::new(log::logger(), clock));
        let weak: Weak<Self> = Arc::downgrade(&denial_log);
        thread::Builder::new().name("denials".to_owned()).spawn(move || {
            loop {
                thread::park_timeout(TICK);
                let Some(denial_log) = weak.upgrade() else { return };
                denial_log.end_period_if_over();
            }
        })?;
        Ok(denial_log)
    }

    /// Counts a request that is refused, and writes a line about it if it is worth one.
    pub(crate) fn on_decision(&self, event: &DecisionEvent<'_>) {
        match event.outcome {
            Outcome::Blocked => _ = self.blocked.fetch_add(1, Ordering::Relaxed),
            Outcome::Banned if is_refusal(event) => {
                self.banned.fetch_add(1, Ordering::Relaxed);
                if let Some(ban) = event.ban.filter(|ban| ban.begins) {
                    self.ban_begins(event, ban);
                }
            }
            Outcome::Undecided(_) if is_refusal(event) => {
                _ = self.undecided.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Denied if lines::is_enabled(self.sink, Level::Info) => {
                for (charge, standing) in refusals(event) {
                    self.denied(event, charge, standing);
                }
            }
            _ => {}
        }
    }

    fn denied(&self, event: &DecisionEvent<'_>, charge: &Charge, standing: &Standing) {
        let shard = &self.shards[charge.key.fingerprint().shard(SHARDS)];
        let is_told = lock(shard).count(charge, self.clock.now(), || self.may_write_first_line());
        let level = if is_told { Level::Info } else { Level::Debug };
        if lines::is_enabled(self.sink, level) {
            let retry_after = match standing.retry {
                Retry::After(wait) => Some(wait),
                Retry::Now | Retry::WhenFreed | Retry::Never => None,
            };
            lines::denied(self.sink, level, event, charge, retry_after);
        }
    }

    /// Writes a line about a ban that a penalty began.
    fn ban_begins(&self, event: &DecisionEvent<'_>, ban: PenaltyBan) {
        let Some(charge) = event.charges.get(ban.charge) else { return };
        let is_told = lines::is_enabled(self.sink, Level::Info) && self.may_write_first_line();
        let level = if is_told { Level::Info } else { Level::Debug };
        lines::ban_begins(self.sink, level, charge, ban.lasts);
    }

    /// Takes one of the lines for first denials.
    fn may_write_first_line(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        self.first_lines_left.fetch_update(set, get, less).is_ok()
    }

    /// Ends the period if it is as long as periods are.
    fn end_period_if_over(&self) {
        let began = self.began.load(Ordering::Relaxed);
        if self.clock.now().saturating_sub(began) >= PERIOD {
            self.end_period();
        }
    }

    /// Writes the summary of the present period, and begins another.
    pub(crate) fn end_period(&self) {
        let now = self.clock.now();
        self.began.store(now, Ordering::Relaxed);
        let mut policies: BTreeMap<Box<str>, Denials> = BTreeMap::new();
        for shard in &self.shards {
            for (policy, denials) in lock(shard).end_period(now) {
                policies.entry(policy).or_default().add(denials);
            }
        }
        // Where each denial had a line of its own, there is nothing to add.
        policies.retain(|_, denials| denials.requests > denials.told);
        let mut policies: Vec<(Box<str>, Denials)> = policies.into_iter().collect();
        policies.sort_by_key(|(_, denials)| Reverse(denials.requests));
        let others = policies.split_off(SUMMARY_LINES.min(policies.len()));
        for (policy, denials) in &policies {
            lines::summary(self.sink, policy, denials);
        }
        if !others.is_empty() {
            let requests = others.iter().map(|(_, denials)| denials.requests).sum();
            lines::other_policies(self.sink, others.len(), requests);
        }
        lines::blocked(self.sink, self.blocked.swap(0, Ordering::Relaxed));
        lines::banned(self.sink, self.banned.swap(0, Ordering::Relaxed));
        lines::undecided(self.sink, self.undecided.swap(0, Ordering::Relaxed));
        self.first_lines_left.store(FIRST_LINES, Ordering::Relaxed);
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // If a panic left a count out, all others are right.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
