//! One server: its pool, and the link that says whether it is asked.

use std::sync::Arc;

use redis::RedisResult;
use scheduled_thread_pool::ScheduledThreadPool;

use super::batch::Batch;
use super::link::Link;
use super::pool::{Connection, Manager, Pool, PooledConnection};
use super::{RedisOptions, script, store_error};
use crate::clock::Clock;
use crate::store::{Key, StoreError, StoreErrorKind};

/// A server that is asked over pooled connections while it answers.
#[derive(Debug)]
pub(super) struct Node {
    pool: Pool,
    link: Arc<Link>,
    clock: Option<Arc<dyn Clock>>,
}

impl Node {
    /// Tries once to reach the server; where it does not answer, it is taken up when it does.
    pub(super) fn start(
        address: String,
        manager: Manager,
        options: &RedisOptions,
        makers: &Arc<ScheduledThreadPool>,
    ) -> Result<Self, StoreError> {
        let connections = options.connections.max(1);
        let link = Link::start(address, manager.clone(), options)?;
        let pool = manager.into_pool(connections, makers);
        if link.is_up() {
            // No request waits for one; what fails is made when it is wanted.
            let made: Vec<_> = (0..connections).map_while(|_| pool.get().ok()).collect();
            drop(made);
        }
        Ok(Self { pool, link, clock: options.clock.clone() })
    }

    pub(super) fn address(&self) -> &str {
        self.link.address()
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// The script's reply to `batch`.
    pub(super) fn acquire(&self, batch: &Batch) -> Result<Vec<i64>, StoreError> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        self.call(|connection| script::run(connection, batch, now))
    }

    /// Forgets `keys`.
    pub(super) fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        let names: Vec<&str> = keys.iter().map(Key::as_str).collect();
        self.call(|connection| connection.run(|it| redis::cmd("UNLINK").arg(&names).query(it)))
    }

    /// A connection, none from before the last failure; that there is none takes the link down.
    pub(super) fn connection(&self) -> Result<PooledConnection, StoreError> {
        if !self.link.is_up() {
            return Err(StoreError::new(StoreErrorKind::Unreachable));
        }
        loop {
            let mut connection = self.pool.get().map_err(|error| {
                let error = StoreError::caused_by(StoreErrorKind::Unreachable, error);
                self.fail(&error);
                error
            })?;
            if connection.is_current() {
                return Ok(connection);
            }
            connection.discard();
        }
    }

    /// Learns of a failure that takes the link down.
    pub(super) fn fail(&self, error: &StoreError) {
        self.link.take_down(error);
    }

    /// Runs `command` on a pooled connection; a failure takes the link down.
    fn call<T>(
        &self,
        command: impl FnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection()?;
        let result = command(&mut connection).map_err(store_error);
        result.inspect_err(|error| self.fail(error))
    }
}
