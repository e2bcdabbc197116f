//! The queue to the dispatcher threads. Requests of one thread go into it together.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::store::defer::Deferred;
use crate::store::redis::health::status::Tally;
use crate::store::redis::script::batch::MAX_BATCH;
use crate::store::redis::script::overrides::{OverrideCall, OverrideReply};
use crate::store::{Acquire, Acquired, Key, StoreError, StoreErrorKind};

/// How many requests may wait. More would wait longer than their time limit.
pub(super) const MAX_WAITING: usize = 8_192;

/// How many requests of one thread go out together at most. More would wait for the end of a long turn
/// while a dispatcher may be idle.
const MAX_GATHERED: usize = 16;

/// While no more requests than these are being decided, an idle dispatcher takes the next one at once.
/// Waiting for so few would gather too little.
const FEW: usize = 2;

/// How long the busy dispatchers may take before the next request wakes an idle one. It is longer than a
/// call to a server nearby takes, because one call of one dispatcher costs less than two calls of two.
const PATIENCE: Duration = Duration::from_millis(1);

thread_local! {
    /// What this thread gathers for each queue in its present turn.
    static GATHERS: RefCell<Vec<Weak<Gather>>> = const { RefCell::new(Vec::new()) };
}

/// The requests that one thread makes of one queue in one turn, until its deferred work sends them.
#[derive(Debug)]
struct Gather {
    queue: Arc<Queue>,
    /// `None` once they are sent, perhaps by another thread.
    requests: Mutex<Option<Vec<QueuedRequest>>>,
}

/// The jobs that wait for a dispatcher.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    more: Condvar,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
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
    is_closed: bool,
}

#[derive(Debug)]
pub(super) enum Job {
    Acquire(Gathered),
    Reset { keys: Vec<Key>, answer: AnswerTo<()> },
    Overrides { call: Box<OverrideCall>, answer: AnswerTo<OverrideReply> },
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

pub(super) type AnswerTo<T> = oneshot::Sender<Result<T, StoreError>>;

impl Queue {
    /// An empty queue. It counts in `tally` what was not answered.
    pub(super) fn new(tally: Arc<Tally>) -> Self {
        Self { state: Mutex::default(), more: Condvar::new(), tally }
    }

    /// Queues `request`, together with the other requests of this thread in its present turn.
    pub(super) fn ask(self: &Arc<Self>, request: QueuedRequest) {
        let Some(deferred) = Deferred::here() else { return self.send(vec![request], None) };
        let begun = GATHERS.with_borrow_mut(|gathers| {
            // Those that were sent are gone.
            gathers.retain(|gather| gather.strong_count() > 0);
            let mut gathers_now = gathers.iter().filter_map(Weak::upgrade);
            gathers_now.find(|gather| Arc::ptr_eq(&gather.queue, self))
        });
        let request = match begun {
            Some(gather) => match gather.add(request) {
                Ok(None) => return,
                Ok(Some(full)) => return self.send(full, Some(deferred)),
                Err(request) => request,
            },
            None => request,
        };
        let requests = Mutex::new(Some(vec![request]));
        let gather = Arc::new(Gather { queue: self.clone(), requests });
        GATHERS.with_borrow_mut(|gathers| gathers.push(Arc::downgrade(&gather)));
        deferred.clone().defer(move || gather.send(deferred));
    }

    pub(super) fn reset(&self, keys: Vec<Key>, answer: AnswerTo<()>) {
        // A job that does not fit is dropped, which answers it.
        let _ = self.push(Job::Reset { keys, answer });
    }

    pub(super) fn ask_overrides(&self, call: OverrideCall, answer: AnswerTo<OverrideReply>) {
        // A job that does not fit is dropped, which answers it.
        let _ = self.push(Job::Overrides { call: Box::new(call), answer });
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
            taken <= MAX_BATCH
        };
        let count = state.jobs.iter().take_while(fits).count();
        let jobs: Vec<Job> = state.jobs.drain(..count).collect();
        let requests = Job::requests(&jobs);
        state.waiting -= requests;
        state.being_decided += requests;
        Some(jobs)
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

    /// Answers `gathered` without sending it: too many requests wait, or these have waited too long.
    pub(super) fn refuse(&self, gathered: Gathered) {
        self.tally.overloads.add(gathered.requests.len() as u64);
        let answers: Vec<_> = gathered.requests.into_iter().map(|it| it.answer).collect();
        let refused = vec![Err(StoreErrorKind::Overloaded); answers.len()];
        self.answer(answers, gathered.deferred, refused);
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

    fn send(&self, requests: Vec<QueuedRequest>, deferred: Option<Arc<Deferred>>) {
        if let Err(Job::Acquire(gathered)) =
            self.push(Job::Acquire(Gathered { requests, queued: Instant::now(), deferred }))
        {
            self.refuse(gathered);
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
        let wakes = state.idle > 0 && !state.is_woken && state.wants_another();
        state.is_woken |= wakes;
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

impl Gather {
    /// Adds `request`. Returns all requests when they are as many as go out together.
    ///
    /// # Errors
    /// With `request`, when the others were sent meanwhile.
    fn add(&self, request: QueuedRequest) -> Result<Option<Vec<QueuedRequest>>, QueuedRequest> {
        let mut gathered = self.lock();
        let Some(requests) = gathered.as_mut() else { return Err(request) };
        requests.push(request);
        Ok((requests.len() == MAX_GATHERED).then(|| std::mem::take(requests)))
    }

    fn send(&self, deferred: Arc<Deferred>) {
        let requests = self.lock().take();
        if let Some(requests) = requests.filter(|requests| !requests.is_empty()) {
            self.queue.send(requests, Some(deferred));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<QueuedRequest>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether another dispatcher should come. Either the busy ones decide almost nothing, or more waits
    /// than one call can decide, or no dispatcher has come for too long because a call hangs.
    fn wants_another(&self) -> bool {
        self.being_decided <= FEW
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
            Self::Reset { .. } | Self::Overrides { .. } => 0,
        }
    }
}
