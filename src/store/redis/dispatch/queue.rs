//! The queue to the dispatcher threads.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::round_trip::RoundTrip;
use crate::store::defer::Deferred;
use crate::store::redis::health::status::Tally;
use crate::store::redis::script::batch::MAX_BATCH;
use crate::store::redis::script::overrides::{OverrideCall, OverrideReply};
use crate::store::redis::script::slots::SlotVerb;
use crate::store::{Acquire, Acquired, Key, Refund, Refunded, Slot, StoreError, StoreErrorKind};

/// How many requests may wait. More would wait longer than their time limit.
pub(super) const MAX_WAITING: usize = 8_192;

/// While no more requests than these are being decided, an idle dispatcher takes the next one at once.
/// Waiting for so few would gather too little.
const FEW: usize = 2;

/// How long the busy dispatchers may take before the next request wakes an idle one. It is longer than a
/// call to a server nearby takes, because one call of one dispatcher costs less than two calls of two.
const PATIENCE: Duration = Duration::from_millis(1);

/// The jobs that wait for a dispatcher.
pub(super) struct Queue {
    state: Mutex<State>,
    more: Condvar,
    tally: Arc<Tally>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// How many requests the jobs hold.
    waiting: usize,
    /// How many requests dispatchers have taken and not answered yet.
    being_decided: usize,
    /// How many dispatchers wait for a job.
    idle: usize,
    /// Whether one of them was woken, and has not come yet.
    is_woken: bool,
    /// When a dispatcher last came.
    came: Option<Instant>,
    /// Of the calls that dispatchers make.
    round_trip: RoundTrip,
    is_closed: bool,
}

pub(super) enum Job {
    Acquire(Gathered),
    #[cfg_attr(
        not(any(feature = "actix", feature = "tower")),
        allow(dead_code, reason = "only threads with a runtime leave work to others")
    )]
    Work(Box<dyn FnOnce() + Send>),
    Reset {
        keys: Vec<Key>,
        answer: AnswerTo<()>,
    },
    Refund(QueuedRefunds),
    Slots {
        verb: SlotVerb,
        slots: Vec<Slot>,
        answer: AnswerTo<Vec<bool>>,
    },
    Overrides {
        call: Box<OverrideCall>,
        answer: AnswerTo<OverrideReply>,
    },
}

/// The requests of one thread in one turn.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) requests: Vec<QueuedRequest>,
    pub(super) queued: Instant,
    /// Where the answers are left, to be sent together. Without it they are sent one by one.
    pub(super) deferred: Option<Arc<Deferred>>,
}

/// A request, and where its answer goes.
#[derive(Debug)]
pub(super) struct QueuedRequest {
    pub(super) acquire: Acquire,
    pub(super) answer: AnswerTo<Acquired>,
}

/// Charges to give back, and where the answer goes.
#[derive(Debug)]
pub(super) struct QueuedRefunds {
    pub(super) refunds: Vec<Refund>,
    pub(super) queued: Instant,
    pub(super) answer: AnswerTo<Vec<Refunded>>,
}

pub(super) type AnswerTo<T> = oneshot::Sender<Result<T, StoreError>>;

impl Queue {
    /// An empty queue. It counts in `tally` what was not answered.
    pub(super) fn new(tally: Arc<Tally>) -> Self {
        Self { state: Mutex::default(), more: Condvar::new(), tally }
    }

    pub(super) fn reset(&self, keys: Vec<Key>, answer: AnswerTo<()>) {
        // A job that does not fit is dropped, which answers it.
        let _ = self.push(Job::Reset { keys, answer });
    }

    pub(super) fn refund(&self, refunds: Vec<Refund>, answer: AnswerTo<Vec<Refunded>>) {
        // A job that does not fit is dropped, which answers it.
        let queued = Instant::now();
        let _ = self.push(Job::Refund(QueuedRefunds { refunds, queued, answer }));
    }

    pub(super) fn slots(&self, verb: SlotVerb, slots: Vec<Slot>, answer: AnswerTo<Vec<bool>>) {
        // A job that does not fit is dropped, which answers it.
        let _ = self.push(Job::Slots { verb, slots, answer });
    }

    pub(super) fn ask_overrides(&self, call: OverrideCall, answer: AnswerTo<OverrideReply>) {
        // A job that does not fit is dropped, which answers it.
        let _ = self.push(Job::Overrides { call: Box::new(call), answer });
    }

    /// Has a dispatcher do `work`, which waits for a server.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn work(&self, work: impl FnOnce() + Send + 'static) {
        // A job that does not fit is dropped, with what it would have answered.
        let _ = self.push(Job::Work(Box::new(work)));
    }

    /// Waits for jobs and takes the next ones, of at most [`MAX_BATCH`] requests together. `None` means
    /// that the queue is closed. The dispatcher has answered `served` requests since it last came.
    ///
    /// It never waits for more. An idle system sends a batch of one at once, and a busy one sends what
    /// gathered during the last call.
    pub(super) fn take(&self, served: usize) -> Option<Vec<Job>> {
        let mut state = self.lock();
        state.being_decided -= served;
        while state.jobs.is_empty() {
            if state.is_closed {
                return None;
            }
            state.idle += 1;
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            state.is_woken = false;
        }
        state.came = Some(Instant::now());
        let mut taken = 0;
        let fits = |job: &&Job| {
            taken += job.len();
            taken <= MAX_BATCH && !matches!(job, Job::Work(_))
        };
        // Work waits for a server, so nothing else is taken with it.
        let count = state.jobs.iter().take_while(fits).count().max(1);
        let jobs: Vec<Job> = state.jobs.drain(..count).collect();
        let requests = Job::requests(&jobs);
        state.waiting -= requests;
        state.being_decided += requests;
        let wakes = !state.jobs.is_empty() && state.wakes_another();
        drop(state);
        if wakes {
            self.more.notify_one();
        }
        Some(jobs)
    }

    /// Learns that a call took so long.
    pub(super) fn observe(&self, took: Duration) {
        self.lock().round_trip.observe(took, Instant::now());
    }

    /// How many requests wait.
    #[cfg(feature = "server")]
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// Lets the dispatchers end when they have taken the last jobs.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.more.notify_all();
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().jobs.is_empty()
    }

    /// Answers `requests` without sending them: too many wait, or these have waited too long.
    pub(super) fn refuse(&self, requests: Vec<QueuedRequest>, deferred: Option<Arc<Deferred>>) {
        self.tally.overloads.add(requests.len() as u64);
        let answers: Vec<_> = requests.into_iter().map(|it| it.answer).collect();
        let refused = vec![Err(StoreErrorKind::Overloaded); answers.len()];
        self.answer(answers, deferred, refused);
    }

    /// Sends to each of `answers` the next of `decided`, together at `deferred` if there is one. Counts the
    /// requests that no server decided.
    pub(super) fn answer(
        &self,
        answers: Vec<AnswerTo<Acquired>>,
        deferred: Option<Arc<Deferred>>,
        decided: Vec<Result<Acquired, StoreErrorKind>>,
    ) {
        let unanswered = decided.iter().filter(|it| it.is_err()).count();
        if unanswered > 0 {
            self.tally.unanswered.add(unanswered as u64);
        }
        let send = move || {
            for (answer, decided) in answers.into_iter().zip(decided) {
                // The receiver may be gone.
                let _ = answer.send(decided.map_err(StoreError::new));
            }
        };
        match deferred {
            Some(deferred) => deferred.defer(send),
            None => send(),
        }
    }

    /// Queues `requests`. Their answers are sent together at `deferred`, if there is one.
    pub(super) fn send(&self, requests: Vec<QueuedRequest>, deferred: Option<Arc<Deferred>>) {
        if let Err(Job::Acquire(gathered)) =
            self.push(Job::Acquire(Gathered { requests, queued: Instant::now(), deferred }))
        {
            self.refuse(gathered.requests, gathered.deferred);
        }
    }

    /// Queues `job`, or gives it back if too many requests wait.
    fn push(&self, job: Job) -> Result<(), Job> {
        let mut state = self.lock();
        if state.waiting + job.len() > MAX_WAITING {
            return Err(job);
        }
        state.waiting += job.len();
        state.jobs.push_back(job);
        let wakes = state.wakes_another();
        drop(state);
        if wakes {
            self.more.notify_one();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl State {
    /// Whether an idle dispatcher is to be woken now.
    fn wakes_another(&mut self) -> bool {
        let wakes = self.idle > 0 && !self.is_woken && self.wants_another();
        self.is_woken |= wakes;
        wakes
    }

    /// Whether another dispatcher should come. Either the busy ones decide almost nothing, or the server is so far away
    /// that their calls take long, or more waits than one call can decide, or no dispatcher has come for too long
    /// because a call hangs.
    fn wants_another(&self) -> bool {
        self.being_decided <= FEW
            || self.round_trip.is_far()
            || self.waiting > MAX_BATCH
            || self.came.is_none_or(|came| came.elapsed() > PATIENCE)
    }
}

impl Job {
    /// How many requests `jobs` hold.
    pub(super) fn requests(jobs: &[Self]) -> usize {
        jobs.iter().map(Self::len).sum()
    }

    fn len(&self) -> usize {
        match self {
            Self::Acquire(gathered) => gathered.requests.len(),
            _ => 0,
        }
    }
}
