//! Dispatcher threads: they make a synchronous pool fast by sending what waits together as one call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(super) use self::queue::MAX_BATCH;
use self::queue::{Asked, Job, Queue};
use super::options::RedisOptions;
use super::servers::Servers;
use crate::store::{Acquire, Acquired, Answer, Key, StoreError, StoreErrorKind};

mod queue;

/// The way to the dispatcher threads, which end with it.
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
            let dispatcher = Dispatcher { queue, calls, timeout: options.timeout };
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
        self.queue.ask(Asked { acquire, answer });
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

/// One thread's loop.
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

    /// A panic drops the jobs, which answers them; the thread goes on with the next.
    fn serve_or_drop(&self, jobs: Vec<Job>) {
        if catch_unwind(AssertUnwindSafe(|| self.serve(jobs))).is_err() {
            log::error!("A dispatcher panicked; the requests it held were not decided by Redis.");
        }
    }

    fn serve(&self, jobs: Vec<Job>) {
        let mut asked = Vec::with_capacity(MAX_BATCH);
        let mut askers = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Acquire(group) if group.queued.elapsed() > self.timeout => {
                    self.queue.refuse(group);
                }
                Job::Acquire(group) => {
                    let mut answers = Vec::with_capacity(group.asked.len());
                    for Asked { acquire, answer } in group.asked {
                        asked.push(acquire);
                        answers.push(answer);
                    }
                    askers.push((answers, group.deferred));
                }
                Job::Reset { keys, answer } => {
                    // Whoever asked may have gone.
                    let _ = answer.send(self.calls.reset(&keys));
                }
            }
        }
        if asked.is_empty() {
            return;
        }
        let mut decided = self.calls.acquire(asked).into_iter();
        for (answers, deferred) in askers {
            let own = decided.by_ref().take(answers.len()).collect();
            self.queue.answer(answers, deferred, own);
        }
    }
}

/// What a dispatcher asks of the servers.
pub(super) trait Calls {
    /// What is decided of each of `asked`, in that order.
    fn acquire(&self, asked: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>>;

    /// Forgets `keys`.
    fn reset(&self, keys: &[Key]) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests;
