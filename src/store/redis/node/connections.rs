//! Pooled connections to one server, for one kind of user.

use std::sync::Arc;
use std::time::{Duration, Instant};

use scheduled_thread_pool::ScheduledThreadPool;

use super::idle::IdleCheck;
use super::pool::{Manager, Pool, PooledConnection};
use crate::store::redis::health::link::Link;

/// In how many parts a dispatcher waits for a connection. Between them it checks that the server is
/// still up.
const WAITS: u32 = 10;

/// A pool, whose idle connections are replaced in the background.
#[derive(Debug)]
pub(super) struct Connections {
    pool: Pool,
    _idle_check: IdleCheck,
}

impl Connections {
    /// At most `most` connections that `manager` makes, on one of the `connect_threads`, when they are wanted.
    pub(super) fn new(
        manager: Manager,
        most: usize,
        connect_threads: &Arc<ScheduledThreadPool>,
    ) -> Self {
        let pool = manager.clone().pool(most, connect_threads);
        let idle_check = IdleCheck::start(pool.clone(), manager, connect_threads);
        Self { pool, _idle_check: idle_check }
    }

    /// Makes all of them. If that fails, they are made when they are wanted.
    pub(super) fn make_all(&self) {
        let made: Vec<_> = (0..self.pool.max_size()).map_while(|_| self.pool.get().ok()).collect();
        drop(made);
    }

    /// How many are open, and how many of them are idle.
    #[cfg(feature = "server")]
    pub(super) fn count(&self) -> (usize, usize) {
        let state = self.pool.state();
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        (size(state.connections), size(state.idle_connections))
    }

    /// Takes out one that was made after the last loss of `link` and is not
    /// [worn](super::super::connect::connection::Connection::is_worn). It waits for one no longer than the time limit of
    /// a call, and only while the server is up.
    pub(super) fn take(&self, link: &Link) -> Result<PooledConnection, r2d2::Error> {
        let timeout = self.pool.connection_timeout();
        let deadline = Instant::now() + timeout;
        loop {
            match self.pool.get_timeout(timeout / WAITS) {
                Ok(connection) if is_ready(&connection, link) => return Ok(connection),
                Ok(mut connection) => connection.discard(),
                Err(error) if !link.is_up() || Instant::now() > deadline => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// The same if one is idle. It never waits.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn take_idle(&self, link: &Link) -> Option<PooledConnection> {
        loop {
            let mut connection = self.pool.try_get()?;
            if is_ready(&connection, link) {
                return Some(connection);
            }
            connection.discard();
        }
    }

    /// Has another one made in the background.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn make_another(&self) {
        // One that has become idle meanwhile goes back.
        drop(self.pool.get_timeout(Duration::ZERO));
    }
}

fn is_ready(connection: &PooledConnection, link: &Link) -> bool {
    connection.generation() == link.generation() && !connection.is_worn(Duration::ZERO)
}
