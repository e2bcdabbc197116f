//! What the operators' endpoints report on.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HOST, HeaderMap};
use actix_web::http::uri::Authority;
use actix_web::http::{StatusCode, Uri};
use actix_web::rt::time::sleep;

use super::api::Guard;
use super::live::Live;
use super::metrics::Metrics;
use super::readiness::Readiness;
use super::store_watch::StoreWatch;
use crate::app::assemble::{CurrentSnapshot, Lasting, Snapshot};
use crate::app::config::{AdminOptions, HostName, Listen};
use crate::app::connections::{Connections, Listeners, Stage};
use crate::app::observation::{BusiestKey, Counts, Rank, TopKey, dominant};
use crate::app::reload::{ReloadStatus, Reloader};
use crate::domain::policy::Policy;
use crate::store::RedisStatus;

/// How often counts are noted: minutes begin that late at most.
const NOTED_EVERY: Duration = Duration::from_secs(1);

/// What the operators' endpoints report on.
#[derive(Debug)]
pub(crate) struct AdminState {
    lasting: Lasting,
    snapshot: CurrentSnapshot,
    guard: Guard,
    reloads: Arc<ReloadStatus>,
    reloader: OnceLock<Reloader>,
    metrics: Metrics,
    live: Live,
    /// Those of the app's listener, whose stage says whether the process stops.
    connections: Arc<Connections>,
    /// The host of the operators' listener in the configuration, if it has one.
    listen_host: Option<Box<str>>,
}

impl AdminState {
    pub(crate) fn new(
        config: &AdminOptions,
        lasting: Lasting,
        snapshot: CurrentSnapshot,
        reloads: Arc<ReloadStatus>,
        watch: Option<StoreWatch>,
        listeners: Listeners,
    ) -> Self {
        let Listeners { app, admin, gate } = listeners;
        let all = [app.clone(), admin, gate];
        let metrics = Metrics::new(&lasting, snapshot.clone(), reloads.clone(), watch, all);
        let listen_host = match &config.listen {
            Some(Listen::Tcp(address)) => host_of(address).map(Into::into),
            Some(Listen::Unix(_)) | None => None,
        };
        Self {
            guard: Guard::new(snapshot.clone()),
            live: Live::new(lasting.counts.clone()),
            lasting,
            snapshot,
            reloads,
            reloader: OnceLock::new(),
            metrics,
            connections: app,
            listen_host,
        }
    }

    /// Whether a request with this target and these header fields names this listener by one of its own
    /// names, by an address, or not at all, as HTTP/1.0 allows. A web page that an attacker lures a
    /// browser to may resolve its own name to this listener; its requests name that other host.
    pub(crate) fn is_called_by(&self, target: &Uri, headers: &HeaderMap) -> bool {
        // Both may name a host, and neither may name a foreign one.
        let field = headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
        let authority = target.authority().map(Authority::as_str);
        field
            .into_iter()
            .chain(authority)
            .all(|named| host_of(named).is_some_and(|it| self.is_own(it)))
    }

    fn is_own(&self, host: &str) -> bool {
        let snapshot = self.snapshot.load();
        let configured = snapshot.admin_hosts.iter().map(HostName::as_str);
        let mut own = configured.chain(self.listen_host.as_deref()).chain(["localhost"]);
        host.parse::<IpAddr>().is_ok() || own.any(|it| it.eq_ignore_ascii_case(host))
    }

    pub(super) fn readiness(&self) -> (StatusCode, Readiness) {
        let refuses_without_store = self.snapshot.load().refuses_without_store;
        let (code, readiness) = Readiness::of(&self.lasting.stores, refuses_without_store);
        let readiness = readiness.with_reloads(&self.reloads);
        match self.connections.stage() {
            Stage::Serving => (code, readiness),
            Stage::LastResponses | Stage::Ending => readiness.stopping(),
        }
    }

    /// Decides whether a request may ask what it asks.
    ///
    /// # Errors
    /// With the response to a request that is refused.
    pub(crate) async fn admit(&self, request: &ServiceRequest) -> Result<(), HttpResponse> {
        self.guard.admit(request).await
    }

    /// Whether the process is told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.connections.stage() != Stage::Serving
    }

    pub(super) fn live(&self) -> &Live {
        &self.live
    }

    /// Notes again and again what was counted, for the history that the page shows.
    pub(crate) async fn note_counts(&self) {
        loop {
            sleep(NOTED_EVERY).await;
            self.live.look();
        }
    }

    pub(super) fn reloads(&self) -> &ReloadStatus {
        &self.reloads
    }

    /// The snapshot that is in force.
    pub(super) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Has the configuration read again from now on by `reloader`.
    pub(crate) fn reload_by(&self, reloader: Reloader) {
        // It is set once, when the process has started.
        let _ = self.reloader.set(reloader);
    }

    pub(super) fn reloader(&self) -> Option<&Reloader> {
        self.reloader.get()
    }

    /// The keys that are most frequent: see [`Who::top`].
    pub(super) fn top(&self, policy: Option<&str>, by: Rank, most: usize) -> Vec<TopKey> {
        self.lasting.who.top(policy, by, most)
    }

    /// What was counted of decisions since the process started.
    pub(super) fn counts(&self) -> &Counts {
        &self.lasting.counts
    }

    /// How it stands with Redis; `None` where this process counts alone.
    pub(super) fn redis_status(&self) -> Option<RedisStatus> {
        self.lasting.stores.redis.as_ref().map(|redis| redis.status())
    }

    /// The busiest key of `policy`, if that says something: see [`dominant`].
    pub(super) fn busiest_key(&self, policy: &Policy) -> Option<BusiestKey> {
        dominant(&self.lasting.who, policy)
    }

    /// Writes what was refused since the last summary, as at the end of the process.
    pub(crate) fn sum_up_denials(&self) {
        self.lasting.denial_log.end_period();
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// The host in the value of a `Host` field, or in `host:port`; `None` if it is neither.
fn host_of(text: &str) -> Option<&str> {
    let authority: Authority = text.parse().ok()?;
    // An IPv6 address stands in brackets.
    let start = text.find(authority.host())?;
    let host = &text[start..start + authority.host().len()];
    Some(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
}
