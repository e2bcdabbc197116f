//! The settings of all connections of a store.

use std::time::Duration;

#[cfg(feature = "tls")]
use super::tls::RedisTls;

/// The part of the options that concerns connections.
#[derive(Clone)]
pub(crate) struct ConnectSettings {
    /// The limit of each connect, read and write.
    pub(crate) timeout: Duration,
    /// For how long a connection may idle.
    pub(crate) idle_timeout: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: RedisTls,
}
