//! One server: its pool of connections, and its link, which says whether it is asked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use scheduled_thread_pool::ScheduledThreadPool;

use self::idle::IdleCheck;
use self::pool::{Manager, Pool, PooledConnection, checkout};
use super::connect::connector::Connector;
use super::connect::wire::Wire;
use super::error::store_error;
use super::health::link::Link;
use super::health::status::Tally;
use super::options::RedisOptions;
use super::recovery::attend;
use super::recovery::debts::Debts;
use super::recovery::probe::Probe;
use super::script;
use super::script::batch::Batch;
use crate::domain::clock::Clock;
use crate::store::{Key, StoreError, StoreErrorKind};

mod idle;
mod pool;

/// How many threads make connections, whatever the number of nodes.
const CONNECT_THREADS: usize = 3;

/// What all nodes of one store share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) tally: Arc<Tally>,
    pub(super) debts: Arc<Debts>,
    /// The threads that make connections.
    connect_threads: Arc<ScheduledThreadPool>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("tally", &self.tally).finish_non_exhaustive()
    }
}

impl Shared {
    /// The shared part of a new store, to which `debts` may be owed.
    pub(super) fn new(debts: Debts) -> Self {
        let connect_threads = ScheduledThreadPool::builder()
            .num_threads(CONNECT_THREADS)
            .thread_name_pattern("r2d2-worker-{}")
            .build();
        Self {
            tally: Arc::default(),
            debts: Arc::new(debts),
            connect_threads: Arc::new(connect_threads),
        }
    }
}

/// A server that is asked over pooled connections while it is up.
#[derive(Debug)]
pub(super) struct Node {
    pool: Pool,
    link: Arc<Link>,
    _idle_check: IdleCheck,
    clock: Option<Arc<dyn Clock>>,
    timeout: Duration,
}

impl Node {
    /// Probes the server once, and starts the thread that attends to it from then on. If the server
    /// does not answer, it is taken up when it does.
    pub(super) fn start(
        address: String,
        connector: Connector,
        options: &RedisOptions,
        shared: &Shared,
    ) -> Result<Self, StoreError> {
        let probe = Probe::new(connector.clone(), options)?;
        let (link, woken) = Link::new(address, options, shared.tally.clone());
        let link = Arc::new(link);
        match probe.run(0) {
            Ok(_) => link.starts_up(),
            Err(error) => link.give_up(&error),
        }
        attend::start(probe, &link, woken, shared.debts.clone())?;
        let manager = Manager::new(connector, link.clone());
        let pool = manager.clone().pool(options.connections, &shared.connect_threads);
        if link.is_up() {
            // No request shall wait for them. If this fails, they are made when they are wanted.
            let made: Vec<_> = (0..options.connections).map_while(|_| pool.get().ok()).collect();
            drop(made);
        }
        let (clock, timeout) = (options.clock.clone(), options.connect.timeout);
        let idle_check = IdleCheck::start(pool.clone(), manager, &shared.connect_threads);
        Ok(Self { pool, link, _idle_check: idle_check, clock, timeout })
    }

    pub(super) fn address(&self) -> &str {
        self.link.address()
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.is_up()
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// The pooled connections that are open, and how many of them are idle.
    #[cfg(feature = "server")]
    pub(super) fn connections(&self) -> (usize, usize) {
        let state = self.pool.state();
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        (size(state.connections), size(state.idle_connections))
    }

    /// The time limit of one call.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends `batch`, and returns the script's reply.
    pub(super) fn acquire(&self, batch: &Batch) -> Result<Vec<u8>, StoreError> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        let calls = &self.link.tally().calls;
        calls.coalesced.add(batch.coalesced());
        self.call(|wire| script::run(wire, batch, now, || calls.unknown_scripts.add(1)))
    }

    /// Forgets `keys`.
    pub(super) fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        self.call(|wire| script::reset(keys).query(wire))
    }

    /// A connection that was made after the last loss. If there is none, the link learns of it.
    pub(super) fn connection(&self) -> Result<PooledConnection, StoreError> {
        if !self.link.is_up() {
            return Err(StoreError::new(StoreErrorKind::Unreachable));
        }
        let begun = self.link.now();
        match checkout(&self.pool, &self.link) {
            Ok(connection) => Ok(connection),
            // The manager has told the link why none could be made.
            Err(_) if !self.link.is_up() => Err(StoreError::new(StoreErrorKind::Unreachable)),
            Err(error) => {
                let result = Err(StoreError::caused_by(StoreErrorKind::Unreachable, error));
                self.link.observe(begun, self.link.generation(), &result);
                result
            }
        }
    }

    /// Runs `command` on a pooled connection, and tells the link how it ended.
    fn call<T>(&self, command: impl FnOnce(&mut Wire) -> RedisResult<T>) -> Result<T, StoreError> {
        let begun = self.link.now();
        let mut connection = self.connection()?;
        let result = connection.run(command).map_err(store_error);
        self.link.observe(begun, connection.generation(), &result);
        result
    }
}
