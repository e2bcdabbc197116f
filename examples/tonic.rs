//! A gRPC server with tonic that answers each client ten times a minute.
//!
//! Run it with `cargo run --example tonic`. Its service is the standard health check, so that any client
//! of that can ask: `grpcurl -plaintext 127.0.0.1:3000 grpc.health.v1.Health/Check`

#![allow(clippy::disallowed_methods)] // an app may read its environment

use std::env;
use std::error::Error;
use std::sync::Arc;

use tollgate::store::Store;
use tollgate::{Limiter, MemoryStore, Policy, RateLimitLayer, RedisOptions, RedisStore};
use tonic::transport::Server;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In memory, each process counts for itself. Processes that share a Redis count together.
    let store: Arc<dyn Store> = match env::var("REDIS_URL") {
        Ok(url) => Arc::new(RedisStore::start(&RedisOptions::new(url))?),
        Err(_) => Arc::new(MemoryStore::new(100_000)),
    };
    // The path of a call is `/package.Service/Method`, and its method is POST.
    let limiter = Limiter::builder(store)
        .policy(Policy::new("default", "10/minute".parse()?)?)
        .route("POST /grpc.health.v1.Health/{method}", ["default"], [])
        .build()?;
    let rate_limit = RateLimitLayer::new(limiter)
        // Each client is known by the address of its connection, which tonic puts into every request.
        .peer(|peer: &TcpConnectInfo| peer.remote_addr());
    // Behind a proxy, clients have the addresses that the proxy states, instead of all having its own:
    // let rate_limit = rate_limit.client_ip(tollgate::ClientIp::behind(
    //     ["10.0.0.0/8".parse()?],
    //     "x-forwarded-for".parse()?,
    // ));
    let (_, health) = tonic_health::server::health_reporter();

    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let incoming = TcpIncoming::bind(address.parse()?)?;
    println!("Listening on http://{}", incoming.local_addr()?);
    Server::builder().layer(rate_limit).add_service(health).serve_with_incoming(incoming).await?;
    Ok(())
}
