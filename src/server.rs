//! The app: its limiter out of the configuration, and the HTTP server around it.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use actix_web::middleware::Condition;
use actix_web::{App, HttpServer};

use crate::auth::{Authenticate, FAILURES, Jwt, Proofs};
use crate::config::{Config, StoreUrl};
use crate::headers::FieldOptions;
use crate::identity::ClientIp;
use crate::limiter::{Limiter, LimiterBuilder};
use crate::middleware::RateLimit;
use crate::policy::{KeySource, Policy};
use crate::routes;
use crate::store::{Keyspace, MemoryStore, MonotonicClock, RedisOptions, RedisStore, Store};

const DO_NOT_FIT: &str = "policies and routes do not fit";

/// Serves until the process is told to stop.
///
/// # Errors
/// When the store cannot be set up, or the address cannot be listened on.
pub(crate) fn serve(config: &Config) -> Result<(), ServeError> {
    let limiter = limiter(config)?;
    let proofs = proofs(config)?;
    let is_any = proofs.is_any();
    let authenticate = authenticate(config, proofs, &limiter)?;
    let rate_limit = RateLimit::new(limiter)
        .legacy_headers(config.headers.legacy)
        .expose_headers(config.headers.cors_expose);
    let app = move || {
        App::new()
            .wrap(rate_limit.clone())
            // What is wrapped later runs earlier: quotas need to know who is asking.
            .wrap(Condition::new(is_any, authenticate.clone()))
            .configure(routes::configure)
    };
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
    let builder = builder.policy(failures(config)?);
    let builder = config.routes.iter().fold(builder, |builder, route| {
        builder.route(&route.path, route.policies.clone(), route.peek.clone())
    });
    builder.build().map_err(|error| ServeError::new(DO_NOT_FIT, error))
}

/// What wrong credentials are charged under: never the request's own policies, so that nobody's
/// quota is spent by who only claims to be them.
fn failures(config: &Config) -> Result<Policy, ServeError> {
    let policy = Policy::new(FAILURES, config.auth.failures);
    let policy = policy.map_err(|error| ServeError::new(DO_NOT_FIT, error))?;
    Ok(policy.with_key(KeySource::Ip))
}

/// How requests may prove whose they are. Keys that are fetched are fetched now.
fn proofs(config: &Config) -> Result<Proofs, ServeError> {
    let auth = &config.auth;
    let jwt = auth.jwt.as_ref().map(|jwt| Jwt::start(&jwt.keys, &jwt.rules)).transpose();
    Ok(Proofs {
        api_keys: auth.api_keys.clone(),
        api_key_header: auth.api_key_header.clone(),
        jwt: jwt.map_err(|error| ServeError::new("the key of tokens cannot be used", error))?,
        user_header: auth.user_header.clone(),
        client_ip: ClientIp::peer(),
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
