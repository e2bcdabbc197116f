//! What a store connects to: one server, or the server that sentinels name.

use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "tls")]
use std::{slice, time::Instant};

use redis::{ConnectionInfo, RedisConnectionInfo, RedisError, RedisResult};

#[cfg(feature = "tls")]
use super::explain;
use super::sentinels::Sentinels;
use super::server::Server;
use super::settings::ConnectSettings;
use super::wire::Wire;

/// One server, or the primary behind sentinels.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Server(Box<Server>),
    Primary(Arc<Sentinels>),
}

impl Target {
    pub(crate) fn server(info: ConnectionInfo, settings: &ConnectSettings) -> RedisResult<Self> {
        Server::new(info, settings).map(|server| Self::Server(Box::new(server)))
    }

    /// The server that the sentinels call `name` and take for the primary, whichever it is.
    pub(crate) fn primary(
        sentinels: &[ConnectionInfo],
        name: &str,
        primary: &RedisConnectionInfo,
        settings: &ConnectSettings,
    ) -> RedisResult<Self> {
        let sentinels = Sentinels::new(sentinels, name, primary, settings)?;
        Ok(Self::Primary(Arc::new(sentinels)))
    }

    /// Connects within `timeout`, which is also the limit of each later read and write.
    pub(crate) fn connect(&self, timeout: Duration) -> RedisResult<Wire> {
        match self {
            Self::Server(server) => Wire::connect(server, timeout),
            Self::Primary(sentinels) => sentinels.connect(timeout),
        }
    }

    /// Returns a more exact error than `error`, which a connect failed with, if one can be found
    /// within `timeout`; otherwise `error` itself.
    pub(crate) fn explain(&self, error: RedisError, timeout: Duration) -> RedisError {
        #[cfg(feature = "tls")]
        {
            let servers = match self {
                Self::Server(server) => slice::from_ref(&**server),
                Self::Primary(sentinels) => sentinels.servers(),
            };
            explain::explain(servers, error, Instant::now() + timeout)
        }
        #[cfg(not(feature = "tls"))]
        {
            let _ = timeout;
            error
        }
    }
}
