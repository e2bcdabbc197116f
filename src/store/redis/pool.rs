//! Connections: every one with time limits and the script loaded, none reused after a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use r2d2::{HandleError, ManageConnection};
use redis::{ConnectionLike, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use scheduled_thread_pool::ScheduledThreadPool;

use super::script;
use super::target::Target;

pub(super) type Pool = r2d2::Pool<Manager>;
pub(super) type PooledConnection = r2d2::PooledConnection<Manager>;

/// Makes connections for the pool.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    target: Target,
    timeout: Duration,
    is_member: bool,
    generation: Generation,
}

impl Manager {
    pub(super) fn new(target: Target, timeout: Duration) -> Self {
        Self { target, timeout, is_member: false, generation: Generation::default() }
    }

    /// The same for a node of a cluster, who may say that a key is another's.
    pub(super) fn of_member(self) -> Self {
        Self { is_member: true, ..self }
    }

    pub(super) fn is_member(&self) -> bool {
        self.is_member
    }

    /// A pool of at most `size` connections, which `makers` make when they are wanted.
    pub(super) fn into_pool(self, size: usize, makers: &Arc<ScheduledThreadPool>) -> Pool {
        let timeout = self.timeout;
        Pool::builder()
            .max_size(u32::try_from(size).unwrap_or(u32::MAX))
            .min_idle(Some(0))
            // A PING at checkout would cost a round trip per batch; a dead connection shows at once.
            .test_on_check_out(false)
            .connection_timeout(timeout)
            .error_handler(Box::new(LogQuietly))
            .thread_pool(makers.clone())
            .build_unchecked(self)
    }

    pub(super) fn generation(&self) -> Generation {
        self.generation.clone()
    }
}

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = RedisError;

    fn connect(&self) -> RedisResult<Connection> {
        let mut inner = self.target.connect(self.timeout)?;
        script::load(&mut inner)?;
        let born = self.generation.current();
        Ok(Connection { inner, failed: false, born, generation: self.generation() })
    }

    fn is_valid(&self, connection: &mut Connection) -> RedisResult<()> {
        connection.run(|inner| redis::cmd("PING").query(inner))
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.failed || !connection.inner.is_open()
    }
}

/// A connection that remembers whether it may be used again.
pub(super) struct Connection {
    inner: redis::Connection,
    failed: bool,
    born: u64,
    generation: Generation,
}

impl Connection {
    /// Whether the server has answered without a break since it was made.
    pub(super) fn is_current(&self) -> bool {
        self.born == self.generation.current()
    }

    /// Has the pool throw it away.
    pub(super) fn discard(&mut self) {
        self.failed = true;
    }

    /// Sends `commands`, which are packed.
    pub(super) fn send(&mut self, commands: &[u8]) -> RedisResult<()> {
        self.run(|inner| inner.send_packed_command(commands))
    }

    /// The next reply to what was sent, if it comes within `limit`; an error of the server's is one.
    pub(super) fn receive(&mut self, limit: Duration) -> RedisResult<Value> {
        self.run(|inner| {
            inner.set_read_timeout(Some(limit))?;
            inner.recv_response()
        })
    }

    /// Runs `command`. After a failure the connection is thrown away: a reply that comes late would be
    /// taken for the next request's, and a server that is no longer the primary stays so. Only a
    /// server that merely disliked the command keeps it.
    pub(super) fn run<T>(
        &mut self,
        command: impl FnOnce(&mut redis::Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        command(&mut self.inner).inspect_err(|error| {
            use ServerErrorKind::{NoPerm, NoScript, ResponseError};
            self.failed |=
                !matches!(error.kind(), ErrorKind::Server(NoPerm | NoScript | ResponseError));
        })
    }
}

/// Counts the failures of the server; a connection from before the last one is not used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Generation(Arc<AtomicU64>);

impl Generation {
    pub(super) fn next(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn current(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The pool retries on its own; the link tells the operator, once.
#[derive(Debug)]
struct LogQuietly;

impl HandleError<RedisError> for LogQuietly {
    fn handle_error(&self, error: RedisError) {
        log::debug!("A connection to Redis could not be made: {error}.");
    }
}
