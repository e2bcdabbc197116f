//! The app: its limiter out of the configuration, and the HTTP server around it.

use std::error::Error;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::{fmt, io};

use actix_web::dev::Server;
use actix_web::middleware::Condition;
use actix_web::web::Data;
use actix_web::{App, HttpServer};

use crate::admin::{self, Admin};
use crate::auth::{Authenticate, FAILURES, Jwt, Proofs};
use crate::config::{self, Config, Listen, RedisUrl, StoreUrl};
use crate::headers::FieldOptions;
use crate::identity::ClientIp;
use crate::limiter::{Limiter, LimiterBuilder};
use crate::middleware::RateLimit;
use crate::policy::{KeySource, Policy};
use crate::routes;
use crate::store::{Keyspace, MemoryStore, MonotonicClock, RedisOptions, RedisStore, Store};

mod unix_socket;

const DO_NOT_FIT: &str = "policies and routes do not fit";

/// Serves until the process is told to stop.
///
/// # Errors
/// When the store cannot be set up, or the address cannot be listened on.
pub(crate) fn serve(config: &Config) -> Result<(), ServeError> {
    let store = store(config)?;
    let memory = Arc::new(MemoryStore::new(config.store.max_keys));
    let admin = Data::new(Admin::new(config, store.clone(), memory.clone()));
    let limiter = limiter(config, store, memory)?;
    let client_ip = client_ip(config);
    let proofs = proofs(config, client_ip.clone())?;
    let is_any = proofs.is_any();
    let authenticate = authenticate(config, proofs, &limiter)?;
    let rate_limit = RateLimit::new(limiter)
        .client_ip(client_ip)
        .legacy_headers(config.headers.legacy)
        .expose_headers(config.headers.cors_expose);
    let app = move || {
        App::new()
            .wrap(rate_limit.clone())
            // What is wrapped later runs earlier: quotas need to know who is asking.
            .wrap(Condition::new(is_any, authenticate.clone()))
            .configure(routes::configure)
    };
    let (listen, admin_listen) = (config.server.listen.clone(), config.admin.listen.clone());
    actix_web::rt::System::new().block_on(async move {
        if let Some(address) = admin_listen {
            actix_web::rt::spawn(serve_admin(&address, admin)?);
        }
        // Or whoever sends several requests at a time waits for acknowledgements in between.
        let mut server = HttpServer::new(app).tcp_nodelay(true);
        if config.server.workers > 0 {
            server = server.workers(config.server.workers);
        }
        let refused = |error| cannot_listen(&listen, error);
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

/// The server of the operators' endpoints, which goes when the other has ended.
fn serve_admin(address: &str, admin: Data<Admin>) -> Result<Server, ServeError> {
    let app = move || App::new().configure(|app| admin::configure(app, admin.clone()));
    let server = HttpServer::new(app).workers(1).disable_signals();
    let server = server.bind(address).map_err(|error| cannot_listen(address, error))?;
    for address in server.addrs() {
        log::info!("Operators find /ready and /metrics on http://{address}.");
    }
    Ok(server.run())
}

fn cannot_listen(address: impl fmt::Display, error: io::Error) -> ServeError {
    ServeError::new(format!("cannot listen on {address}"), error)
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

/// The Redis that `config` names, if it names one.
fn store(config: &Config) -> Result<Option<Arc<RedisStore>>, ServeError> {
    let StoreUrl::Redis(url) = &config.store.url else { return Ok(None) };
    let store = RedisStore::start(&redis_options(&config.store, url))
        .map_err(|error| ServeError::new("the store cannot be set up", error))?;
    Ok(Some(Arc::new(store)))
}

/// The limiter that `config` describes, over `store`, or over this process's memory.
fn limiter(
    config: &Config,
    store: Option<Arc<RedisStore>>,
    memory: Arc<MemoryStore>,
) -> Result<Limiter, ServeError> {
    let builder = match store {
        None => {
            log::info!("Counting in this process.");
            Limiter::builder(memory)
        }
        Some(store) => Limiter::builder(store as Arc<dyn Store>)
            .local(memory)
            .deny_cache(config.store.deny_cache, Arc::new(MonotonicClock::start())),
    };
    let keyspace =
        Keyspace::new(&config.store.key_prefix).with_hashed_users(config.store.hash_users);
    let builder = builder
        .keyspace(keyspace)
        .instances(NonZeroU64::new(config.store.instances).unwrap_or(NonZeroU64::MIN));
    let builder = config.policies.iter().cloned().fold(builder, LimiterBuilder::policy);
    let builder = builder.policy(failures(config)?);
    let builder = config.routes.iter().fold(builder, |builder, route| {
        let (policies, peek) = (route.policies.clone(), route.peek.clone());
        builder.route_of_cost(route.cost, route.pattern.to_string(), policies, peek)
    });
    let builder = builder.allow(config.access.allow.clone()).block(config.access.block.clone());
    builder.build().map_err(|error| ServeError::new(DO_NOT_FIT, error))
}

/// What wrong credentials are charged under: never the request's own policies, so that nobody's
/// quota is spent by who only claims to be them.
fn failures(config: &Config) -> Result<Policy, ServeError> {
    let policy = Policy::new(FAILURES, config.auth.failures);
    let policy = policy.map_err(|error| ServeError::new(DO_NOT_FIT, error))?;
    Ok(policy.with_key(KeySource::Ip).with_ipv6_prefix(config.client_ip.ipv6_prefix))
}

/// How requests may prove whose they are. Keys that are fetched are fetched now.
fn proofs(config: &Config, client_ip: ClientIp) -> Result<Proofs, ServeError> {
    let auth = &config.auth;
    let jwt = auth.jwt.as_ref().map(|jwt| Jwt::start(&jwt.keys, &jwt.rules)).transpose();
    Ok(Proofs {
        api_keys: auth.api_keys.clone(),
        api_key_header: auth.api_key_header.clone(),
        jwt: jwt.map_err(|error| ServeError::new("the key of tokens cannot be used", error))?,
        user_header: auth.user_header.clone(),
        client_ip,
    })
}

fn authenticate(
    config: &Config,
    proofs: Proofs,
    limiter: &Limiter,
) -> Result<Authenticate, ServeError> {
    let failures = limiter.policies([FAILURES]);
    let failures = failures.map_err(|error| ServeError::new(DO_NOT_FIT, error))?;
    let headers = config.headers;
    let fields = FieldOptions { legacy: headers.legacy, cors_expose: headers.cors_expose };
    Ok(Authenticate::new(proofs, limiter.clone(), failures, fields))
}

/// How the Redis at `url` is reached.
pub(crate) fn redis_options(store: &config::Store, url: &RedisUrl) -> RedisOptions {
    RedisOptions {
        tls: store.tls.clone(),
        key_prefix: store.key_prefix.clone(),
        timeout: store.timeout,
        connections: store.connections,
        ..RedisOptions::new(url.expose())
    }
}

/// Why the app could not serve.
#[derive(Debug)]
pub(crate) struct ServeError {
    what: String,
    source: Box<dyn Error + Send + Sync>,
}

impl ServeError {
    pub(crate) fn new(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
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
