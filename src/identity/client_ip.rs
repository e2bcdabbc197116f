//! The address of a client: that of its connection.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use ipnet::IpNet;

/// Where the address of a client is read; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ClientIp {
    trusted_proxies: Arc<[IpNet]>,
}

impl ClientIp {
    /// The address of the connection; no proxy is trusted.
    pub(crate) fn peer() -> Self {
        Self { trusted_proxies: Arc::new([]) }
    }

    /// The same, with `proxies` whose word is taken.
    #[cfg(test)]
    pub(crate) fn trusting(proxies: Vec<IpNet>) -> Self {
        Self { trusted_proxies: proxies.into() }
    }

    /// The client's address, IPv4 where that is written as IPv6; none over a Unix socket.
    #[expect(clippy::unused_self, reason = "which address it is depends on what is trusted")]
    pub(crate) fn address(&self, request: &ServiceRequest) -> Option<IpAddr> {
        request.peer_addr().map(|address| address.ip().to_canonical())
    }

    /// Whether the connection comes from a trusted proxy.
    pub(crate) fn is_from_trusted_proxy(&self, request: &ServiceRequest) -> bool {
        let peer = request.peer_addr().map(|address| address.ip().to_canonical());
        peer.is_some_and(|peer| self.trusted_proxies.iter().any(|proxies| proxies.contains(&peer)))
    }
}
