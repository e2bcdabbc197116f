//! Dispatcher threads: they make a synchronous pool fast by sending what waits together as one call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use redis::RedisResult;

use super::batch::Batch;
use super::link::Link;
use super::pool::{Connection, Pool, checkout};
use super::{RedisOptions, script, store_error};
use crate::clock::Clock;
use crate::store::{Acquire, Acquired, Answer, Key, StoreError, StoreErrorKind};

/// How many requests may wait: more than that would wait longer than they may.
const QUEUE: usize = 8_192;

/// How many requests one script call decides at most: Redis serves nobody else meanwhile.
const MAX_BATCH: usize = 128;

/// The queue to the dispatcher threads, which end with it.
#[derive(Debug)]
pub(super) struct Dispatch {
    queue: Sender<Job>,
    link: Arc<Link>,
}

#[derive(Debug)]
enum Job {
    Acquire { acquire: Acquire, queued: Instant, answer: AnswerTo<Acquired> },
    Reset { keys: Vec<Key>, answer: AnswerTo<()> },
}

type AnswerTo<T> = oneshot::Sender<Result<T, StoreError>>;

impl Dispatch {
    pub(super) fn start(
        pool: &Pool,
        link: &Arc<Link>,
        options: &RedisOptions,
        threads: usize,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = bounded(QUEUE);
        for number in 0..threads {
            let server =
                Server { pool: pool.clone(), link: link.clone(), clock: options.clock.clone() };
            let dispatcher =
                Dispatcher { jobs: jobs.clone(), calls: server, timeout: options.timeout };
            thread::Builder::new()
                .name(format!("tollgate-redis-{number}"))
                .spawn(move || dispatcher.run())
                .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))?;
        }
        Ok(Self { queue, link: link.clone() })
    }

    pub(super) fn acquire(&self, acquire: Acquire) -> Answer<Acquired> {
        if !self.link.is_up() {
            self.link.unanswered(1);
        }
        let queued = Instant::now();
        self.enqueue(|answer| Job::Acquire { acquire, queued, answer })
    }

    pub(super) fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.enqueue(|answer| Job::Reset { keys, answer })
    }

    fn enqueue<T>(&self, job: impl FnOnce(AnswerTo<T>) -> Job) -> Answer<T> {
        let refuse = |kind| Answer::ready(Err(StoreError::new(kind)));
        if !self.link.is_up() {
            return refuse(StoreErrorKind::Unreachable);
        }
        let (sender, answer) = Answer::later();
        match self.queue.try_send(job(sender)) {
            Ok(()) => answer,
            Err(TrySendError::Full(_)) => refuse(StoreErrorKind::Overloaded),
            Err(TrySendError::Disconnected(_)) => refuse(StoreErrorKind::Closed),
        }
    }
}

/// One thread's loop.
struct Dispatcher<C> {
    jobs: Receiver<Job>,
    calls: C,
    timeout: Duration,
}

impl<C: Calls> Dispatcher<C> {
    fn run(&self) {
        while let Some(jobs) = self.take() {
            self.serve_or_drop(jobs);
        }
    }

    /// Takes what is queued, never waiting for more: an idle system sends a batch of one at once, a
    /// busy one what gathered while the last call was under way. `None` when nobody asks any more.
    fn take(&self) -> Option<Vec<Job>> {
        let first = self.jobs.recv().ok()?;
        let rest = self.jobs.try_iter().take(MAX_BATCH - 1);
        Some(std::iter::once(first).chain(rest).collect())
    }

    /// A panic drops the jobs, which answers them; the thread goes on with the next.
    fn serve_or_drop(&self, jobs: Vec<Job>) {
        if catch_unwind(AssertUnwindSafe(|| self.serve(jobs))).is_err() {
            log::error!("A dispatcher panicked; the requests it held were not decided by Redis.");
        }
    }

    fn serve(&self, jobs: Vec<Job>) {
        let mut batch = Batch::default();
        let mut askers = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Acquire { queued, answer, .. } if queued.elapsed() > self.timeout => {
                    self.calls.unanswered(1);
                    send(answer, Err(StoreError::new(StoreErrorKind::Overloaded)));
                }
                Job::Acquire { acquire, answer, .. } => {
                    batch.push(acquire);
                    askers.push(answer);
                }
                Job::Reset { keys, answer } => send(answer, self.calls.reset(&keys)),
            }
        }
        if askers.is_empty() {
            return;
        }
        match self.decide(&batch) {
            Ok(answers) => askers.into_iter().zip(answers).for_each(|(to, it)| send(to, Ok(it))),
            Err(error) => {
                let kind = error.kind();
                self.calls.unanswered(askers.len());
                askers.into_iter().for_each(|to| send(to, Err(StoreError::new(kind))));
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

    /// Learns that `requests` go on without an answer.
    fn unanswered(&self, _requests: usize) {}
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

    fn unanswered(&self, requests: usize) {
        self.link.unanswered(requests);
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

/// Answers one caller, who may have gone.
fn send<T>(answer: AnswerTo<T>, result: Result<T, StoreError>) {
    let _ = answer.send(result);
}

#[cfg(test)]
mod tests;
