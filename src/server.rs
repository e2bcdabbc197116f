//! The app: its limiter out of the configuration, and the HTTP server around it.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use actix_web::{App, HttpServer};

use crate::config::{self, Config, Listen, StoreUrl};
use crate::identity::ClientIp;
use crate::limiter::{Limiter, LimiterBuilder};
use crate::middleware::RateLimit;
use crate::routes;
use crate::store::{Keyspace, MemoryStore, MonotonicClock, RedisOptions, RedisStore, Store};

mod unix_socket;

/// Serves until the process is told to stop.
///
/// # Errors
/// When the store cannot be set up, or the address cannot be listened on.
pub(crate) fn serve(config: &Config) -> Result<(), ServeError> {
    let limiter = limiter(config)?;
    let rate_limit = RateLimit::new(limiter)
        .client_ip(client_ip(config))
        .legacy_headers(config.headers.legacy)
        .expose_headers(config.headers.cors_expose);
    let app = move || App::new().wrap(rate_limit.clone()).configure(routes::configure);
    let listen = config.server.listen.clone();
    actix_web::rt::System::new().block_on(async move {
        let mut server = HttpServer::new(app);
        if config.server.workers > 0 {
            server = server.workers(config.server.workers);
        }
        let refused = |error| ServeError::new(format!("cannot listen on {listen}"), error);
        // It goes when the server has ended.
        let _socket_file;
        match &listen {
            Listen::Tcp(address) => {
                server = server.bind(&**address).map_err(refused)?;
                for address in server.addrs() {
                    log::info!("Listening on http://{address}.");
                }
            }
            Listen::Unix(path) => {
                let (listener, file) = unix_socket::bind(path).await.map_err(refused)?;
                _socket_file = file;
                server = server.listen_uds(listener).map_err(refused)?;
                log::info!("Listening on {listen}.");
            }
        }
        server.run().await.map_err(|error| ServeError::new("the server failed", error))
    })
}

/// How the addresses of clients are found.
fn client_ip(config: &Config) -> ClientIp {
    let config::ClientIp { trusted_proxies, header, hops, .. } = &config.client_ip;
    let is_unix = matches!(config.server.listen, Listen::Unix(_));
    match (hops, header) {
        (Some(hops), header) => ClientIp::hops(*hops, header.clone().unwrap_or_default()),
        (None, None) if trusted_proxies.is_empty() => {
            if is_unix {
                log::warn!(
                    "A Unix socket says nothing of where a request comes from: all clients share one \
                     quota until client_ip.header names the field that the proxy says it in."
                );
            }
            ClientIp::peer()
        }
        (None, header) => {
            let of = if is_unix { ClientIp::over_unix_socket } else { ClientIp::behind };
            of(trusted_proxies.iter().copied(), header.clone().unwrap_or_default())
        }
    }
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
