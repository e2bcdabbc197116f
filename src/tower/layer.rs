use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::header::HeaderName;
use http::request::Parts;
use tower_layer::Layer;

use super::service::RateLimitService;
use super::settings::Settings;
use crate::domain::quota::Cost;
use crate::http::{ClientIp, User};
use crate::limiter::{Limiter, LimiterError};

mod telling;

/// Limits the requests to a tower service: of axum, tonic, hyper, or any other that takes
/// `http::Request` and answers `http::Response`.
///
/// Requests are charged under the policies of their route, which the limiter finds by method and path (see
/// [`RoutePattern`](crate::RoutePattern)), or under those of [`policies`](Self::policies). A denied request
/// gets 429, and a blocked client gets 403; a gRPC request gets `RESOURCE_EXHAUSTED` or `PERMISSION_DENIED`
/// instead. Neither request reaches the service.
///
/// The path is the one that reaches the layer. Around a whole axum app that is the path as it was sent;
/// on a router that axum nests at `/api`, the routes of the limiter must do without that `/api`.
///
/// ```
/// use std::net::SocketAddr;
/// use std::sync::Arc;
/// use axum::Router;
/// use axum::extract::ConnectInfo;
/// use axum::routing::get;
/// use tollgate::{Limiter, MemoryStore, Policy, RateLimitLayer};
///
/// let limiter = Limiter::builder(Arc::new(MemoryStore::new(100_000)))
///     .policy(Policy::new("default", "10/minute".parse()?)?)
///     .build()?;
/// let rate_limit = RateLimitLayer::new(limiter)
///     .policies(["default"])?
///     .peer(|peer: &ConnectInfo<SocketAddr>| Some(peer.0));
/// let app = Router::new().route("/", get(|| async { "Hello" })).layer(rate_limit);
/// // Serve it with the address of each connection:
/// let service = app.into_make_service_with_connect_info::<SocketAddr>();
/// # let _ = service;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RateLimitLayer(Arc<Settings>);

impl RateLimitLayer {
    /// Charges every request the cost of its route under the policies of its route. The user is the
    /// [`User`] in the request's extensions. The address is that of the connection, which
    /// [`peer`](Self::peer) finds in the extensions.
    #[must_use]
    pub fn new(limiter: Limiter) -> Self {
        Self(Arc::new(Settings::new(limiter)))
    }

    /// Charges every request under the policies called `names`, whatever its method and path.
    ///
    /// # Errors
    /// When the limiter has no policy of such a name, or one is named twice.
    pub fn policies<N: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, LimiterError> {
        let settings = self.settings();
        settings.policies = Some(settings.limiter.policies(names)?);
        Ok(self)
    }

    /// Takes the address of a connection from the request's extension of type `E`, instead of from a
    /// [`SocketAddr`] there.
    ///
    /// The server puts it there. axum adds a `ConnectInfo<SocketAddr>` if the app is served by
    /// `into_make_service_with_connect_info`, and tonic adds a `TcpConnectInfo`. The clients of requests
    /// without it share one quota, and the log warns of that once.
    #[must_use]
    pub fn peer<E: Send + Sync + 'static>(
        mut self,
        peer: impl Fn(&E) -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        self.settings().peer = Arc::new(move |request| request.extensions.get().and_then(&peer));
        self
    }

    /// Finds the client's address by `client_ip`. Behind proxies, the address of the connection is a proxy's.
    #[must_use]
    pub fn client_ip(mut self, client_ip: ClientIp) -> Self {
        self.settings().client_ip = client_ip;
        self
    }

    /// Takes the authenticated user from `user` instead of the request's extensions.
    #[must_use]
    pub fn user(mut self, user: impl Fn(&Parts) -> Option<User> + Send + Sync + 'static) -> Self {
        self.settings().user = Arc::new(user);
        self
    }

    /// Charges a request the cost that `cost` returns, instead of the cost of its route.
    #[must_use]
    pub fn cost(mut self, cost: impl Fn(&Parts) -> Cost + Send + Sync + 'static) -> Self {
        self.settings().cost = Some(Arc::new(cost));
        self
    }

    /// Lets a request pass unchecked if `skip` returns true, unless its client is blocked.
    #[must_use]
    pub fn skip(mut self, skip: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.settings().skip = Arc::new(skip);
        self
    }

    /// Takes the ID of a request from the header field `name`, for an [`Observer`](crate::Observer) that wants it.
    ///
    /// Only a trusted proxy of [`client_ip`](Self::client_ip) is believed, and only an ID of at most 64 visible ASCII
    /// characters. Without this no request has an ID.
    #[must_use]
    pub fn request_id_header(mut self, name: HeaderName) -> Self {
        self.settings().request_id = Some(name);
        self
    }

    fn settings(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.0)
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimitService<S>;

    fn layer(&self, service: S) -> RateLimitService<S> {
        RateLimitService::new(service, self.0.clone())
    }
}

impl fmt::Debug for RateLimitLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer")
            .field("limiter", &self.0.limiter)
            .field("policies", &self.0.policies)
            .field("client_ip", &self.0.client_ip)
            .field("answers", &self.0.answers)
            .finish_non_exhaustive()
    }
}
