//! How to connect to a server: URLs, TLS, sentinels, sockets, and connections with time limits.

#[cfg(any(feature = "actix", feature = "tower"))]
mod arrivals;
pub(super) mod connection;
pub(super) mod connector;
#[cfg(feature = "tls")]
mod explain;
pub(super) mod sentinels;
mod server;
pub(super) mod settings;
mod socket;
pub(super) mod target;
mod time_limit;
mod timed;
#[cfg(feature = "tls")]
pub(super) mod tls;
pub(super) mod tls_mismatch;
pub(super) mod url;
pub(super) mod wire;
