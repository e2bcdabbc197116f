//! The link to one server: it decides whether requests ask the server, and counts and logs why not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::breaker::{Breaker, CallFailure, Verdict};
use super::cause::{Cause, too_slow};
use super::outage_log::OutageLog;
use super::status::Tally;
use crate::domain::clock::{Clock as _, Millis, millis};
use crate::store::redis::options::RedisOptions;
use crate::store::redis::server_clock::ServerClock;
use crate::store::{MonotonicClock, StoreError, StoreErrorKind};

/// The state of the link to one server.
#[derive(Debug)]
pub(crate) struct Link {
    log: OutageLog,
    /// The time limit of a call.
    timeout: Millis,
    clock: MonotonicClock,
    server_clock: ServerClock,
    breaker: Breaker,
    tally: Arc<Tally>,
    /// How many outages there were, and how often connections were lost. A connection from before the
    /// last of them may be dead as well, and is not used again.
    generation: AtomicU64,
    /// How many requests had gone unanswered before the present outage.
    unanswered_before: AtomicU64,
    wake: Sender<()>,
}

impl Link {
    /// A link that is up to the server at `address`, and the receiver that its attendant waits at.
    pub(crate) fn new(
        address: String,
        options: &RedisOptions,
        tally: Arc<Tally>,
    ) -> (Self, Receiver<()>) {
        let (wake, woken) = bounded(1);
        let link = Self {
            log: OutageLog::new(address),
            timeout: millis(options.connect.timeout),
            clock: MonotonicClock::start(),
            server_clock: ServerClock::default(),
            breaker: Breaker::new(millis(options.probe_interval)),
            tally,
            generation: AtomicU64::new(0),
            unanswered_before: AtomicU64::new(0),
            wake,
        };
        (link, woken)
    }

    pub(crate) fn address(&self) -> &str {
        self.log.address()
    }

    /// Whether requests ask the server.
    pub(crate) fn is_up(&self) -> bool {
        self.breaker.is_closed()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// For how long it has been down; `None` while it is up.
    pub(crate) fn down_for(&self) -> Option<Duration> {
        let opened = self.breaker.opened_at();
        opened.map(|at| Duration::from_millis(self.now().saturating_sub(at)))
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The present instant, for [`observe`](Self::observe).
    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// What is known of the server's clock.
    pub(in crate::store::redis) fn server_clock(&self) -> &ServerClock {
        &self.server_clock
    }

    /// Learns how a call ended that began at `begun`, on a connection of `generation`. A late answer
    /// counts as a failure, because the next one may be later.
    pub(crate) fn observe<T>(
        &self,
        begun: Millis,
        generation: u64,
        result: &Result<T, StoreError>,
    ) {
        let took = self.now().saturating_sub(begun);
        match result {
            Ok(_) if took > self.timeout => {
                self.tally.slow.add(1);
                self.learn(CallFailure::Late, &too_slow());
            }
            Ok(_) => {
                if self.breaker.succeeded() {
                    self.log_some_failures();
                }
            }
            Err(error) => self.failed(call_failure(error.kind()), generation, error),
        }
    }

    /// Learns that a connection of `generation` could not be made. If it broke while it was made, it
    /// was lost as well.
    pub(crate) fn no_connection(&self, generation: u64, error: &StoreError) {
        let failure = match error.kind() {
            StoreErrorKind::Lost => CallFailure::Lost,
            _ => CallFailure::NoConnection,
        };
        self.failed(failure, generation, error);
    }

    /// Wakes the attendant, which looks whether the server is doubted or owed anything.
    pub(crate) fn wake(&self) {
        // If the channel is full, the attendant is awake already.
        let _ = self.wake.try_send(());
    }

    /// How long the first probe of an outage waits.
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_millis(self.breaker.wait())
    }

    /// Learns that the first probe succeeded.
    pub(crate) fn starts_up(&self) {
        self.log.starts_up();
    }

    /// Learns that a probe failed while the link is down.
    pub(crate) fn still_down(&self, error: &StoreError) {
        self.breaker.probe_failed();
        self.tally.set_cause(Cause::of(error));
        let down = self.down_for().unwrap_or_default();
        self.log.is_still_down(error, down, self.now());
    }

    /// Takes the link up, after a probe has succeeded.
    pub(crate) fn take_up(&self) {
        let Some(down) = self.breaker.close(self.now()) else { return };
        let before = self.unanswered_before.load(Ordering::Relaxed);
        let unanswered = self.tally.unanswered.get().saturating_sub(before);
        self.log.came_back(Duration::from_millis(down), unanswered);
    }

    /// How long to wait for a probe that verifies whether the server counts; `None` unless it has refused
    /// several calls in a row while the link stays up.
    pub(crate) fn doubt(&self) -> Option<Duration> {
        self.breaker.doubt(self.now()).map(Duration::from_millis)
    }

    /// Learns that that probe succeeded, so that the server refuses only some requests.
    pub(crate) fn confirm(&self) {
        self.breaker.confirm(self.now());
        self.log_some_failures();
    }

    /// Whether the log may say now what the server was charged with. `is_new` says that more was.
    pub(crate) fn may_log_charges(&self, is_new: bool) -> bool {
        self.log.may_log_charges(self.now(), is_new)
    }

    /// Takes the link down after a single failed probe.
    pub(crate) fn give_up(&self, error: &StoreError) {
        self.tally.failures.add(1);
        self.tally.set_cause(Cause::of(error));
        if self.breaker.open(self.now()) {
            self.went_down(error);
        }
        self.wake();
    }

    fn failed(&self, failure: CallFailure, generation: u64, error: &StoreError) {
        self.tally.failures.add(1);
        self.log.failed();
        // Connections that are lost together count as one loss.
        if failure != CallFailure::Lost || self.outdate(generation) {
            self.learn(failure, error);
        }
    }

    fn learn(&self, failure: CallFailure, error: &StoreError) {
        self.tally.set_cause(Cause::of(error));
        if self.breaker.failed(failure, self.now()) == Verdict::Opened {
            self.went_down(error);
        }
        // The server may be doubted now, and be owed what was decided without it.
        self.wake();
    }

    /// Keeps connections of `generation` from being used again; false if that was so already.
    fn outdate(&self, generation: u64) -> bool {
        let next = generation + 1;
        let swap =
            self.generation.compare_exchange(generation, next, Ordering::AcqRel, Ordering::Acquire);
        swap.is_ok()
    }

    fn went_down(&self, error: &StoreError) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.tally.outages.add(1);
        self.unanswered_before.store(self.tally.unanswered.get(), Ordering::Relaxed);
        self.log.went_down(error, self.now());
    }

    /// Logs now and then that some calls failed without an outage.
    fn log_some_failures(&self) {
        if let Some(cause) = self.tally.cause() {
            self.log.some_failed(cause, self.now());
        }
    }
}

fn call_failure(kind: StoreErrorKind) -> CallFailure {
    match kind {
        StoreErrorKind::TimedOut => CallFailure::Late,
        StoreErrorKind::Unreachable => CallFailure::NoConnection,
        StoreErrorKind::Lost => CallFailure::Lost,
        _ => CallFailure::Refused,
    }
}
