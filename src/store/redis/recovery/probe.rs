//! Finds out whether a server would count: charges keys of its own, by the same script as requests do.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::RedisError;

use crate::domain::algorithm::{Algorithm, LARGEST_LOG};
use crate::domain::clock::Clock;
use crate::domain::policy::Policy;
use crate::domain::quota::Quota;
#[cfg(feature = "server")]
use crate::store::Key;
use crate::store::redis::connect::connection::Connection;
use crate::store::redis::connect::connector::Connector;
use crate::store::redis::connect::wire::Wire;
use crate::store::redis::error::{connect_error, store_error};
use crate::store::redis::health::cause::{Cause, TimeRefused, too_slow};
use crate::store::redis::options::RedisOptions;
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::{self, Sent};
use crate::store::{Acquire, Charge, Keyspace, StoreError, StoreErrorKind};

/// An outage of up to so many time limits may be a stall, which ends at any moment. During that time, the
/// pause between two probes is a fraction of the time limit.
const STALL_TIMEOUTS: u32 = 10;
const PAUSES_PER_TIMEOUT: u32 = 8;

/// Probes one server, over a connection of its own each time.
pub(crate) struct Probe {
    connector: Connector,
    charges: Vec<Charge>,
    clock: Option<Arc<dyn Clock>>,
    timeout: Duration,
    interval: Duration,
}

impl Probe {
    pub(crate) fn new(connector: Connector, options: &RedisOptions) -> Result<Self, StoreError> {
        let policies =
            policies().map_err(|error| StoreError::caused_by(StoreErrorKind::Refused, error))?;
        // A node of a cluster takes only keys of one slot in a call. A single server takes all keys; if
        // it is in fact a node of a cluster, keys of several slots show it at once. The first braces of
        // a key are its hash tag.
        let keyspace = |number: usize| match connector.is_member() {
            true => Keyspace::new(&options.key_prefix),
            false => Keyspace::new(format!("{}:{{probe-{number}}}", options.key_prefix)),
        };
        let charge = |(number, policy): (usize, Policy)| {
            let key = keyspace(number).probe(&policy);
            Charge::new(Arc::new(policy), key)
        };
        let charges = policies.into_iter().enumerate().map(charge).collect();
        Ok(Self {
            connector,
            charges,
            clock: options.clock.clone(),
            timeout: options.connect.timeout,
            interval: options.probe_interval,
        })
    }

    /// The wait between two probes of a server that is down.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// The wait before the next probe, after the server was probed for so long. It is shorter at first.
    pub(super) fn pause_after(&self, probed: Duration) -> Duration {
        if probed < STALL_TIMEOUTS * self.timeout {
            self.interval.min(self.timeout / PAUSES_PER_TIMEOUT)
        } else {
            self.interval
        }
    }

    /// Connects and charges. Returns the connection, of `generation`, if the server counts in time.
    pub(crate) fn run(&self, generation: u64) -> Result<Connection, StoreError> {
        let connection = self.connector.connect_or_explain(generation);
        let mut connection = connection.map_err(connect_error)?;
        let begun = Instant::now();
        if let Err(error) = self.charge(&mut connection) {
            // If the slot of the keys has moved, the node still counts other keys.
            if !(self.connector.is_member() && is_redirection(&error)) {
                return Err(explain(error, &mut connection));
            }
        }
        if begun.elapsed() > self.timeout {
            return Err(too_slow());
        }
        Ok(connection)
    }

    /// Charges all of its keys in one call.
    fn charge(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let acquire = |charge: &Charge| Acquire::new(vec![charge.clone()], 1);
        let batch = Batch::of(self.charges.iter().map(acquire).collect());
        let reply = self.reply(connection, &batch)?;
        batch.decode(&reply).map(drop)
    }

    /// Sends `batch` over `connection`, and returns the script's reply.
    pub(super) fn reply(
        &self,
        connection: &mut Connection,
        batch: &Batch,
    ) -> Result<Vec<u8>, StoreError> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        connection
            .run(|wire| script::run(wire, batch, now, Sent::ByHash, |_| {}))
            .map_err(store_error)
    }

    /// The keys that it charges.
    #[cfg(feature = "server")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.charges.iter().map(|charge| &charge.key)
    }

    /// The time limit of one call.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Finds out whether `error` of a script is about `TIME`: it does not say which command is refused.
fn explain(error: StoreError, connection: &mut Connection) -> StoreError {
    let is_refused = |wire: &mut Wire| script::is_time_refused(wire);
    if Cause::of(&error) == Cause::Permission && connection.run(is_refused).unwrap_or(false) {
        return StoreError::caused_by(StoreErrorKind::Refused, TimeRefused);
    }
    error
}

/// Whether `error` names another node of a cluster.
fn is_redirection(error: &StoreError) -> bool {
    let source = error.source().and_then(|it| it.downcast_ref::<RedisError>());
    source.is_some_and(|error| error.redirect_node().is_some())
}

/// A policy of each algorithm, so that a probe shows that all of them work. Their quotas are never used
/// up, so that every probe writes, and begins with a command that a full memory refuses.
pub(crate) fn policies() -> Result<Vec<Policy>, Box<dyn Error + Send + Sync>> {
    let quota = Quota::new(LARGEST_LOG, 1_000)?;
    let algorithms = [
        Algorithm::SlidingWindow,
        Algorithm::FixedWindow,
        Algorithm::SlidingLog,
        Algorithm::TokenBucket { burst: LARGEST_LOG },
    ];
    let policy = |algorithm| Ok(Policy::new("probe", quota)?.with_algorithm(algorithm)?);
    algorithms.into_iter().map(policy).collect()
}
