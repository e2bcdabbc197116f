//! One server: its pool, and the link that says whether it is asked.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use scheduled_thread_pool::ScheduledThreadPool;

use self::idle::Keeper;
use self::pool::{Connection, Connector, Manager, Pool, PooledConnection, checkout};
use super::error::store_error;
use super::health::link::Link;
use super::options::RedisOptions;
use super::recovery::debts::Accounts;
use super::script;
use super::script::batch::Batch;
use crate::domain::clock::Clock;
use crate::store::{Key, StoreError, StoreErrorKind};

pub(super) mod idle;
pub(super) mod pool;

/// A server that is asked over pooled connections while it answers.
#[derive(Debug)]
pub(super) struct Node {
    pool: Pool,
    link: Arc<Link>,
    _keeper: Keeper,
    clock: Option<Arc<dyn Clock>>,
    timeout: Duration,
}

impl Node {
    /// Tries once to reach the server; where it does not answer, it is taken up when it does.
    pub(super) fn start(
        address: String,
        connector: Connector,
        options: &RedisOptions,
        accounts: &Arc<Accounts>,
        makers: &Arc<ScheduledThreadPool>,
    ) -> Result<Self, StoreError> {
        let connections = options.connections;
        let link = Link::start(address, connector.clone(), options, accounts)?;
        let manager = Manager::new(connector, link.clone());
        let pool = manager.clone().pool(connections, makers);
        if link.is_up() {
            // No request waits for one; what fails is made when it is wanted.
            let made: Vec<_> = (0..connections).map_while(|_| pool.get().ok()).collect();
            drop(made);
        }
        let (clock, timeout) = (options.clock.clone(), options.timeout);
        let keeper = Keeper::start(pool.clone(), manager, makers);
        Ok(Self { pool, link, _keeper: keeper, clock, timeout })
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

    /// What one call may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The script's reply to `batch`.
    pub(super) fn acquire(&self, batch: &Batch) -> Result<Vec<u8>, StoreError> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        self.call(|connection| script::run(connection, batch, now))
    }

    /// Forgets `keys`.
    pub(super) fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        let names: Vec<&str> = keys.iter().map(Key::as_str).collect();
        self.call(|connection| connection.run(|it| redis::cmd("UNLINK").arg(&names).query(it)))
    }

    /// A connection, none from before the last loss; the link learns that there is none.
    pub(super) fn connection(&self) -> Result<PooledConnection, StoreError> {
        if !self.link.is_up() {
            return Err(StoreError::new(StoreErrorKind::Unreachable));
        }
        let begun = self.link.now();
        match checkout(&self.pool, &self.link) {
            Ok(connection) => Ok(connection),
            // What kept it from being made, the link was told.
            Err(_) if !self.link.is_up() => Err(StoreError::new(StoreErrorKind::Unreachable)),
            Err(error) => {
                let result = Err(StoreError::caused_by(StoreErrorKind::Unreachable, error));
                self.link.observe(begun, self.link.generation(), &result);
                result
            }
        }
    }

    /// Runs `command` on a pooled connection, and tells the link how it ended.
    fn call<T>(
        &self,
        command: impl FnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        let begun = self.link.now();
        let mut connection = self.connection()?;
        let result = command(&mut connection).map_err(store_error);
        self.link.observe(begun, connection.generation(), &result);
        result
    }
}
