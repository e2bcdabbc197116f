//! The app: its limiter out of the configuration, and the HTTP server around it.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use actix_web::{App, HttpServer};

use crate::config::{Config, StoreUrl};
use crate::limiter::{Limiter, LimiterBuilder};
use crate::middleware::RateLimit;
use crate::routes;
use crate::store::{Keyspace, MemoryStore, MonotonicClock, RedisOptions, RedisStore, Store};

/// Serves until the process is told to stop.
///
/// # Errors
/// When the store cannot be set up, or the address cannot be listened on.
pub(crate) fn serve(config: &Config) -> Result<(), ServeError> {
    let limiter = limiter(config)?;
    let rate_limit = RateLimit::new(limiter)
        .legacy_headers(config.headers.legacy)
        .expose_headers(config.headers.cors_expose);
    let app = move || App::new().wrap(rate_limit.clone()).configure(routes::configure);
    let listen = config.server.listen.clone();
    actix_web::rt::System::new().block_on(async move {
        let mut server = HttpServer::new(app);
        if config.server.workers > 0 {
            server = server.workers(config.server.workers);
        }
        let server = server
            .bind(listen.as_str())
            .map_err(|error| ServeError::new(format!("cannot listen on {listen}"), error))?;
        for address in server.addrs() {
            log::info!("Listening on http://{address}.");
        }
        server.run().await.map_err(|error| ServeError::new("the server failed", error))
    })
}

/// The limiter that `config` describes.
fn limiter(config: &Config) -> Result<Limiter, ServeError> {
    let memory = || Arc::new(MemoryStore::new(config.store.max_keys));
    let builder = match &config.store.url {
        StoreUrl::Memory => {
            log::info!("Counting in this process.");
            Limiter::builder(memory())
        }
        StoreUrl::Redis(url) => {
            let options = RedisOptions {
                tls: config.store.tls.clone(),
                key_prefix: config.store.key_prefix.clone(),
                timeout: config.store.timeout,
                connections: config.store.connections,
                ..RedisOptions::new(url.expose())
            };
            let store = RedisStore::start(&options)
                .map_err(|error| ServeError::new("the store cannot be set up", error))?;
            Limiter::builder(Arc::new(store) as Arc<dyn Store>)
                .local(memory())
                .deny_cache(config.store.deny_cache, Arc::new(MonotonicClock::start()))
        }
    };
    let keyspace =
        Keyspace::new(&config.store.key_prefix).with_hashed_users(config.store.hash_users);
    let builder = builder
        .keyspace(keyspace)
        .instances(NonZeroU64::new(config.store.instances).unwrap_or(NonZeroU64::MIN));
    let builder = config.policies.iter().cloned().fold(builder, LimiterBuilder::policy);
    let builder = config.routes.iter().fold(builder, |builder, route| {
        let (policies, peek) = (route.policies.clone(), route.peek.clone());
        builder.route_of_cost(route.cost, route.pattern.to_string(), policies, peek)
    });
    let builder = builder.allow(config.access.allow.clone()).block(config.access.block.clone());
    builder.build().map_err(|error| ServeError::new("policies and routes do not fit", error))
}

/// Why the app could not serve.
#[derive(Debug)]
pub(crate) struct ServeError {
    what: String,
    source: Box<dyn Error + Send + Sync>,
}

impl ServeError {
    fn new(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: source.into() }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
