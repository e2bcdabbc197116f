//! One connection of a store, which remembers whether it may be used again.

use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisResult, ServerErrorKind, Value};

use super::time_limit::socket_limit;
use super::wire::Wire;

/// A connection that is thrown away after a failure, or after it has idled for too long.
pub(crate) struct Connection {
    wire: Wire,
    has_failed: bool,
    generation: u64,
    /// When it was made, or last used.
    used: Instant,
    idle_timeout: Duration,
}

impl Connection {
    /// A connection of `generation` over `wire`, which may idle for `idle_timeout`.
    pub(super) fn new(wire: Wire, generation: u64, idle_timeout: Duration) -> Self {
        Self { wire, has_failed: false, generation, used: Instant::now(), idle_timeout }
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
            wire.set_read_limit(socket_limit(limit))?;
            wire.receive()
        })
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
        result.inspect_err(|error| {
            use ServerErrorKind::{NoPerm, NoScript, ResponseError};
            self.has_failed |=
                !matches!(error.kind(), ErrorKind::Server(NoPerm | NoScript | ResponseError));
        })
    }
}
