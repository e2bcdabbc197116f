//! The gate: decides on requests of other servers' clients, for proxies and servers that ask over HTTP and gRPC.
//!
//! Each door maps a question to the limiter and its answer back. None of them owns a rule.

pub(crate) use self::endpoints::configure;
pub(crate) use self::grpc::Grpc;
pub(crate) use self::guard::admit;
pub(crate) use self::problem::too_large;

mod api;
mod endpoints;
mod envoy;
mod forward_auth;
mod grpc;
mod guard;
mod problem;
