//! An axum app that answers each client ten times a minute.
//!
//! Run it with `cargo run --example axum`, and ask it more often than that:
//! `for i in $(seq 12); do curl -i http://127.0.0.1:3000/; done`

#![allow(clippy::disallowed_methods)] // an app may read its environment

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::net::TcpListener;
use tollgate::store::Store;
use tollgate::{Limiter, MemoryStore, Policy, RateLimitLayer, RedisOptions, RedisStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In memory, each process counts for itself. Processes that share a Redis count together.
    let store: Arc<dyn Store> = match env::var("REDIS_URL") {
        Ok(url) => Arc::new(RedisStore::start(&RedisOptions::new(url))?),
        Err(_) => Arc::new(MemoryStore::new(100_000)),
    };
    let limiter =
        Limiter::builder(store).policy(Policy::new("default", "10/minute".parse()?)?).build()?;
    let rate_limit = RateLimitLayer::new(limiter)
        .policies(["default"])?
        // Each client is known by the address of its connection, which axum puts into every request.
        .peer(|peer: &ConnectInfo<SocketAddr>| Some(peer.0));
    // Behind a proxy, clients have the addresses that the proxy states, instead of all having its own:
    // let rate_limit = rate_limit.client_ip(tollgate::ClientIp::behind(
    //     ["10.0.0.0/8".parse()?],
    //     "x-forwarded-for".parse()?,
    // ));
    let app = Router::new().route("/", get(|| async { "Hello\n" })).layer(rate_limit);

    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("Listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
