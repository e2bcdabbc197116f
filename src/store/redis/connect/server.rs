//! One server to connect to.

use std::time::Duration;

use redis::{ConnectionInfo, RedisConnectionInfo, RedisResult};
#[cfg(feature = "tls")]
use redis::{ErrorKind, RedisError};

use super::settings::ConnectSettings;
#[cfg(feature = "tls")]
use super::tls::TlsClient;
#[cfg(feature = "tls")]
use super::url::topology::is_tls;
use super::url::topology::with_address;

/// The address of a server, and the settings of connections to it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    info: ConnectionInfo,
    idle_timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<TlsClient>,
}

impl Server {
    pub(super) fn new(info: ConnectionInfo, settings: &ConnectSettings) -> RedisResult<Self> {
        let idle_timeout = settings.idle_timeout;
        #[cfg(feature = "tls")]
        let tls = match is_tls(&info) {
            true => Some(settings.tls.client().map_err(|error| {
                let what = "TLS cannot be set up";
                RedisError::from((ErrorKind::InvalidClientConfig, what, error.to_string()))
            })?),
            false => None,
        };
        Ok(Self {
            info,
            idle_timeout,
            #[cfg(feature = "tls")]
            tls,
        })
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// For how long a connection may idle.
    pub(super) fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// The client side of TLS, if the server is reached by TLS.
    #[cfg(feature = "tls")]
    pub(super) fn tls(&self) -> Option<&TlsClient> {
        self.tls.as_ref()
    }

    /// A server at another address that is reached in the same way, with `settings` of its own.
    pub(super) fn at(&self, host: String, port: u16, settings: RedisConnectionInfo) -> Self {
        let info = with_address(&self.info, host, port).set_redis_settings(settings);
        Self { info, ..self.clone() }
    }
}
