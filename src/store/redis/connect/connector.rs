//! Makes connections, each with the script loaded.

use std::time::Duration;

use redis::RedisResult;

use super::connection::Connection;
use super::settings::ConnectSettings;
use super::target::Target;
use crate::store::redis::script;

/// Connects to one target.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    target: Target,
    timeout: Duration,
    idle_timeout: Duration,
    is_member: bool,
}

impl Connector {
    pub(crate) fn new(target: Target, settings: &ConnectSettings) -> Self {
        let ConnectSettings { timeout, idle_timeout, .. } = *settings;
        Self { target, timeout, idle_timeout, is_member: false }
    }

    /// The same for a node of a cluster, which may redirect calls to another node.
    pub(crate) fn of_member(self) -> Self {
        Self { is_member: true, ..self }
    }

    /// Whether it connects to a node of a cluster.
    pub(crate) fn is_member(&self) -> bool {
        self.is_member
    }

    /// The limit of a connect, and of each read and write.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// For how long a connection may idle.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// Makes a connection of `generation`, and loads the script.
    pub(crate) fn connect(&self, generation: u64) -> RedisResult<Connection> {
        let mut wire = self.target.connect(self.timeout)?;
        script::load(&mut wire)?;
        Ok(Connection::new(wire, generation, self.idle_timeout))
    }

    /// The same for a caller who has time to find out why it fails.
    pub(crate) fn connect_or_explain(&self, generation: u64) -> RedisResult<Connection> {
        self.connect(generation).map_err(|error| self.target.explain(error, self.timeout))
    }

    /// Makes a connection without loading the script.
    #[cfg(feature = "server")]
    pub(crate) fn connect_without_script(&self) -> RedisResult<Connection> {
        let wire = self.target.connect(self.timeout);
        let wire = wire.map_err(|error| self.target.explain(error, self.timeout))?;
        Ok(Connection::new(wire, 0, self.idle_timeout))
    }
}
