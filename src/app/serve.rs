//! The app: its limiter out of the configuration, and the HTTP server around it.

use std::error::Error;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::{fmt, io, thread};

use actix_web::web::Data;

use self::files::{ADMIN_CONNECTIONS, Files};
use self::listener::{Late, Parts};
use self::signals::Signals;
use self::stop::Stop;
use crate::actix::rate_limit::RateLimit;
use crate::app::auth::{Authenticate, FAILURES, Jwt, Proofs};
use crate::app::config;
use crate::app::config::{Config, Listen, RedisUrl, StoreUrl};
use crate::app::operators::store_watch::StoreWatch;
use crate::app::operators::{Admin, Listeners};
use crate::app::serve::registry::{Connections, Most};
use crate::domain::policy::{KeySource, Policy};
use crate::http::ClientIp;
use crate::http::fields::FieldOptions;
use crate::limiter::{Limiter, LimiterBuilder};
use crate::store::{Keyspace, MemoryStore, MonotonicClock, RedisOptions, RedisStore, Store};

mod connection;
mod files;
mod listener;
pub(crate) mod registry;
mod signals;
mod stop;
mod unix_socket;

const DO_NOT_FIT: &str = "policies and routes do not fit";

/// Serves until the process is told to stop.
///
/// # Errors
/// When an address cannot be listened on, or the store cannot be set up.
pub(crate) fn serve(config: &Config) -> Result<(), ServeError> {
    actix_web::rt::System::new().block_on(async {
        let mut signals = Signals::receive()
            .map_err(|error| ServeError::new("signals cannot be received", error))?;
        let files = Files::raise_limit();
        let connections = files.connections(config)?;
        let listeners = listeners(config, connections);
        // Addresses come first: where one is taken, nothing else is worth saying.
        let parts = Late::default();
        let admin = config.admin.listen.as_deref();
        let bind_admin = |address| {
            listener::admin(address, config, listeners.admin.clone(), parts.clone())
                .map_err(|error| cannot_listen(address, error))
        };
        let admin = admin.map(bind_admin).transpose()?;
        let app = listener::app(config, listeners.app.clone(), parts.clone()).await;
        let app = app.map_err(|error| cannot_listen(&config.server.listen, error))?;
        files.say(config, connections);
        let stop = Stop::new(config, listeners.app.clone());
        let assembled = assemble_aside(config.clone(), listeners);
        if let Some(assembled) = signals.during(assembled).await {
            // It is empty until now.
            let _ = parts.set(assembled?);
            if let Some(admin) = admin {
                for place in &admin.places {
                    log::info!("Operators find /ready and /metrics on {place}.");
                }
                // This server goes when the other has ended.
                actix_web::rt::spawn(admin.server);
            }
            for place in &app.places {
                log::info!("Listening on {place}.");
            }
            let ended = signals.obey(app.server, stop).await;
            ended.map_err(|error| ServeError::new("the server failed", error))?;
        }
        // What was counted instead of logged comes before the end.
        log::logger().flush();
        log::info!("Stopped.");
        Ok(())
    })
}

/// Assembles on a thread of its own: a store or a JWKS that does not answer is waited for, and
/// signals are heard meanwhile.
async fn assemble_aside(config: Config, listeners: Listeners) -> Result<Parts, ServeError> {
    let (sender, assembled) = oneshot::channel();
    let assemble = move || {
        // The receiver is gone where the process was told to stop.
        let _ = sender.send(assemble(&config, listeners));
    };
    let failed = |error: Box<dyn Error + Send + Sync>| ServeError::new("the start failed", error);
    thread::Builder::new()
        .name("start".to_owned())
        .spawn(assemble)
        .map_err(|it| failed(it.into()))?;
    assembled.await.map_err(|panicked| failed(panicked.into()))?
}

/// The connections that each listener may have, the app's `in_all`.
fn listeners(config: &Config, in_all: usize) -> Listeners {
    let clock = Arc::new(MonotonicClock::start());
    let is_tcp = matches!(config.server.listen, Listen::Tcp(_));
    // Where proxies are only counted, each peer is one.
    let tells_clients_apart = is_tcp && config.client_ip.hops.is_none();
    // Half of them are for others, whoever it is that has many.
    let per_address = config.server.max_connections_per_ip.min(in_all.div_ceil(2));
    let app = Most {
        in_all,
        per_address: tells_clients_apart.then_some(per_address),
        ipv6_prefix: config.client_ip.ipv6_prefix,
        proxies: config.client_ip.trusted_proxies.iter().copied().collect(),
    };
    let admin = Most { in_all: ADMIN_CONNECTIONS, ..Most::default() };
    Listeners {
        app: Connections::of("server", app, clock.clone()),
        admin: Connections::of("admin", admin, clock),
    }
}

fn assemble(config: &Config, listeners: Listeners) -> Result<Parts, ServeError> {
    let store = store(config)?;
    let memory = Arc::new(MemoryStore::new(config.store.max_keys));
    let watch = store.as_deref().map(|store| watch(config, store)).transpose()?.flatten();
    let admin = Admin::new(config, store.clone(), memory.clone(), watch, listeners);
    let admin = Data::new(admin);
    let limiter = limiter(config, store, memory)?;
    let client_ip = client_ip(config);
    let proofs = proofs(config, client_ip.clone())?;
    let authenticates = proofs.is_any();
    let authenticate = authenticate(config, proofs, &limiter)?;
    let rate_limit = RateLimit::new(limiter)
        .client_ip(client_ip)
        .legacy_headers(config.headers.legacy)
        .expose_headers(config.headers.cors_expose);
    Ok(Parts { rate_limit, authenticate, authenticates, admin })
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

/// What looks at `store` from time to time.
fn watch(config: &Config, store: &RedisStore) -> Result<Option<Arc<StoreWatch>>, ServeError> {
    let StoreUrl::Redis(url) = &config.store.url else { return Ok(None) };
    let options = redis_options(&config.store, url);
    let interval = config.store.examine_interval;
    let watch = StoreWatch::start(store.address().to_owned(), options, interval);
    let watch = watch.map_err(|error| ServeError::new("the store cannot be looked at", error))?;
    Ok(Some(Arc::new(watch)))
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
        Some(store) => {
            log::info!("Counting under the key prefix {:?}.", config.store.key_prefix);
            Limiter::builder(store as Arc<dyn Store>)
                .local(memory)
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
    RedisOptions::new(url.expose())
        .tls(store.tls.clone())
        .key_prefix(store.key_prefix.clone())
        .timeout(store.timeout)
        .idle_timeout(store.idle_timeout)
        .connections(store.connections)
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
