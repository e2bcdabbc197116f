//! How the app listens, and the limits of a connection.

use std::time::Duration;

use super::listen::Listen;

/// Where and how the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerOptions {
    /// The address to listen on.
    pub(crate) listen: Listen,
    /// Whether each connection has to begin with a header of the PROXY protocol.
    pub(crate) proxy_protocol: bool,
    /// Threads that serve requests; 0 for one per core.
    pub(crate) workers: usize,
    /// Connections that the system queues until the process accepts them.
    pub(crate) backlog: i32,
    /// Connections that may be open at a time.
    pub(crate) max_connections: usize,
    /// Connections that one address may have of them. An IPv6 network of the size in
    /// `client_ip.ipv6_prefix` is one address.
    pub(crate) max_connections_per_ip: usize,
    /// The limits of each connection.
    pub(crate) limits: ConnectionLimits,
    /// How long the port is still open after the process was told to stop.
    pub(crate) shutdown_delay: Duration,
    /// How long requests in progress may still take after that.
    pub(crate) shutdown_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            proxy_protocol: false,
            workers: 0,
            backlog: 1_024,
            max_connections: 10_000,
            max_connections_per_ip: 1_000,
            limits: ConnectionLimits::default(),
            shutdown_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// The limits of one connection: time and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    /// How long the head of a request may take to arrive.
    pub(crate) header_timeout: Duration,
    /// How long the body of a request may take to arrive. A large body gets more time as it arrives.
    pub(crate) body_timeout: Duration,
    /// How long a connection may be idle between requests.
    pub(crate) keep_alive: Duration,
    /// How long a client may take to read output before more is written.
    pub(crate) write_timeout: Duration,
    /// The age after which a connection closes with its next response.
    pub(crate) max_age: Duration,
    /// Bytes of the request line and the header fields of a request.
    pub(crate) max_head_bytes: usize,
    /// Header fields of a request.
    pub(crate) max_headers: usize,
    /// Bytes of a request's body.
    pub(crate) max_body_bytes: u64,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(20),
            keep_alive: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            max_age: Duration::from_secs(3_600),
            max_head_bytes: 32_768,
            max_headers: 96,
            max_body_bytes: 1_048_576,
        }
    }
}
