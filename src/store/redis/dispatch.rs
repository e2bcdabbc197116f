//! Dispatcher threads. They make a synchronous pool fast: each sends all requests that wait as one call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use self::queue::{Job, Queue, QueuedRefunds, QueuedRequest};
use super::options::RedisOptions;
use super::script::batch::MAX_BATCH;
use super::script::overrides::{OverrideCall, OverrideReply};
use super::script::slots::SlotVerb;
use super::servers::{Calls, Servers};
use crate::store::{
    Acquire, Acquired, Answer, Key, Refund, Refunded, Slot, StoreError, StoreErrorKind,
};

#[cfg(any(feature = "actix", feature = "tower"))]
mod direct;
#[cfg(any(feature = "actix", feature = "tower"))]
mod gather;
#[cfg(any(feature = "actix", feature = "tower"))]
mod pending;
mod queue;
mod round_trip;

/// The queue to the dispatcher threads, which end when it is dropped.
#[derive(Debug)]
pub(super) struct Dispatch {
    queue: Arc<Queue>,
    servers: Arc<Servers>,
}

impl Dispatch {
    pub(super) fn start(
        servers: &Arc<Servers>,
        options: &RedisOptions,
    ) -> Result<Self, StoreError> {
        let threads = options.connections;
        let queue = Arc::new(Queue::new(servers.tally().clone()));
        let dispatch = Self { queue, servers: servers.clone() };
        for number in 0..threads {
            let (queue, calls) = (dispatch.queue.clone(), servers.clone());
            let dispatcher = Dispatcher { queue, calls, timeout: options.connect.timeout };
            thread::Builder::new()
                .name(format!("tollgate-redis-{number}"))
                .spawn(move || dispatcher.run())
                .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))?;
        }
        Ok(dispatch)
    }

    pub(super) fn acquire(&self, acquire: Acquire) -> Answer<Acquired> {
        if !self.servers.may_answer() {
            self.servers.tally().unanswered.add(1);
            return Answer::ready(Err(StoreError::new(StoreErrorKind::Unreachable)));
        }
        let (answer, later) = Answer::later();
        ask(&self.queue, Some(&self.servers), QueuedRequest { acquire, answer });
        later
    }

    /// Asks about the overrides of operators.
    pub(super) fn ask_overrides(&self, call: OverrideCall) -> Answer<OverrideReply> {
        if !self.servers.may_answer() {
            return Answer::ready(Err(StoreError::new(StoreErrorKind::Unreachable)));
        }
        let (answer, later) = Answer::later();
        self.queue.ask_overrides(call, answer);
        later
    }

    /// How many requests wait for a dispatcher.
    #[cfg(feature = "server")]
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    pub(super) fn refund(&self, refunds: Vec<Refund>) -> Answer<Vec<Refunded>> {
        if !self.servers.may_answer() {
            return Answer::ready(Err(StoreError::new(StoreErrorKind::Unreachable)));
        }
        let (answer, later) = Answer::later();
        self.queue.refund(refunds, answer);
        later
    }

    /// Gives `slots` back or renews them, and answers for each whether it was held.
    pub(super) fn slots(&self, verb: SlotVerb, slots: Vec<Slot>) -> Answer<Vec<bool>> {
        if !self.servers.may_answer() {
            return Answer::ready(Err(StoreError::new(StoreErrorKind::Unreachable)));
        }
        let (answer, later) = Answer::later();
        self.queue.slots(verb, slots, answer);
        later
    }

    pub(super) fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        let (answer, later) = Answer::later();
        self.queue.reset(keys, answer);
        later
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Asks `request` of `servers`: by this thread itself if it can, or else by way of `queue`.
#[cfg(any(feature = "actix", feature = "tower"))]
fn ask(queue: &Arc<Queue>, servers: Option<&Arc<Servers>>, request: QueuedRequest) {
    gather::ask(queue, servers, request);
}

/// Asks `request` by way of `queue`: without a door, no thread has a runtime.
#[cfg(not(any(feature = "actix", feature = "tower")))]
fn ask(queue: &Arc<Queue>, _: Option<&Arc<Servers>>, request: QueuedRequest) {
    queue.send(vec![request], None);
}

/// One dispatcher thread.
struct Dispatcher<C> {
    queue: Arc<Queue>,
    calls: Arc<C>,
    timeout: Duration,
}

impl<C: Calls> Dispatcher<C> {
    fn run(&self) {
        let mut served = 0;
        while let Some(jobs) = self.queue.take(served) {
            served = Job::requests(&jobs);
            self.serve_or_drop(jobs);
        }
    }

    /// Serves `jobs`. A panic drops them, which answers them, and the thread goes on with the next ones.
    fn serve_or_drop(&self, jobs: Vec<Job>) {
        if catch_unwind(AssertUnwindSafe(|| self.serve(jobs))).is_err() {
            log::error!("A dispatcher panicked; the requests it held were not decided by Redis.");
        }
    }

    fn serve(&self, jobs: Vec<Job>) {
        let mut requests = Vec::with_capacity(MAX_BATCH);
        let mut callers = Vec::with_capacity(jobs.len());
        let mut refunds = Vec::new();
        for job in jobs {
            match job {
                Job::Acquire(gathered) if gathered.queued.elapsed() > self.timeout => {
                    self.queue.refuse(gathered.requests, gathered.deferred);
                }
                Job::Acquire(gathered) => {
                    let mut answers = Vec::with_capacity(gathered.requests.len());
                    for QueuedRequest { acquire, answer } in gathered.requests {
                        requests.push(acquire);
                        answers.push(answer);
                    }
                    callers.push((answers, gathered.deferred));
                }
                Job::Work(work) => work(),
                Job::Refund(it) if it.queued.elapsed() > self.timeout => {
                    let _ = it.answer.send(Err(StoreError::new(StoreErrorKind::Overloaded)));
                }
                Job::Slots { verb, slots, answer } => {
                    let _ = answer.send(self.calls.slots(verb, &slots));
                }
                Job::Refund(it) => refunds.push(it),
                Job::Overrides { call, answer } => {
                    let _ = answer.send(self.calls.ask_overrides(&call));
                }
                Job::Reset { keys, answer } => {
                    // The receiver may be gone.
                    let _ = answer.send(self.calls.reset(&keys));
                }
            }
        }
        // Before the requests, which may ask for what is given back.
        self.refund(refunds);
        if requests.is_empty() {
            return;
        }
        let begun = Instant::now();
        let mut decided = self.calls.acquire(requests).into_iter();
        self.queue.observe(begun.elapsed());
        for (answers, deferred) in callers {
            let own = decided.by_ref().take(answers.len()).collect();
            self.queue.answer(answers, deferred, own);
        }
    }

    /// Makes all refunds of `queued` in one call.
    fn refund(&self, queued: Vec<QueuedRefunds>) {
        if queued.is_empty() {
            return;
        }
        let (mut refunds, mut answers) = (Vec::new(), Vec::with_capacity(queued.len()));
        for it in queued {
            answers.push((it.refunds.len(), it.answer));
            refunds.extend(it.refunds);
        }
        let mut refunded = self.calls.refund(&refunds).into_iter();
        for (count, answer) in answers {
            let own: Result<_, StoreErrorKind> = refunded.by_ref().take(count).collect();
            // The receiver may be gone.
            let _ = answer.send(own.map_err(StoreError::new));
        }
    }
}

#[cfg(test)]
mod tests;
