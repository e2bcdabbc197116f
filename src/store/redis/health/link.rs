//! Whether the server is asked: the breaker, what is counted of it, and who is told of its return.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use super::breaker::{Breaker, Failure, Verdict};
use super::cause::Cause;
use super::outage_log::Report;
use super::status::Tally;
use crate::domain::clock::{Clock as _, Millis, millis};
use crate::store::redis::node::pool::Connector;
use crate::store::redis::options::RedisOptions;
use crate::store::redis::recovery::attend;
use crate::store::redis::recovery::debts::Accounts;
use crate::store::redis::recovery::probe::Probe;
use crate::store::{MonotonicClock, StoreError, StoreErrorKind};

/// The state of the link to one server.
#[derive(Debug)]
pub(crate) struct Link {
    report: Report,
    /// What a call may take.
    budget: Millis,
    clock: MonotonicClock,
    breaker: Breaker,
    accounts: Arc<Accounts>,
    /// Counts the outages, and the times that connections were lost: one from before the last of
    /// them may be dead, too, and is not used again.
    generation: AtomicU64,
    /// The count of unanswered requests when the present outage began.
    unanswered_before: AtomicU64,
    wake: Sender<()>,
}

impl Link {
    /// Probes once, and starts the thread that attends to the link from then on.
    pub(crate) fn start(
        address: String,
        connector: Connector,
        options: &RedisOptions,
        accounts: &Arc<Accounts>,
    ) -> Result<Arc<Self>, StoreError> {
        let probe = Probe::new(connector, options)?;
        let (wake, wakes) = bounded(1);
        let link = Arc::new(Self {
            report: Report::new(address),
            budget: millis(options.timeout),
            clock: MonotonicClock::start(),
            breaker: Breaker::new(millis(options.probe_interval)),
            accounts: accounts.clone(),
            generation: AtomicU64::new(0),
            unanswered_before: AtomicU64::new(0),
            wake,
        });
        match probe.run(0) {
            Ok(_) => link.report.is_up(),
            Err(error) => link.give_up(&error),
        }
        let weak = Arc::downgrade(&link);
        thread::Builder::new()
            .name("tollgate-probe".to_owned())
            .spawn(move || attend::run(&probe, &weak, &wakes))
            .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))?;
        Ok(link)
    }

    pub(crate) fn address(&self) -> &str {
        self.report.address()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.breaker.is_closed()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// For how long it has been down.
    pub(crate) fn down_for(&self) -> Option<Duration> {
        let opened = self.breaker.opened_at();
        opened.map(|at| Duration::from_millis(self.now().saturating_sub(at)))
    }

    pub(crate) fn tally(&self) -> &Tally {
        self.accounts.tally()
    }

    /// An instant for [`observe`](Self::observe).
    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Learns how a call ended that began at `begun`, on a connection of `generation`. A late answer
    /// is an answer, but the next may be later: it counts as a failure.
    pub(crate) fn observe<T>(
        &self,
        begun: Millis,
        generation: u64,
        result: &Result<T, StoreError>,
    ) {
        let took = self.now().saturating_sub(begun);
        match result {
            Ok(_) if took > self.budget => {
                self.tally().slow.add(1);
                self.learn(Failure::Late, &too_slow());
            }
            Ok(_) => {
                if self.breaker.succeeded() {
                    self.fails_some();
                }
            }
            Err(error) => self.failed(failure(error.kind()), generation, error),
        }
    }

    /// A connection of `generation` could not be made; it was lost, too, where it broke meanwhile.
    pub(crate) fn no_connection(&self, generation: u64, error: &StoreError) {
        let failure = match error.kind() {
            StoreErrorKind::Lost => Failure::Lost,
            _ => Failure::NoConnection,
        };
        self.failed(failure, generation, error);
    }

    pub(crate) fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// Has what is owed looked for.
    pub(crate) fn look(&self) {
        // A full channel is awake already.
        let _ = self.wake.try_send(());
    }

    /// How long the first probe of an outage waits.
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_millis(self.breaker.wait())
    }

    /// A probe failed.
    pub(crate) fn still_down(&self, error: &StoreError) {
        self.breaker.probe_failed();
        self.tally().set_cause(Cause::of(error));
        let down = self.down_for().unwrap_or_default();
        self.report.is_still_down(error, down, self.now());
    }

    /// A probe succeeded: asks the server again.
    pub(crate) fn take_up(&self) {
        let Some(down) = self.breaker.close(self.now()) else { return };
        let before = self.unanswered_before.load(Ordering::Relaxed);
        let unanswered = self.tally().unanswered.get().saturating_sub(before);
        self.report.came_back(Duration::from_millis(down), unanswered);
    }

    /// While the server refuses some calls in a row and is asked on, in how long a probe is due that says
    /// whether it counts.
    pub(crate) fn doubt(&self) -> Option<Duration> {
        self.breaker.doubt(self.now()).map(Duration::from_millis)
    }

    /// That probe succeeded: what the server refuses is about some requests.
    pub(crate) fn confirm(&self) {
        self.breaker.confirm(self.now());
        self.fails_some();
    }

    /// What may be told in the log of charges to the server: see [`Report`].
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    fn failed(&self, failure: Failure, generation: u64, error: &StoreError) {
        self.tally().failures.add(1);
        self.report.failed();
        // Connections that are lost together are lost once.
        if failure != Failure::Lost || self.outdate(generation) {
            self.learn(failure, error);
        }
    }

    fn learn(&self, failure: Failure, error: &StoreError) {
        self.tally().set_cause(Cause::of(error));
        if self.breaker.failed(failure, self.now()) == Verdict::Opened {
            self.went_down(error);
        }
        // It may be doubted now, and what was decided without it may be owed to it.
        self.look();
    }

    /// Has no connection of `generation` used again; false where that was so already.
    fn outdate(&self, generation: u64) -> bool {
        let next = generation + 1;
        let swap =
            self.generation.compare_exchange(generation, next, Ordering::AcqRel, Ordering::Acquire);
        swap.is_ok()
    }

    /// Opens the breaker for one failure of a probe, as when nothing was ever answered.
    pub(crate) fn give_up(&self, error: &StoreError) {
        self.tally().failures.add(1);
        self.tally().set_cause(Cause::of(error));
        if self.breaker.open(self.now()) {
            self.went_down(error);
        }
        self.look();
    }

    fn went_down(&self, error: &StoreError) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.tally().outages.add(1);
        self.unanswered_before.store(self.tally().unanswered.get(), Ordering::Relaxed);
        self.report.went_down(error, self.now());
    }

    /// Says that calls failed without an outage, now and then.
    fn fails_some(&self) {
        if let Some(cause) = self.tally().cause() {
            self.report.fails_some(cause, self.now());
        }
    }
}

fn failure(kind: StoreErrorKind) -> Failure {
    match kind {
        StoreErrorKind::TimedOut => Failure::Late,
        StoreErrorKind::Unreachable => Failure::NoConnection,
        StoreErrorKind::Lost => Failure::Lost,
        _ => Failure::Refused,
    }
}

/// An answer that came, but later than it may.
pub(crate) fn too_slow() -> StoreError {
    StoreError::caused_by(StoreErrorKind::TimedOut, "it answers, but too slowly")
}
