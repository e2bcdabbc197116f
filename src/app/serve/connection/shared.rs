//! What the connections of a worker share.

use actix_http::ServiceConfig;

use crate::app::config::ConnectionLimits;
use crate::app::gate::Grpc;

/// What all connections of a worker share.
#[derive(Debug)]
pub(in crate::app::serve) struct Shared<S> {
    pub(in crate::app::serve) service: S,
    /// It has the date of responses, which is made once for all connections.
    pub(in crate::app::serve) config: ServiceConfig,
    pub(in crate::app::serve) limits: ConnectionLimits,
    /// The services of gRPC; `None` where nobody speaks HTTP/2.
    pub(in crate::app::serve) grpc: Option<Grpc>,
}
