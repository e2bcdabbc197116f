use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderName;
use http::request::Parts;

use crate::domain::quota::Cost;
use crate::http::answers::Answers;
use crate::http::{ClientIp, User};
use crate::limiter::{Limiter, Policies};

/// The settings of a layer, which all of its services share.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) limiter: Limiter,
    /// Names of the header fields that policies count by, sorted.
    pub(super) key_headers: Arc<[HeaderName]>,
    pub(super) policies: Option<Policies>,
    pub(super) client_ip: ClientIp,
    pub(super) peer: OfRequest<Option<SocketAddr>>,
    pub(super) user: OfRequest<Option<User>>,
    pub(super) cost: Option<OfRequest<Cost>>,
    pub(super) skip: OfRequest<bool>,
    pub(super) answers: Answers,
    /// The field in which a trusted proxy sends the ID of a request.
    pub(super) request_id: Option<HeaderName>,
    /// Whether the log has warned of a request without its peer's address.
    pub(super) has_warned: Arc<AtomicBool>,
}

/// A function of the host application over a request.
pub(super) type OfRequest<T> = Arc<dyn Fn(&Parts) -> T + Send + Sync>;

impl Settings {
    pub(super) fn new(limiter: Limiter) -> Self {
        let names = limiter.key_headers();
        let key_headers = names.filter_map(|name| name.parse().ok()).collect();
        Self {
            limiter,
            key_headers,
            policies: None,
            client_ip: ClientIp::peer(),
            peer: Arc::new(|request| request.extensions.get().copied()),
            user: Arc::new(|request| request.extensions.get().cloned()),
            cost: None,
            skip: Arc::new(|_| false),
            answers: Answers::default(),
            request_id: None,
            has_warned: Arc::default(),
        }
    }

    /// The address of the peer of the connection. The log warns once if a request has none.
    pub(super) fn peer_of(&self, request: &Parts) -> Option<IpAddr> {
        let peer = (self.peer)(request);
        if peer.is_none() && !self.has_warned.swap(true, Ordering::Relaxed) {
            log::warn!(
                "Requests come without the address of their connection, so all of their clients \
                 share one quota: serve the app with its peers' addresses, and name their type by \
                 RateLimitLayer::peer."
            );
        }
        peer.map(|peer| peer.ip())
    }
}
