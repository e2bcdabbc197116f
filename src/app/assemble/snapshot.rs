//! Everything that one configuration says about requests.

use std::error::Error;
use std::num::NonZeroU64;

use super::stores::Stores;
use crate::app::auth::{Authenticate, FAILURES, JwtVerifier, Proofs};
use crate::app::config::{AuthOptions, ClientIpOptions, Config, HostName, Listen};
use crate::app::error::AppError;
use crate::domain::policy::{KeySource, OnStoreFailure, Policy};
use crate::http::ClientIp;
use crate::http::fields::FieldOptions;
use crate::limiter::{Limiter, LimiterBuilder};
use crate::store::Keyspace;

/// Everything that one configuration says about requests. Another configuration makes another snapshot,
/// and a request that began under this one ends under it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Policies, routes, and lists of who is blocked and who passes unchecked.
    pub(crate) limiter: Limiter,
    /// How the addresses of clients are found.
    pub(crate) client_ip: ClientIp,
    /// Which header fields responses carry.
    pub(crate) fields: FieldOptions,
    /// Finds out who a request is from; `None` where nothing proves a user.
    pub(crate) authenticate: Option<Authenticate>,
    /// Whether a policy refuses requests while the store is down.
    pub(crate) refuses_without_store: bool,
    /// Names by which operators may call their listener.
    pub(crate) admin_hosts: Vec<HostName>,
}

impl Snapshot {
    /// Assembles what `config` says, over `stores`. A JWK Set that has a URL is fetched before this
    /// returns.
    ///
    /// # Errors
    /// When policies and routes do not fit together, or the key of tokens cannot be used.
    pub(crate) fn new(config: &Config, stores: &Stores) -> Result<Self, AppError> {
        let limiter = limiter(config, stores)?;
        let client_ip = client_ip(config);
        let fields =
            FieldOptions { legacy: config.headers.legacy, cors_expose: config.headers.cors_expose };
        let proofs = proofs(&config.auth, client_ip.clone())?;
        let authenticate = proofs.is_any().then(|| {
            let failures = limiter.policies([FAILURES]).map_err(do_not_fit)?;
            Ok(Authenticate::new(proofs, limiter.clone(), failures, fields))
        });
        let refuses = |policy: &Policy| policy.on_store_failure() == OnStoreFailure::Deny;
        Ok(Self {
            limiter,
            client_ip,
            fields,
            authenticate: authenticate.transpose()?,
            refuses_without_store: config.policies.iter().any(refuses),
            admin_hosts: config.admin.hosts.clone(),
        })
    }
}

/// The limiter that `config` describes.
fn limiter(config: &Config, stores: &Stores) -> Result<Limiter, AppError> {
    let builder = match &stores.redis {
        None => Limiter::builder(stores.memory.clone()),
        Some(redis) => Limiter::builder(redis.clone() as _)
            .local(stores.memory.clone())
            .deny_cache(config.store.deny_cache, stores.clock.clone()),
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
    builder.build().map_err(do_not_fit)
}

/// The policy that wrong credentials are charged under. It is none of the request's own: nobody can spend
/// another user's quota by pretending to be that user.
fn failures(config: &Config) -> Result<Policy, AppError> {
    let policy = Policy::new(FAILURES, config.auth.failures).map_err(do_not_fit)?;
    Ok(policy.with_key(KeySource::Ip).with_ipv6_prefix(config.client_ip.ipv6_prefix))
}

/// How the addresses of clients are found.
fn client_ip(config: &Config) -> ClientIp {
    let ClientIpOptions { trusted_proxies, header, hops, .. } = &config.client_ip;
    let is_unix = matches!(config.server.listen, Listen::Unix(_));
    match (hops, header) {
        (Some(hops), header) => ClientIp::hops(*hops, header.clone().unwrap_or_default()),
        (None, None) if trusted_proxies.is_empty() => {
            if is_unix {
                log::warn!(
                    "A Unix socket does not tell the addresses of clients: all clients share one quota \
                     until client_ip.header names the field in which the proxy sends them."
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

/// The ways in which a request may prove whose it is.
fn proofs(config: &AuthOptions, client_ip: ClientIp) -> Result<Proofs, AppError> {
    let jwt = config.jwt.as_ref().map(|jwt| JwtVerifier::start(&jwt.keys, &jwt.rules)).transpose();
    Ok(Proofs {
        api_keys: config.api_keys.clone(),
        api_key_header: config.api_key_header.clone(),
        jwt: jwt.map_err(|error| AppError::new("the key of tokens cannot be used", error))?,
        user_header: config.user_header.clone(),
        client_ip,
    })
}

fn do_not_fit(error: impl Into<Box<dyn Error + Send + Sync>>) -> AppError {
    AppError::new("policies and routes do not fit", error)
}
