//! Asks one server.

use redis::{Cmd, FromRedisValue, RedisResult, cmd};

use super::finding::Findings;
use super::subject::Subject;
use crate::store::redis::connect::connection::Connection;
use crate::store::redis::connect::connector::Connector;
use crate::store::redis::health::cause::Cause;
use crate::store::redis::options::RedisOptions;

/// Asks one server, and keeps what it finds. The questions are in the files beside this one.
pub(super) struct Examiner<'a> {
    pub(super) connection: Connection,
    pub(super) options: &'a RedisOptions,
    pub(super) subject: Subject,
    /// What the examiner's own key begins with.
    pub(super) key_prefix: String,
    pub(super) findings: Findings,
}

impl Examiner<'_> {
    pub(super) fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        self.connection.run(|wire| command.query(wire))
    }
}

/// Connects, and sends a first command: only now does a server say that it wants a password.
pub(super) fn connect(connector: &Connector) -> RedisResult<Connection> {
    let mut connection = connector.connect_without_script()?;
    connection.run(|wire| cmd("TIME").exec(wire)).or_else(|error| {
        match Cause::of_reply(&error) {
            // The examination goes on without TIME: it finds what is refused when it tries all commands.
            Cause::Permission | Cause::Command => Ok(()),
            _ => Err(error),
        }
    })?;
    Ok(connection)
}
