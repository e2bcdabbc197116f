//! Envoy's rate limit service, asked by a client of gRPC.

mod attacks;
mod client;
mod decisions;
mod descriptors;
mod generated;
mod import;
mod services;

use client::Envoy;

use crate::support::port;
use crate::support::process::{Options, Tollgate};

/// A process with this configuration and the gate, and a client of the gate.
fn serve(config: &str) -> (Tollgate, Envoy) {
    serve_with(Options::default().config(config))
}

/// The same with these options.
fn serve_with(options: Options) -> (Tollgate, Envoy) {
    let gate = port::free_address();
    let tollgate = options.set("gate.listen", &gate.to_string()).serve();
    (tollgate, Envoy::at(gate))
}
