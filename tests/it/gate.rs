//! The gate: the limiter for servers of other people's, which ask over the network.

mod api;
mod envoy;
mod forward_auth;
