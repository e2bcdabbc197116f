//! One server: its pool of connections, and its link, which says whether it is asked.

use std::fmt;
use std::sync::Arc;
#[cfg(any(feature = "actix", feature = "tower"))]
use std::sync::OnceLock;
use std::time::Duration;

use redis::RedisResult;
use scheduled_thread_pool::ScheduledThreadPool;

use self::connections::Connections;
use self::pool::Manager;
pub(super) use self::pool::PooledConnection;
use super::connect::connector::Connector;
use super::connect::wire::Wire;
use super::error::store_error;
use super::health::link::Link;
use super::health::status::Tally;
use super::options::RedisOptions;
use super::recovery::attend;
use super::recovery::debts::Debts;
use super::recovery::probe::Probe;
use super::script::batch::{Batch, MAX_BATCH};
use super::script::overrides::{self, OverrideCall, OverrideReply};
use super::script::slots::{self, SlotVerb};
use super::script::{self, Sent};
use super::server_clock::ServerClock;
use crate::domain::clock::{Clock, Millis};
use crate::store::{Key, Refund, Refunded, Slot, StoreError, StoreErrorKind};

mod connections;
mod idle;
mod pool;

/// How many threads make connections, whatever the number of nodes.
const CONNECT_THREADS: usize = 3;

/// How many threads may call directly at a time. A server has about one for each processor.
#[cfg(any(feature = "actix", feature = "tower"))]
const MOST_DIRECT: usize = 512;

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
    link: Arc<Link>,
    /// Those of the dispatchers.
    connections: Connections,
    /// Those of threads that call directly, one for each, once there are any.
    #[cfg(any(feature = "actix", feature = "tower"))]
    direct: OnceLock<Connections>,
    #[cfg(any(feature = "actix", feature = "tower"))]
    make_direct: (Manager, Shared),
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
        let connections =
            Connections::new(manager.clone(), options.connections, &shared.connect_threads);
        if link.is_up() {
            // No request shall wait for them.
            connections.make_all();
        }
        Ok(Self {
            link,
            connections,
            #[cfg(any(feature = "actix", feature = "tower"))]
            direct: OnceLock::new(),
            #[cfg(any(feature = "actix", feature = "tower"))]
            make_direct: (manager, shared.clone()),
            clock: options.clock.clone(),
            timeout: options.connect.timeout,
        })
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
        let (open, idle) = self.connections.count();
        let (open_too, idle_too) = self.direct.get().map_or((0, 0), Connections::count);
        (open + open_too, idle + idle_too)
    }

    /// The time limit of one call.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The time of a clock that decides instead of the server's, in tests.
    pub(super) fn now(&self) -> Option<Millis> {
        self.clock.as_ref().map(|clock| clock.now())
    }

    /// Sends `batch`, and returns the script's reply.
    pub(super) fn acquire(&self, batch: &Batch) -> Result<Vec<u8>, StoreError> {
        let now = self.now();
        let calls = &self.link.tally().calls;
        calls.coalesced.add(batch.coalesced());
        let first = self.server_clock().first();
        self.call(|wire| script::run(wire, batch, now, first, |again| self.sends_again(again)))
    }

    /// Learns why a script is sent again to the server.
    pub(super) fn sends_again(&self, again: Sent) {
        if again.is_whole() {
            self.link.tally().calls.unknown_scripts.add(1);
        }
        self.server_clock().learn(again);
    }

    /// What is known of the server's clock.
    pub(super) fn server_clock(&self) -> &ServerClock {
        self.link.server_clock()
    }

    /// Forgets `keys`.
    pub(super) fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        self.call(|wire| script::reset(keys).query(wire))
    }

    /// Makes `refunds`, one after another.
    pub(super) fn refund(&self, refunds: &[Refund]) -> Vec<Result<Refunded, StoreErrorKind>> {
        let now = self.now();
        let run = |wire: &mut Wire| {
            let first = self.server_clock().first();
            script::run_refunds(wire, refunds, now, first, |again| self.sends_again(again))
        };
        match self.call(run) {
            Ok(refunded) => refunded.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error.kind()); refunds.len()],
        }
    }

    /// Gives `slots` back or renews them, and returns for each whether it was held.
    pub(super) fn slots(&self, verb: SlotVerb, slots: &[Slot]) -> Result<Vec<bool>, StoreError> {
        let now = self.now();
        let some = |wire: &mut Wire| {
            let each = slots.chunks(MAX_BATCH).map(|some| slots::run(wire, verb, some, now));
            each.collect::<RedisResult<Vec<_>>>()
        };
        Ok(self.call(some)?.concat())
    }

    /// Asks about the overrides of operators.
    pub(super) fn ask_overrides(&self, call: &OverrideCall) -> Result<OverrideReply, StoreError> {
        let reply = self.call(|wire| overrides::run(wire, call))?;
        OverrideReply::read(reply).map_err(store_error)
    }

    /// A connection that was made after the last loss. If there is none, the link learns of it.
    pub(super) fn connection(&self) -> Result<PooledConnection, StoreError> {
        if !self.link.is_up() {
            return Err(StoreError::new(StoreErrorKind::Unreachable));
        }
        let begun = self.link.now();
        match self.connections.take(&self.link) {
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

    /// A connection for direct calls, if one is idle. It never waits.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn direct_connection(&self) -> Option<PooledConnection> {
        self.link.is_up().then(|| self.direct().take_idle(&self.link)).flatten()
    }

    /// Has another such connection made.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn make_direct_connection(&self) {
        self.direct().make_another();
    }

    #[cfg(any(feature = "actix", feature = "tower"))]
    fn direct(&self) -> &Connections {
        let (manager, shared) = &self.make_direct;
        let begin = || Connections::new(manager.clone(), MOST_DIRECT, &shared.connect_threads);
        self.direct.get_or_init(begin)
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
