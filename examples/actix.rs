//! An actix-web app that answers each client ten times a minute.
//!
//! Run it with `cargo run --example actix`, and ask it more often than that:
//! `for i in $(seq 12); do curl -i http://127.0.0.1:3000/; done`

#![allow(clippy::disallowed_methods)] // an app may read its environment

use std::env;
use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::{App, HttpServer, get};
use tollgate::store::Store;
use tollgate::{Limiter, MemoryStore, Policy, RateLimit, RedisOptions, RedisStore};

#[get("/")]
async fn hello() -> &'static str {
    "Hello\n"
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In memory, each process counts for itself. Processes that share a Redis count together.
    let store: Arc<dyn Store> = match env::var("REDIS_URL") {
        Ok(url) => Arc::new(RedisStore::start(&RedisOptions::new(url))?),
        Err(_) => Arc::new(MemoryStore::new(100_000)),
    };
    let limiter =
        Limiter::builder(store).policy(Policy::new("default", "10/minute".parse()?)?).build()?;
    let rate_limit = RateLimit::new(limiter).policies(["default"])?;
    // Behind a proxy, clients have the addresses that the proxy states, instead of all having its own:
    // let rate_limit = rate_limit.client_ip(tollgate::ClientIp::behind(
    //     ["10.0.0.0/8".parse()?],
    //     "x-forwarded-for".parse()?,
    // ));

    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("Listening on http://{}", listener.local_addr()?);
    HttpServer::new(move || App::new().wrap(rate_limit.clone()).service(hello))
        .listen(listener)?
        .run()
        .await?;
    Ok(())
}
