//! The address of the client that sent a request.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;

/// Where a request's client is: at the other end of the connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientIp(());

impl ClientIp {
    /// The address of the connection.
    #[must_use]
    pub(crate) fn peer() -> Self {
        Self::default()
    }

    /// The client's address; none over a Unix socket.
    #[must_use]
    pub(crate) fn address(&self, request: &ServiceRequest) -> Option<IpAddr> {
        request.peer_addr().map(|peer| peer.ip().to_canonical())
    }
}
