//! What operators and their tools ask, on an address of its own that clients do not reach.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::header::{HOST, HeaderMap};
use actix_web::http::uri::Authority;
use actix_web::http::{StatusCode, Uri};
use actix_web::{HttpResponse, web};
use serde::Serialize;

use self::metrics::Metrics;
use crate::app::config::{Config, HostName};
use crate::app::connections::{Connections, Stage};
use crate::app::endpoints::{not_found, readable};
use crate::app::operators::store_watch::StoreWatch;
use crate::domain::policy::{OnStoreFailure, Policy};
use crate::store::{MemoryStore, NewKeys, RedisStore};

pub(crate) mod metrics;
pub(crate) mod store_watch;

/// What the endpoints tell of.
#[derive(Debug)]
pub(crate) struct Admin {
    /// None where this process counts.
    store: Option<Arc<RedisStore>>,
    /// Where it counts then, and while Redis does not answer.
    memory: Arc<MemoryStore>,
    /// Whether a policy refuses requests while the store is down.
    refuses: bool,
    metrics: Metrics,
    /// Those of the app's listener, which a stop begins with.
    connections: Arc<Connections>,
    /// The names that requests may call this listener by.
    hosts: Vec<Box<str>>,
}

/// The connections of both listeners.
#[derive(Clone, Debug)]
pub(crate) struct Listeners {
    pub(crate) app: Arc<Connections>,
    pub(crate) admin: Arc<Connections>,
}

/// The body of `GET /ready`.
#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    store: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// The policies whose new keys are not counted by themselves, and how they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    new_keys: BTreeMap<String, &'static str>,
}

impl Admin {
    pub(crate) fn new(
        config: &Config,
        store: Option<Arc<RedisStore>>,
        memory: Arc<MemoryStore>,
        watch: Option<Arc<StoreWatch>>,
        listeners: Listeners,
    ) -> Self {
        let refuses = |policy: &Policy| policy.on_store_failure() == OnStoreFailure::Deny;
        let refuses = config.policies.iter().any(refuses);
        let Listeners { app, admin } = listeners;
        let metrics = Metrics::of(store.as_ref(), &memory, watch, [app.clone(), admin]);
        Self { store, memory, refuses, metrics, connections: app, hosts: hosts(config) }
    }

    /// Whether a request with this target and these header fields calls this listener by a name of its
    /// own, by an address, or by nothing, as HTTP/1.0 may. A page that a browser was lured to, and whose
    /// own name resolves to this listener, calls it by that name.
    pub(crate) fn is_called_by(&self, target: &Uri, headers: &HeaderMap) -> bool {
        // Either may name a host, and neither may name another.
        let field = headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
        let authority = target.authority().map(Authority::as_str);
        field
            .into_iter()
            .chain(authority)
            .all(|named| host_of(named).is_some_and(|it| self.is_own(it)))
    }

    fn is_own(&self, host: &str) -> bool {
        host.parse::<IpAddr>().is_ok() || self.hosts.iter().any(|it| it.eq_ignore_ascii_case(host))
    }

    /// Who decides without Redis is ready all the same: to send its clients elsewhere would help nobody.
    /// So is who has no room for new keys.
    fn readiness(&self) -> (StatusCode, Readiness) {
        let (code, readiness) = self.readiness_of_store();
        if self.connections.stage() > Stage::Serving {
            let readiness = Readiness { status: "stopping", ..readiness };
            return (StatusCode::SERVICE_UNAVAILABLE, readiness);
        }
        (code, readiness)
    }

    fn readiness_of_store(&self) -> (StatusCode, Readiness) {
        let Some(store) = &self.store else {
            return (StatusCode::OK, Readiness::new("ready", "up", self.new_keys()));
        };
        let status = store.status();
        if status.down_for.is_none() {
            return (StatusCode::OK, Readiness::new("ready", "up", BTreeMap::new()));
        }
        let (code, said) = match self.refuses {
            true => (StatusCode::SERVICE_UNAVAILABLE, "refusing"),
            false => (StatusCode::OK, "ready"),
        };
        let readiness = Readiness::new(said, "down", self.new_keys());
        (code, Readiness { cause: status.cause, ..readiness })
    }

    fn new_keys(&self) -> BTreeMap<String, &'static str> {
        let policies = self.memory.status().policies.into_iter();
        let crowded = policies.filter_map(|policy| match policy.new_keys {
            NewKeys::Alone => None,
            NewKeys::ByWiderNetwork => Some((policy.policy, "by-wider-network")),
            NewKeys::Together => Some((policy.policy, "together")),
        });
        crowded.collect()
    }
}

impl Readiness {
    fn new(
        status: &'static str,
        store: &'static str,
        new_keys: BTreeMap<String, &'static str>,
    ) -> Self {
        Self { status, store, cause: None, new_keys }
    }
}

/// The names that the configuration gives the operators' listener.
fn hosts(config: &Config) -> Vec<Box<str>> {
    let listen = config.admin.listen.as_deref().and_then(host_of);
    let named = config.admin.hosts.iter().map(HostName::as_str);
    named.chain(listen).chain(["localhost"]).map(Into::into).collect()
}

/// The host in the value of a `Host` field, or in `host:port`; none where it is neither.
fn host_of(text: &str) -> Option<&str> {
    let authority: Authority = text.parse().ok()?;
    // An IPv6 address stands in brackets.
    let start = text.find(authority.host())?;
    let host = &text[start..start + authority.host().len()];
    Some(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
}

/// Adds the endpoints to an app, which tell of `admin`.
pub(crate) fn configure(app: &mut web::ServiceConfig, admin: web::Data<Admin>) {
    app.app_data(admin)
        .service(readable("/ready", ready))
        .service(readable("/metrics", exposition))
        .default_service(web::to(not_found));
}

async fn ready(admin: web::Data<Admin>) -> HttpResponse {
    let (status, readiness) = admin.readiness();
    HttpResponse::build(status).json(readiness)
}

async fn exposition(admin: web::Data<Admin>) -> HttpResponse {
    match admin.metrics.text() {
        Ok(text) => HttpResponse::Ok().content_type(metrics::MEDIA_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
