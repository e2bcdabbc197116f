//! Everything that one configuration says about requests.

use std::error::Error;
use std::num::NonZeroU64;
use std::sync::Arc;

use actix_web::http::header::HeaderName;
use arc_swap::ArcSwap;

use super::descriptors::{self, DescriptorRule};
use super::lasting::Lasting;
use super::stores::Stores;
use crate::app::auth::{Authenticate, FAILURES, JwtVerifier, KeyDigest, Proofs};
use crate::app::config::{
    AuthOptions, ClientIpOptions, Config, HostName, JwtOptions, Listen, Places,
};
use crate::app::error::AppError;
use crate::app::observation::{Counts, Observers, SnapshotObserver};
use crate::domain::policy::{KeySource, OnStoreFailure, Policy};
use crate::http::ClientIp;
use crate::http::answers::Answers;
use crate::limiter::{DescriptorRules, Limiter, LimiterBuilder, Observer};
use crate::store::{Keyspace, RedisStore};

/// Everything that one configuration says about requests. Another configuration makes another snapshot,
/// and a request that began under this one ends under it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The number of this snapshot: 1 after the start, and one more with each reload.
    pub(crate) generation: u64,
    /// Policies, routes, and lists of who is blocked and who passes unchecked.
    pub(crate) limiter: Limiter,
    /// What the process counts.
    pub(crate) counts: Arc<Counts>,
    /// What Envoy's descriptors are charged.
    pub(crate) descriptors: DescriptorRules<DescriptorRule>,
    /// Counts what the limiter decides.
    pub(crate) observer: Arc<SnapshotObserver>,
    /// How the addresses of clients are found.
    pub(crate) client_ip: ClientIp,
    /// How the addresses of clients are found about whose requests proxies ask.
    pub(crate) gate_client_ip: ClientIp,
    /// What clients are told of decisions.
    pub(crate) answers: Answers,
    /// The field in which a trusted proxy sends the ID of a request.
    pub(crate) request_id_header: Option<HeaderName>,
    /// Finds out who a request is from; `None` where nothing proves a user.
    pub(crate) authenticate: Option<Authenticate>,
    /// Whether a policy refuses requests while the store is down.
    pub(crate) refuses_without_store: bool,
    /// Names by which operators may call their listener.
    pub(crate) admin_hosts: Vec<HostName>,
    /// The SHA-256 of the tokens of operators: who may change things, and who may only read.
    pub(crate) admin_token: Option<KeyDigest>,
    pub(crate) admin_read_token: Option<KeyDigest>,
    /// The SHA-256 of the token of who may ask the gate, and how many questions a request there may ask.
    pub(crate) gate_token: Option<KeyDigest>,
    pub(crate) gate_max_batch: usize,
    /// Bytes of a body there.
    pub(crate) gate_max_body_bytes: u64,
    redis: Option<Arc<RedisStore>>,
    tokens: Option<Tokens>,
    places: ArcSwap<Places>,
}

/// What verifies tokens, and what it was made of.
#[derive(Clone, Debug)]
struct Tokens {
    options: JwtOptions,
    verifier: Arc<JwtVerifier>,
}

impl Snapshot {
    /// Assembles what `config` says, over `lasting`, to be the first snapshot or to succeed `previous`. A JWK Set
    /// that has a URL is fetched before this returns, unless the previous snapshot fetches it already.
    ///
    /// # Errors
    /// When policies and routes do not fit together, or the key of tokens cannot be used.
    pub(crate) fn new(
        config: &Config,
        lasting: &Lasting,
        previous: Option<&Self>,
    ) -> Result<Self, AppError> {
        let failures = failures(config)?;
        let policies = config.policies.iter().chain([&failures]);
        let counts = lasting.counts.clone();
        let observer =
            Arc::new(SnapshotObserver::new(counts.clone(), policies, config.routes.len()));
        let observers = Observers {
            counts: observer.clone(),
            who: lasting.who.clone(),
            denial_log: lasting.denial_log.clone(),
        };
        let builder = builder(config, &lasting.stores)
            .policy(failures)
            .observer(Arc::new(observers))
            .overrides(lasting.overrides.clone())
            .trusted_proxies(config.client_ip.trusted_proxies.iter().copied());
        let builder = match &lasting.stores.redis {
            // Memory is asked in place, so leases would only cost.
            None => builder,
            Some(_) => builder.leases(lasting.stores.clock.clone()),
        };
        let builder = match previous {
            Some(previous) => builder.succeed(&previous.limiter),
            None => builder,
        };
        let limiter = builder.build().map_err(do_not_fit)?;
        let descriptors = descriptors::rules(&config.descriptors, &limiter).map_err(do_not_fit)?;
        let client_ip = client_ip(config);
        let answers = Answers { fields: config.headers, refusals: None };
        let answers = answers.with_refusals(config.refusals.clone());
        let tokens = Tokens::of(config.auth.jwt.as_ref(), previous)?;
        let proofs = proofs(&config.auth, tokens.as_ref(), client_ip.clone());
        let authenticate = proofs.is_any().then(|| {
            let failures = limiter.policies([FAILURES]).map_err(do_not_fit)?;
            let (answers, counts) = (answers.clone(), counts.clone());
            Ok(Authenticate::new(proofs, limiter.clone(), failures, answers, counts))
        });
        let refuses = |policy: &Policy| policy.on_store_failure() == OnStoreFailure::Deny;
        Ok(Self {
            generation: previous.map_or(1, |previous| previous.generation + 1),
            limiter,
            counts,
            descriptors,
            observer,
            gate_client_ip: gate_client_ip(config, &client_ip),
            client_ip,
            answers,
            request_id_header: config.log.request_id_header.clone(),
            authenticate: authenticate.transpose()?,
            refuses_without_store: config.policies.iter().any(refuses),
            admin_hosts: config.admin.hosts.clone(),
            admin_token: config.admin.token,
            admin_read_token: config.admin.read_token,
            gate_token: config.gate.token,
            gate_max_batch: config.gate.max_batch,
            gate_max_body_bytes: config.gate.limits.max_body_bytes,
            redis: lasting.stores.redis.clone(),
            tokens,
            places: ArcSwap::default(),
        })
    }

    /// Whether a policy refuses requests now, because the store is down.
    pub(crate) fn is_refusing(&self) -> bool {
        let is_down = |redis: &Arc<RedisStore>| redis.status().down_for.is_some();
        self.refuses_without_store && self.redis.as_ref().is_some_and(is_down)
    }

    /// Where its options were set.
    pub(crate) fn places(&self) -> Arc<Places> {
        self.places.load_full()
    }

    /// Says where its options were set. They may move within their files while they stay the same.
    pub(crate) fn set_places(&self, places: Places) {
        self.places.store(Arc::new(places));
    }

    /// The plan of the user `id` if all of the user's API keys agree on one.
    pub(crate) fn plan_of_keys(&self, id: &[u8]) -> Option<String> {
        self.authenticate.as_ref()?.plan_of_keys(id).map(str::to_owned)
    }

    /// Ends what this snapshot does in the background, since `next` is in force. Requests that began under this
    /// snapshot still end under it.
    pub(crate) fn retire(&self, next: &Self) {
        let is_kept = |tokens: &Tokens| {
            next.tokens.as_ref().is_some_and(|it| Arc::ptr_eq(&it.verifier, &tokens.verifier))
        };
        if let Some(tokens) = self.tokens.as_ref().filter(|tokens| !is_kept(tokens)) {
            tokens.verifier.stop_fetching();
        }
        self.limiter.retire_leases();
    }
}

impl Tokens {
    /// What verifies tokens by `options`. It is that of `previous` where nothing has changed.
    ///
    /// # Errors
    /// When the key of tokens cannot be used.
    fn of(
        options: Option<&JwtOptions>,
        previous: Option<&Snapshot>,
    ) -> Result<Option<Self>, AppError> {
        let Some(options) = options else { return Ok(None) };
        let kept = previous.and_then(|previous| previous.tokens.as_ref());
        if let Some(kept) = kept.filter(|kept| kept.options == *options) {
            return Ok(Some(kept.clone()));
        }
        let verifier = JwtVerifier::start(&options.keys, &options.rules)
            .map_err(|error| AppError::new("the key of tokens cannot be used", error))?;
        Ok(Some(Self { options: options.clone(), verifier: Arc::new(verifier) }))
    }
}

/// The limiter that `config` describes, for requests that are not served: it counts in `stores`, and nobody
/// overrides it.
///
/// # Errors
/// When policies and routes do not fit together.
pub(crate) fn limiter_alone(
    config: &Config,
    stores: &Stores,
    observer: Arc<dyn Observer>,
) -> Result<Limiter, AppError> {
    builder(config, stores).observer(observer).build().map_err(do_not_fit)
}

/// The builder of the limiter that `config` describes.
fn builder(config: &Config, stores: &Stores) -> LimiterBuilder {
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
    let builder = config.routes.iter().fold(builder, |builder, route| {
        let (policies, peek) = (route.policies.clone(), route.peek.clone());
        let pattern = route.pattern.to_string();
        let builder = builder.route_of_cost(route.cost, pattern.clone(), policies, peek);
        if route.uses_reserve { builder.reserve_for(pattern) } else { builder }
    });
    let builder = builder.pass_preflights(config.cors.passes_preflights);
    builder.allow(config.access.allow.clone()).block(config.access.block.clone())
}

/// The policy that wrong credentials are charged under. It is none of the request's own: nobody can spend
/// another user's quota by pretending to be that user.
fn failures(config: &Config) -> Result<Policy, AppError> {
    let policy = Policy::new(FAILURES, config.auth.failures).map_err(do_not_fit)?;
    Ok(policy.with_key(KeySource::Ip).with_ipv6_prefix(config.client_ip.ipv6_prefix))
}

/// How the addresses of clients are found.
pub(crate) fn client_ip(config: &Config) -> ClientIp {
    let ClientIpOptions { trusted_proxies, header, hops, .. } = &config.client_ip;
    let is_unix = matches!(config.server.listen, Listen::Unix(_));
    match (hops, header) {
        (Some(hops), header) => ClientIp::hops(*hops, header.clone().unwrap_or_default()),
        (None, None) if trusted_proxies.is_empty() => {
            if is_unix && !config.server.proxy_protocol {
                log::warn!(
                    "A Unix socket does not tell the addresses of clients: all clients share one quota \
                     until client_ip.header names the field in which the proxy sends them."
                );
            }
            ClientIp::peer()
        }
        (None, header) => {
            let of = if is_unix { ClientIp::over_unix_socket } else { ClientIp::behind };
            let of = of(trusted_proxies.iter().copied(), header.clone().unwrap_or_default());
            // Then what a proxy sends without the field are its own health checks.
            if config.server.proxy_protocol { of.without_expecting_field() } else { of }
        }
    }
}

/// How the addresses of clients are found about whose requests proxies ask, where the app finds those of its own by
/// `app`. They are found alike, except that the gate may listen on a Unix socket and the app not, or the reverse.
fn gate_client_ip(config: &Config, app: &ClientIp) -> ClientIp {
    let ClientIpOptions { trusted_proxies, header, hops, .. } = &config.client_ip;
    let is_unix = |listen: &Listen| matches!(listen, Listen::Unix(_));
    let of = match (&config.gate.listen, hops) {
        // Every peer of the gate's socket is a proxy, even if no field is configured for the app.
        (Some(gate), None) if is_unix(gate) => ClientIp::over_unix_socket,
        (Some(_), None) if is_unix(&config.server.listen) => ClientIp::behind,
        _ => return app.clone(),
    };
    of(trusted_proxies.iter().copied(), header.clone().unwrap_or_default())
}

/// The ways in which a request may prove whose it is.
fn proofs(config: &AuthOptions, tokens: Option<&Tokens>, client_ip: ClientIp) -> Proofs {
    Proofs {
        api_keys: config.api_keys.clone(),
        api_key_header: config.api_key_header.clone(),
        jwt: tokens.map(|tokens| tokens.verifier.clone()),
        user_header: config.user_header.clone(),
        client_ip,
    }
}

fn do_not_fit(error: impl Into<Box<dyn Error + Send + Sync>>) -> AppError {
    AppError::new("policies and routes do not fit", error)
}
