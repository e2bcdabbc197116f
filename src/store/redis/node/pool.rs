//! Connections: every one with time limits and the script loaded, none reused after a failure, or
//! where it was closed or forgotten while it idled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use r2d2::{ManageConnection, NopErrorHandler};
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use scheduled_thread_pool::ScheduledThreadPool;

use crate::store::StoreError;
use crate::store::redis::connect::target::{Target, of_socket};
use crate::store::redis::connect::wire::Wire;
use crate::store::redis::error::{connect_error, store_error};
use crate::store::redis::health::cause::Cause;
use crate::store::redis::health::link::Link;
use crate::store::redis::options::RedisOptions;
use crate::store::redis::script;

pub(crate) type Pool = r2d2::Pool<Manager>;
pub(crate) type PooledConnection = r2d2::PooledConnection<Manager>;

/// In so many parts a dispatcher waits for a connection, and looks in between whether it should.
const WAITS: u32 = 10;

/// Makes connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    target: Target,
    timeout: Duration,
    idle_timeout: Duration,
    is_member: bool,
}

impl Connector {
    pub(crate) fn new(target: Target, options: &RedisOptions) -> Self {
        let RedisOptions { timeout, idle_timeout, .. } = *options;
        Self { target, timeout, idle_timeout, is_member: false }
    }

    /// The same to a node of a cluster, who may say that a key is another's.
    pub(crate) fn of_member(self) -> Self {
        Self { is_member: true, ..self }
    }

    pub(crate) fn is_member(&self) -> bool {
        self.is_member
    }

    /// A connection of `generation`, with the script loaded.
    pub(crate) fn connect(&self, generation: u64) -> RedisResult<Connection> {
        let mut inner = self.target.connect(self.timeout)?;
        script::load(&mut inner)?;
        Ok(self.connection(inner, generation))
    }

    /// The same, where there is time to find out why there is none.
    pub(crate) fn connect_or_explain(&self, generation: u64) -> RedisResult<Connection> {
        self.connect(generation).map_err(|error| self.target.explain(error, self.timeout))
    }

    /// A connection on which nothing was asked yet.
    #[cfg(feature = "server")]
    pub(crate) fn bare(&self) -> RedisResult<Connection> {
        let inner = self.target.connect(self.timeout);
        let inner = inner.map_err(|error| self.target.explain(error, self.timeout))?;
        Ok(self.connection(inner, 0))
    }

    fn connection(&self, inner: Wire, generation: u64) -> Connection {
        let (used, idle_timeout) = (Instant::now(), self.idle_timeout);
        Connection { inner, failed: false, generation, used, idle_timeout }
    }
}

/// Makes connections for the pool, while the server is up: what is down is asked by its probe alone.
#[derive(Clone, Debug)]
pub(crate) struct Manager {
    connector: Connector,
    link: Arc<Link>,
}

impl Manager {
    pub(crate) fn new(connector: Connector, link: Arc<Link>) -> Self {
        Self { connector, link }
    }

    /// A pool of at most `size` connections, which `makers` make when they are wanted.
    pub(crate) fn pool(self, size: usize, makers: &Arc<ScheduledThreadPool>) -> Pool {
        Pool::builder()
            .max_size(u32::try_from(size).unwrap_or(u32::MAX))
            .min_idle(Some(0))
            // A PING at checkout would cost a round trip per batch; `checkout` looks by itself.
            .test_on_check_out(false)
            // Those that r2d2 takes away it does not replace: see `idle`.
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(self.connector.timeout)
            // It retries on its own; the link learns what the manager meets.
            .error_handler(Box::new(NopErrorHandler))
            .thread_pool(makers.clone())
            .build_unchecked(self)
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// How long a connection may idle.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.connector.idle_timeout
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
            let error = unmade(error.clone());
            log::debug!("A connection to Redis could not be made: {}.", Cause::of(&error).name());
            self.link.no_connection(generation, &error);
        })
    }

    fn is_valid(&self, connection: &mut Connection) -> RedisResult<()> {
        connection.run(|inner| redis::cmd("PING").query(inner))
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.failed
    }
}

/// What it means that a connection was not made: it was lost if the server took it and then broke it
/// off, as where others are killed as well.
fn unmade(error: RedisError) -> StoreError {
    if error.is_connection_dropped() && !error.is_connection_refusal() {
        store_error(error)
    } else {
        connect_error(error)
    }
}

/// A connection out of `pool`, none from before the last loss and none that is [worn](Connection::is_worn);
/// waits for one no longer than a call may take, and only while the server is up.
pub(crate) fn checkout(pool: &Pool, link: &Link) -> Result<PooledConnection, r2d2::Error> {
    let deadline = Instant::now() + pool.connection_timeout();
    loop {
        match pool.get_timeout(pool.connection_timeout() / WAITS) {
            Ok(connection)
                if connection.generation == link.generation()
                    && !connection.is_worn(Duration::ZERO) =>
            {
                return Ok(connection);
            }
            Ok(mut connection) => connection.discard(),
            Err(error) if !link.is_up() || Instant::now() > deadline => return Err(error),
            Err(_) => {}
        }
    }
}

/// A connection that remembers whether it may be used again.
pub(crate) struct Connection {
    inner: Wire,
    failed: bool,
    generation: u64,
    /// When it was made, or last answered.
    used: Instant,
    idle_timeout: Duration,
}

impl Connection {
    /// The count of losses before it was made.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether it may be used again.
    pub(crate) fn is_fit(&self) -> bool {
        !self.failed
    }

    /// Whether nothing should be sent over it any more, though nothing has failed: it was closed, or
    /// has idled for so long that something on the way may have forgotten it, or will have after
    /// another `margin`. Costs no round trip.
    pub(crate) fn is_worn(&self, margin: Duration) -> bool {
        self.used.elapsed() + margin > self.idle_timeout || !self.inner.is_quiet()
    }

    /// Has the pool throw it away.
    pub(crate) fn discard(&mut self) {
        self.failed = true;
    }

    /// Sends `commands`, which are packed.
    pub(crate) fn send(&mut self, commands: &[u8]) -> RedisResult<()> {
        self.run(|inner| inner.send(commands))
    }

    /// The next reply to what was sent, if it comes within `limit`; an error of the server's is one.
    pub(crate) fn receive(&mut self, limit: Duration) -> RedisResult<Value> {
        self.run(|inner| {
            inner.set_read_limit(of_socket(limit))?;
            inner.receive()
        })
    }

    /// Runs `command`. After a failure the connection is thrown away: a reply that comes late would be
    /// taken for the next request's, and a server that is no longer the primary stays so. Only a
    /// server that merely disliked the command keeps it.
    pub(crate) fn run<T>(
        &mut self,
        command: impl FnOnce(&mut Wire) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let result = command(&mut self.inner);
        self.used = Instant::now();
        result.inspect_err(|error| {
            use ServerErrorKind::{NoPerm, NoScript, ResponseError};
            self.failed |=
                !matches!(error.kind(), ErrorKind::Server(NoPerm | NoScript | ResponseError));
        })
    }
}
