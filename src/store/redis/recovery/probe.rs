//! Whether the server would count: charges keys of its own, with the script and as requests do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::RedisError;

use crate::domain::algorithm::{Algorithm, LARGEST_LOG};
use crate::domain::clock::Clock;
use crate::domain::policy::Policy;
use crate::domain::quota::{Cost, Quota};
#[cfg(feature = "server")]
use crate::store::Key;
use crate::store::redis::error::{connect_error, store_error};
use crate::store::redis::health::cause::Cause;
use crate::store::redis::health::link::too_slow;
use crate::store::redis::node::pool::{Connection, Connector};
use crate::store::redis::options::RedisOptions;
use crate::store::redis::script;
use crate::store::redis::script::batch::Batch;
use crate::store::{Acquire, Acquired, Charge, Keyspace, StoreError, StoreErrorKind};

/// An outage of so many time limits may be a stall, which ends at any moment. Probes follow each other
/// after a part of a time limit then.
const STALL_TIMEOUTS: u32 = 10;
const STALL_PAUSES: u32 = 8;

/// Asks on a connection of its own, and charges what is owed over it.
pub(crate) struct Probe {
    connector: Connector,
    charges: Vec<Charge>,
    clock: Option<Arc<dyn Clock>>,
    budget: Duration,
    interval: Duration,
}

impl Probe {
    pub(crate) fn new(connector: Connector, options: &RedisOptions) -> Result<Self, StoreError> {
        let policies =
            policies().map_err(|error| StoreError::caused_by(StoreErrorKind::Refused, error))?;
        // A node of a cluster takes keys of one slot in a call. Who is given as one server takes all,
        // and is found out at once if it does not. The first braces of a key are its hash tag.
        let keyspace = |number: usize| match connector.is_member() {
            true => Keyspace::new(&options.key_prefix),
            false => Keyspace::new(format!("{}:{{probe-{number}}}", options.key_prefix)),
        };
        let charge = |(number, policy): (usize, Policy)| Charge {
            key: keyspace(number).probe(&policy),
            policy: Arc::new(policy),
        };
        let charges = policies.into_iter().enumerate().map(charge).collect();
        Ok(Self {
            connector,
            charges,
            clock: options.clock.clone(),
            budget: options.timeout,
            interval: options.probe_interval,
        })
    }

    /// How long a probe that failed waits before the next.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// The same in an outage that was probed for so long: a stall of a few time limits is over as soon as
    /// the server answers.
    pub(crate) fn pause_after(&self, probed: Duration) -> Duration {
        if probed < STALL_TIMEOUTS * self.budget {
            self.interval.min(self.budget / STALL_PAUSES)
        } else {
            self.interval
        }
    }

    /// The connection over which the server counted, of `generation`.
    pub(crate) fn run(&self, generation: u64) -> Result<Connection, StoreError> {
        let connection = self.connector.connect_or_explain(generation);
        let mut connection = connection.map_err(connect_error)?;
        let ask =
            |charge: &Charge| Acquire { charges: vec![charge.clone()], cost: Cost::ONE, count: 1 };
        let begun = Instant::now();
        let counted = self.charge(&mut connection, self.charges.iter().map(ask));
        counted.map(drop).or_else(|error| {
            // The slot of the keys has moved: the node is there for others.
            if self.connector.is_member() && is_redirection(&error) {
                return Ok(());
            }
            // A script that is refused something is not told what.
            if Cause::of(&error) == Cause::Permission && script::time_is_refused(&mut connection) {
                Err(StoreError::caused_by(StoreErrorKind::Refused, NoTime))
            } else {
                Err(error)
            }
        })?;
        if begun.elapsed() > self.budget {
            return Err(too_slow());
        }
        Ok(connection)
    }

    /// Charges `asked`, all in one call.
    fn charge(
        &self,
        connection: &mut Connection,
        asked: impl Iterator<Item = Acquire>,
    ) -> Result<Vec<Acquired>, StoreError> {
        let batch = Batch::of(asked.collect());
        let reply = self.reply(connection, &batch)?;
        batch.answers(&reply).ok_or_else(|| {
            StoreError::caused_by(StoreErrorKind::Refused, "the reply does not fit the batch")
        })
    }

    /// The script's reply to `batch`.
    pub(crate) fn reply(
        &self,
        connection: &mut Connection,
        batch: &Batch,
    ) -> Result<Vec<u8>, StoreError> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        script::run(connection, batch, now).map_err(store_error)
    }

    /// What it charges.
    #[cfg(feature = "server")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.charges.iter().map(|charge| &charge.key)
    }

    /// What one call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.budget
    }
}

fn is_redirection(error: &StoreError) -> bool {
    let source = std::error::Error::source(error).and_then(|it| it.downcast_ref::<RedisError>());
    source.is_some_and(|error| error.redirect_node().is_some())
}

/// That the server's scripts may not call `TIME`, without which nothing can be counted.
#[derive(Debug)]
pub(crate) struct NoTime;

impl std::fmt::Display for NoTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("scripts may not call TIME")
    }
}

impl std::error::Error for NoTime {}

/// One of each algorithm, so that each is known to work, and of quotas that are never used up, so
/// that every probe writes. Each writes first by a command that a full memory refuses.
pub(crate) fn policies() -> Result<Vec<Policy>, Box<dyn std::error::Error + Send + Sync>> {
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
