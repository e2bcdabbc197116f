//! How the app listens, and what one client may take of it.

use std::time::Duration;

use super::listen::Listen;

/// Where and how the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// The address to listen on.
    pub(crate) listen: Listen,
    /// Threads that serve requests; 0 for one per core.
    pub(crate) workers: usize,
    /// Connections that the system keeps waiting until the process accepts them.
    pub(crate) backlog: i32,
    /// Connections that may be open at a time.
    pub(crate) max_connections: usize,
    /// Connections among them that one address may have; an IPv6 network of 64 bits is one address.
    pub(crate) max_connections_per_ip: usize,
    /// What each connection may take.
    pub(crate) limits: ConnectionLimits,
    /// How long the port still answers after the process was told to stop.
    pub(crate) shutdown_delay: Duration,
    /// How long requests under way may take to be answered after that.
    pub(crate) shutdown_timeout: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
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

/// What one connection may take of time and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    /// How long the head of a request may take to come whole.
    pub(crate) header_timeout: Duration,
    /// How long the body of a request may take; a long one gets more time as it comes.
    pub(crate) body_timeout: Duration,
    /// How long a connection may idle between requests.
    pub(crate) keep_alive: Duration,
    /// How long a client may take to read what is written at once.
    pub(crate) write_timeout: Duration,
    /// The age after which a connection is closed when its request is answered.
    pub(crate) max_age: Duration,
    /// Bytes of the request line and the header fields together.
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
