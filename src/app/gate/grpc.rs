//! The gate over gRPC: Envoy's rate limit service, the health check, and what tools ask to find both.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic_health::pb::health_server::HealthServer;

use self::health::Health;
use super::envoy::{DESCRIPTORS, EnvoyRateLimit, RateLimitServiceServer};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::auth::{TokenRefused, bearer_of, role_of};

mod health;

/// The most bytes of a message. Envoy's have a few hundred.
const LONGEST_MESSAGE: usize = 64 * 1_024;

/// The paths of the services.
const ENVOY: &str = "/envoy.service.ratelimit.v3.RateLimitService/";
const HEALTH: &str = "/grpc.health.v1.Health/";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/";
const REFLECTION_ALPHA: &str = "/grpc.reflection.v1alpha.ServerReflection/";

/// The services of one worker; cheap to clone.
#[derive(Clone)]
pub(crate) struct Grpc {
    snapshot: CurrentSnapshot,
    rate_limit: RateLimitServiceServer<EnvoyRateLimit>,
    health: HealthServer<Health>,
    reflection: [BoxedService; 2],
}

/// A service whose type has no name.
type BoxedService = Rc<dyn Fn(Request<Body>) -> Answering>;

type Answering = Pin<Box<dyn Future<Output = Response<Body>>>>;

impl Grpc {
    /// The services, which decide by the snapshot that is in force.
    pub(crate) fn new(snapshot: CurrentSnapshot) -> Self {
        let rate_limit = RateLimitServiceServer::new(EnvoyRateLimit::new(snapshot.clone()));
        Self {
            rate_limit: rate_limit.max_decoding_message_size(LONGEST_MESSAGE),
            health: HealthServer::new(Health::new(snapshot.clone()))
                .max_decoding_message_size(LONGEST_MESSAGE),
            reflection: reflection(),
            snapshot,
        }
    }

    /// Whether a request with these `headers` is one of gRPC.
    pub(crate) fn is_asked_by(headers: &HeaderMap) -> bool {
        let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let rest = content_type.strip_prefix(b"application/grpc");
        rest.is_some_and(|rest| rest.first().is_none_or(|next| b"+;".contains(next)))
    }

    /// Answers a request of `peer`.
    pub(crate) async fn call<B>(
        mut self,
        request: Request<B>,
        peer: Option<SocketAddr>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error = Status> + Send + 'static,
    {
        let path = request.uri().path();
        if path.starts_with(HEALTH) {
            return answer(&mut self.health, request).await;
        }
        let snapshot = self.snapshot.load_full();
        if let Err(status) = admit(request.headers(), peer, &snapshot).await {
            return status.into_http();
        }
        let [reflection, reflection_alpha] = &self.reflection;
        if path.starts_with(ENVOY) {
            answer(&mut self.rate_limit, request).await
        } else if path.starts_with(REFLECTION) {
            reflection(request.map(Body::new)).await
        } else if path.starts_with(REFLECTION_ALPHA) {
            reflection_alpha(request.map(Body::new)).await
        } else {
            Status::unimplemented("there is no such service").into_http()
        }
    }
}

/// The answer of `service`, which cannot fail.
async fn answer<S, B>(service: &mut S, request: Request<B>) -> Response<Body>
where
    S: Service<Request<B>, Response = Response<Body>, Error = std::convert::Infallible>,
{
    match service.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Decides whether `peer` may ask. A probe needs no token.
///
/// # Errors
/// If a token is configured, and `headers` do not have it.
async fn admit(
    headers: &HeaderMap,
    peer: Option<SocketAddr>,
    snapshot: &Snapshot,
) -> Result<(), Status> {
    let Some(known) = snapshot.gate_token else { return Ok(()) };
    let token = headers.get(AUTHORIZATION).and_then(|value| bearer_of(value.as_bytes()));
    let peer = peer.map(|peer| peer.ip());
    role_of(&[(known, ())], token, peer, &snapshot.limiter).await.map_err(|why| {
        Status::unauthenticated(match why {
            TokenRefused::Unknown => "a token is needed: authorization: Bearer TOKEN",
            TokenRefused::TooManyFailures => "too many wrong tokens: try again later",
        })
    })
}

/// Both versions of the service that tells which services there are.
fn reflection() -> [BoxedService; 2] {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let unavailable = |_| -> BoxedService {
        let status = Status::unimplemented("there is no reflection");
        Rc::new(move |_| {
            let status = status.clone();
            Box::pin(async move { status.into_http() })
        })
    };
    let v1 = builder().build_v1().map_or_else(unavailable, boxed);
    let alpha = builder().build_v1alpha().map_or_else(unavailable, boxed);
    [v1, alpha]
}

fn boxed<S>(service: S) -> BoxedService
where
    S: Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible>
        + Clone
        + 'static,
{
    Rc::new(move |request| {
        let mut service = service.clone();
        Box::pin(async move { answer(&mut service, request).await })
    })
}

impl fmt::Debug for Grpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grpc").finish_non_exhaustive()
    }
}
