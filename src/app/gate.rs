//! The gate: decides on requests of other servers' clients, for proxies and servers that ask over HTTP and gRPC.
//!
//! Each door maps a question to the limiter and its answer back. None of them owns a rule.

pub(crate) use self::endpoints::configure;

mod endpoints;
mod forward_auth;
