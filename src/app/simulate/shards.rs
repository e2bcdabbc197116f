//! Replays over several threads, each of which has clients of its own: [`Shards`].

use std::num::NonZeroUsize;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::engine::{Counted, Engine};
use super::names::Names;
use super::view::View;
use crate::app::access_log::LoggedRequest;
use crate::app::config::Config;
use crate::app::error::AppError;
use crate::domain::policy::{KeySource, Policy, Rollout};
use crate::limiter::Incoming as _;
use crate::store::Fingerprint;

/// The requests that are handed to a thread at once.
const BATCH: usize = 1_024;

/// The batches that may wait for a thread.
const WAITING: usize = 8;

/// Replays requests, on one thread or on several.
#[derive(Debug)]
pub(super) struct Shards(Kind);

#[derive(Debug)]
enum Kind {
    One(Box<Engine>),
    Several { by: Box<Partition>, shards: Vec<Shard> },
}

/// A thread that replays, and the requests that it is given next.
#[derive(Debug)]
struct Shard {
    requests: SyncSender<Vec<LoggedRequest>>,
    next: Vec<LoggedRequest>,
    thread: JoinHandle<Counted>,
}

/// What all policies count by. Requests that differ in it share no quota, so different threads may decide them.
#[derive(Debug)]
struct Partition {
    view: View,
    policy: Policy,
}

impl Shards {
    /// Starts at most as many `threads`.
    ///
    /// # Errors
    /// When policies and routes of a configuration do not fit together, or a thread cannot be started.
    pub(super) fn start(
        candidate: &Config,
        current: Option<&Config>,
        names: &Names,
        threads: NonZeroUsize,
    ) -> Result<Self, AppError> {
        let by = Partition::of(candidate, current).filter(|_| threads.get() > 1);
        let engine = || Engine::new(candidate, current, names);
        let Some(by) = by else { return Ok(Self(Kind::One(Box::new(engine()?)))) };
        let shards: Result<_, _> = (0..threads.get()).map(|_| Shard::start(engine()?)).collect();
        Ok(Self(Kind::Several { by: Box::new(by), shards: shards? }))
    }

    /// Replays `requests`, which are in order of time, and takes them.
    pub(super) fn replay(&mut self, requests: &mut Vec<LoggedRequest>) {
        match &mut self.0 {
            Kind::One(engine) => requests.drain(..).for_each(|request| engine.replay(&request)),
            Kind::Several { by, shards } => {
                for request in requests.drain(..) {
                    let shard = by.fingerprint(&request).shard(shards.len());
                    shards[shard].take(request);
                }
            }
        }
    }

    /// Ends the threads, and returns what all of them counted.
    pub(super) fn end(self) -> Counted {
        match self.0 {
            Kind::One(engine) => engine.end(),
            Kind::Several { shards, .. } => {
                let ended: Vec<_> = shards.into_iter().map(Shard::close).collect();
                let counted = ended.into_iter().map(|thread| {
                    // What a thread dies of is ours as well.
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                });
                let add = |mut sum: Counted, other| {
                    sum.add(other);
                    sum
                };
                counted.reduce(add).expect("there are several")
            }
        }
    }
}

impl Shard {
    fn start(mut engine: Engine) -> Result<Self, AppError> {
        let (sender, receiver) = sync_channel::<Vec<LoggedRequest>>(WAITING);
        let replay = move || {
            for batch in receiver {
                batch.iter().for_each(|request| engine.replay(request));
            }
            engine.end()
        };
        let thread = thread::Builder::new().name("simulate".to_owned()).spawn(replay);
        let thread = thread.map_err(|error| AppError::new("no thread can be started", error))?;
        Ok(Self { requests: sender, next: Vec::with_capacity(BATCH), thread })
    }

    fn take(&mut self, request: LoggedRequest) {
        self.next.push(request);
        if self.next.len() >= BATCH {
            let batch = std::mem::replace(&mut self.next, Vec::with_capacity(BATCH));
            // If the thread is gone, its end tells why.
            let _ = self.requests.send(batch);
        }
    }

    /// Gives it what is left, and lets it end.
    fn close(self) -> JoinHandle<Counted> {
        let _ = self.requests.send(self.next);
        self.thread
    }
}

impl Partition {
    /// What all policies count by; `None` if they count by different things, or anything by all clients together.
    fn of(candidate: &Config, current: Option<&Config>) -> Option<Self> {
        let is_alike = |current: &&Config| {
            current.client_ip == candidate.client_ip && current.auth == candidate.auth
        };
        if current.is_some_and(|current| !is_alike(&current)) {
            return None;
        }
        let all = candidate.policies.iter().chain(current.into_iter().flat_map(|it| &it.policies));
        let mut policies = all.filter(|policy| policy.rollout() != Rollout::Off);
        let policy = policies.next()?.clone();
        let counts_alike = |other: &Policy| {
            (other.key(), other.ipv6_prefix()) == (policy.key(), policy.ipv6_prefix())
        };
        // The shares of routes would be too few, and too unequal.
        let is_shared = |part: &KeySource| {
            matches!(part, KeySource::Global | KeySource::Route | KeySource::Segment(_))
        };
        let is_fit = !policy.key().parts().iter().any(is_shared) && policies.all(counts_alike);
        is_fit.then(|| Self { view: View::of(candidate), policy })
    }

    fn fingerprint(&self, request: &LoggedRequest) -> Fingerprint {
        let seen = self.view.see(request);
        let identity = seen.with_client(|client| client.identity(&self.policy).to_string());
        Fingerprint::of_text(&identity)
    }
}
