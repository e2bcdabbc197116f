//! One connection of a store, which remembers whether it may be used again.

#[cfg(any(feature = "actix", feature = "tower"))]
use std::io;
#[cfg(any(feature = "actix", feature = "tower"))]
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

#[cfg(any(feature = "actix", feature = "tower"))]
use redis::FromRedisValue;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

#[cfg(any(feature = "actix", feature = "tower"))]
use super::arrivals::Arrivals;
use super::wire::Wire;

/// A connection that is thrown away after a failure, or after it has idled for too long.
pub(crate) struct Connection {
    wire: Wire,
    has_failed: bool,
    generation: u64,
    /// When it was made, or last used.
    used: Instant,
    idle_timeout: Duration,
    /// Where a task was told last of what arrives.
    #[cfg(any(feature = "actix", feature = "tower"))]
    arrivals: Option<Arrivals>,
}

impl Connection {
    /// A connection of `generation` over `wire`, which may idle for `idle_timeout`.
    pub(super) fn new(wire: Wire, generation: u64, idle_timeout: Duration) -> Self {
        Self {
            wire,
            has_failed: false,
            generation,
            used: Instant::now(),
            idle_timeout,
            #[cfg(any(feature = "actix", feature = "tower"))]
            arrivals: None,
        }
    }

    /// How many times connections to this server had been lost before this one was made.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether it may be used again.
    pub(crate) fn is_fit(&self) -> bool {
        !self.has_failed
    }

    /// Whether it should be replaced, although nothing has failed on it. Either the server has closed
    /// it, or it will have idled for longer than it may after another `margin`. It costs no round trip.
    pub(crate) fn is_worn(&self, margin: Duration) -> bool {
        self.used.elapsed() + margin > self.idle_timeout || !self.wire.is_quiet()
    }

    /// When anything last passed over it.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn last_used(&self) -> Instant {
        self.used
    }

    /// Keeps it from being used again.
    pub(crate) fn discard(&mut self) {
        self.has_failed = true;
    }

    /// Sends `commands`, which are packed.
    pub(crate) fn send(&mut self, commands: &[u8]) -> RedisResult<()> {
        self.run(|wire| wire.send(commands))
    }

    /// Receives the next reply, which must come within `limit`. An error that the server replies with
    /// is a reply as well.
    pub(crate) fn receive(&mut self, limit: Duration) -> RedisResult<Value> {
        self.run(|wire| {
            wire.set_read_limit(limit);
            wire.receive()
        })
    }

    /// Has the runtime of this thread tell its tasks what arrives, for [`poll_receive`](Self::poll_receive).
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn watch(&mut self) -> io::Result<()> {
        if !self.arrivals.as_ref().is_some_and(Arrivals::is_watched_here) {
            self.arrivals = Some(self.wire.watch()?);
        }
        Ok(())
    }

    /// Receives the next reply in a task, and never blocks. The connection must be [watched](Self::watch). After the
    /// reply that `is_last`, nothing more is due.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn poll_receive(
        &mut self,
        is_last: bool,
        context: &mut Context<'_>,
    ) -> Poll<RedisResult<Value>> {
        let Some(arrivals) = self.arrivals.take() else { return Poll::Pending };
        let received = loop {
            match arrivals.poll(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error.into())),
                Poll::Pending => break Poll::Pending,
            }
            let mut received = None;
            let _ = arrivals.read(|| {
                received = self.run(Wire::receive_arrived).transpose();
                let is_more_due = received.is_some() && !(is_last && self.wire.is_drained());
                // Without it, the next poll would look in vain.
                is_more_due.then_some(()).ok_or_else(|| io::ErrorKind::WouldBlock.into())
            });
            if let Some(received) = received {
                break Poll::Ready(received);
            }
        };
        self.arrivals = Some(arrivals);
        received
    }

    /// Runs `command`. If it fails, the connection is not used again: the next request would take a
    /// late reply for its own, and a server that is no longer the primary stays a replica. It is kept
    /// where the server only refused this one command.
    pub(crate) fn run<T>(
        &mut self,
        command: impl FnOnce(&mut Wire) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let result = command(&mut self.wire);
        self.used = Instant::now();
        result.inspect_err(|error| self.has_failed |= !is_of_one_command(error))
    }

    /// What `reply` holds. An error that it holds is treated as one of [`run`](Self::run).
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn accept<T: FromRedisValue>(&mut self, reply: Value) -> RedisResult<T> {
        let value = reply.extract_error().and_then(|it| Ok(redis::from_redis_value(it)?));
        value.inspect_err(|error| self.has_failed |= !is_of_one_command(error))
    }
}

/// Whether the server refused only the command that `error` is about.
fn is_of_one_command(error: &RedisError) -> bool {
    use ServerErrorKind::{NoPerm, NoScript, ResponseError};
    matches!(error.kind(), ErrorKind::Server(NoPerm | NoScript | ResponseError))
}
