//! The pool of connections to one server.

use std::sync::Arc;
use std::time::Duration;

use r2d2::{ManageConnection, NopErrorHandler};
use redis::{ErrorKind, RedisError, RedisResult};
use scheduled_thread_pool::ScheduledThreadPool;

use crate::store::StoreError;
use crate::store::redis::connect::connection::Connection;
use crate::store::redis::connect::connector::Connector;
use crate::store::redis::error::{connect_error, store_error};
use crate::store::redis::health::cause::Cause;
use crate::store::redis::health::link::Link;

pub(crate) type Pool = r2d2::Pool<Manager>;
pub(crate) type PooledConnection = r2d2::PooledConnection<Manager>;

/// Makes connections for the pool while the server is up. While it is down, only its probe connects.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    connector: Connector,
    link: Arc<Link>,
}

impl Manager {
    pub(super) fn new(connector: Connector, link: Arc<Link>) -> Self {
        Self { connector, link }
    }

    /// A pool of at most `size` connections. The `connect_threads` make them when they are wanted.
    pub(super) fn pool(self, size: usize, connect_threads: &Arc<ScheduledThreadPool>) -> Pool {
        Pool::builder()
            .max_size(u32::try_from(size).unwrap_or(u32::MAX))
            .min_idle(Some(0))
            // A PING at checkout would cost each batch a round trip. `checkout` has a cheaper check.
            .test_on_check_out(false)
            // r2d2 would remove idle connections without replacing them: see `idle`.
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(self.connector.timeout())
            // r2d2 retries by itself. The link learns of errors from the manager.
            .error_handler(Box::new(NopErrorHandler))
            .thread_pool(connect_threads.clone())
            .build_unchecked(self)
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// For how long a connection may idle.
    pub(super) fn idle_timeout(&self) -> Duration {
        self.connector.idle_timeout()
    }
}

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> RedisResult<Connection> {
        if !self.link.is_up() {
            return Err(RedisError::from((ErrorKind::Client, "the server is known to be down")));
        }
        let generation = self.link.generation();
        self.connector.connect(generation).inspect_err(|error| {
            let error = not_made(error.clone());
            log::debug!("A connection to Redis could not be made: {}.", Cause::of(&error).name());
            self.link.no_connection(generation, &error);
        })
    }

    fn is_valid(&self, connection: &mut Connection) -> RedisResult<()> {
        connection.run(|wire| redis::cmd("PING").query(wire))
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        !connection.is_fit()
    }
}

/// The error of a connection that could not be made. It was lost if the server accepted it and then
/// broke it off, as a server does that kills its clients.
fn not_made(error: RedisError) -> StoreError {
    if error.is_connection_dropped() && !error.is_connection_refusal() {
        store_error(error)
    } else {
        connect_error(error)
    }
}
