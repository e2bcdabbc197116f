//! Dispatcher threads: they make a synchronous pool fast by sending what waits together as one call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use redis::RedisResult;

use self::queue::{Asked, Job, MAX_BATCH, Queue, answer_all};
use super::batch::Batch;
use super::link::Link;
use super::pool::{Connection, Pool, checkout};
use super::{RedisOptions, script, store_error};
use crate::clock::Clock;
use crate::store::{Acquire, Acquired, Answer, Key, StoreError, StoreErrorKind};

mod queue;

/// The way to the dispatcher threads, which end with it.
#[derive(Debug)]
pub(super) struct Dispatch {
    queue: Arc<Queue>,
    link: Arc<Link>,
}

impl Dispatch {
    pub(super) fn start(
        pool: &Pool,
        link: &Arc<Link>,
        options: &RedisOptions,
        threads: usize,
    ) -> Result<Self, StoreError> {
        let dispatch =
            Self { queue: Arc::new(Queue::new(threads, link.tally().clone())), link: link.clone() };
        for number in 0..threads {
            let calls =
                Server { pool: pool.clone(), link: link.clone(), clock: options.clock.clone() };
            let dispatcher =
                Dispatcher { queue: dispatch.queue.clone(), calls, timeout: options.timeout };
            thread::Builder::new()
                .name(format!("tollgate-redis-{number}"))
                .spawn(move || dispatcher.run())
                .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))?;
        }
        Ok(dispatch)
    }

    pub(super) fn acquire(&self, acquire: Acquire) -> Answer<Acquired> {
        if !self.link.is_up() {
            self.link.tally().unanswered.add(1);
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
    calls: C,
    timeout: Duration,
}

impl<C: Calls> Dispatcher<C> {
    fn run(&self) {
        while let Some(jobs) = self.queue.take() {
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
                    askers.push((answers, group.desk));
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
        match self.decide(&Batch::of(asked)) {
            Ok(mut decided) => {
                for (answers, desk) in askers {
                    let rest = decided.split_off(answers.len().min(decided.len()));
                    answer_all(answers, desk, decided.into_iter().map(Ok));
                    decided = rest;
                }
            }
            Err(error) => {
                for (answers, desk) in askers {
                    self.queue.fail(answers, desk, error.kind());
                }
            }
        }
    }

    fn decide(&self, batch: &Batch) -> Result<Vec<Acquired>, StoreError> {
        let reply = self.calls.acquire(batch)?;
        batch.answers(&reply).ok_or_else(|| {
            StoreError::caused_by(StoreErrorKind::Refused, "the reply does not fit the batch")
        })
    }
}

/// What a dispatcher asks of the server.
trait Calls {
    /// The script's reply to `batch`.
    fn acquire(&self, batch: &Batch) -> Result<Vec<i64>, StoreError>;

    /// Forgets `keys`.
    fn reset(&self, keys: &[Key]) -> Result<(), StoreError>;
}

/// The server, over pooled connections.
struct Server {
    pool: Pool,
    link: Arc<Link>,
    clock: Option<Arc<dyn Clock>>,
}

impl Calls for Server {
    fn acquire(&self, batch: &Batch) -> Result<Vec<i64>, StoreError> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        self.call(|connection| script::run(connection, batch, now))
    }

    fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        let names: Vec<&str> = keys.iter().map(Key::as_str).collect();
        self.call(|connection| connection.run(|it| redis::cmd("UNLINK").arg(&names).query(it)))
    }
}

impl Server {
    /// Runs `command` on a pooled connection, and tells the link how it ended.
    fn call<T>(
        &self,
        command: impl FnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        if !self.link.is_up() {
            return Err(StoreError::new(StoreErrorKind::Unreachable));
        }
        let begun = self.link.now();
        let (generation, result) = match checkout(&self.pool, &self.link) {
            Ok(mut connection) => {
                (connection.generation(), command(&mut connection).map_err(store_error))
            }
            // What kept it from being made, the link was told.
            Err(_) if !self.link.is_up() => {
                return Err(StoreError::new(StoreErrorKind::Unreachable));
            }
            Err(error) => {
                let error = StoreError::caused_by(StoreErrorKind::Unreachable, error);
                (self.link.generation(), Err(error))
            }
        };
        self.link.observe(begun, generation, &result);
        result
    }
}

#[cfg(test)]
mod tests;
