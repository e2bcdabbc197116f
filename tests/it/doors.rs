//! One suite for every door: what a limit does to requests is the same whatever framework serves them.
//!
//! A test is told which [`Door`] it goes through, and serves an [`App`] behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tollgate::store::Store;
use tollgate::{
    ClientIp, Cost, HeaderFormat, Keyspace, Limiter, LimiterBuilder, ManualClock, MemoryStore,
    Policy, Refusals, Share, User,
};

use self::app::Head;
use self::server::Running;
use crate::support::http::Client;
use crate::support::redis::Server;
use crate::support::stores::redis_store;
use tollgate_testkit::response::Response;

mod access;
mod addresses;
mod app;
mod around;
mod formats;
mod gathering;
mod grpc;
mod in_flight;
mod keys;
mod nested_routers;
mod outcomes;
mod plans;
mod preflights;
mod refusal_bodies;
mod reports;
mod request_ids;
mod requests;
mod same_bytes;
mod server;
mod store_failure;

/// Makes a test of each of these functions for each door.
macro_rules! through_each_door {
    ($($test:ident),+ $(,)?) => {
        mod through_actix {
            $(#[test] fn $test() { super::$test($crate::doors::Door::Actix); })+
        }
        mod through_axum {
            $(#[test] fn $test() { super::$test($crate::doors::Door::Axum); })+
        }
        mod through_hyper {
            $(#[test] fn $test() { super::$test($crate::doors::Door::Hyper); })+
        }
    };
}
use through_each_door;

/// What an app is served by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// actix-web, with the middleware.
    Actix,
    /// axum, with the layer.
    Axum,
    /// hyper and nothing else, with the layer.
    Hyper,
}

/// What a limit asks the application about a request.
type OfRequest<T> = fn(&Head) -> T;

/// The settings of `RateLimit` and of `RateLimitLayer`.
#[derive(Clone, Debug)]
struct Limit {
    limiter: Limiter,
    /// None: those of the routes.
    policies: Option<Vec<&'static str>>,
    client_ip: ClientIp,
    user: Option<OfRequest<Option<User>>>,
    cost: Option<OfRequest<Cost>>,
    skip: Option<OfRequest<bool>>,
    formats: &'static [HeaderFormat],
    jitter: Share,
    refusals: Option<Refusals>,
    expose: bool,
    request_id_header: Option<&'static str>,
}

impl Limit {
    /// Every setting as it is by default.
    fn new(limiter: LimiterBuilder) -> Self {
        Self {
            limiter: limiter.build().expect("policies and routes that fit"),
            policies: None,
            client_ip: ClientIp::peer(),
            user: None,
            cost: None,
            skip: None,
            formats: &[HeaderFormat::Draft11],
            jitter: Share::NONE,
            refusals: None,
            expose: false,
            request_id_header: None,
        }
    }

    /// All requests meet the policies called `names`.
    fn by(limiter: LimiterBuilder, names: impl Into<Vec<&'static str>>) -> Self {
        Self { policies: Some(names.into()), ..Self::new(limiter) }
    }

    /// An app with this limit, served through `door`.
    fn serve(self, door: Door) -> Served {
        Served::start(door, App { inner: self, outer: None })
    }

    /// An app with this limit, and `outer` around it.
    fn serve_within(self, outer: Self, door: Door) -> Served {
        Served::start(door, App { inner: self, outer: Some(outer) })
    }
}

/// The format of draft 11, and the older fields.
const OLDER: &[HeaderFormat] = &[HeaderFormat::Draft11, HeaderFormat::XRateLimit];

/// What is served: [`app::answer`], with an authentication around the limits.
#[derive(Clone, Debug)]
struct App {
    inner: Limit,
    outer: Option<Limit>,
}

/// A server under way, ended on drop.
struct Served {
    client: Client,
    /// How many requests the application has answered.
    reached: Arc<AtomicUsize>,
    port: u16,
    _running: Running,
}

impl Served {
    fn start(door: Door, app: App) -> Self {
        let reached = Arc::<AtomicUsize>::default();
        let (address, running) = server::start(door, app, reached.clone());
        let client = Client::of(format!("http://{address}"));
        Self { client, reached, port: address.port(), _running: running }
    }

    fn get(&self, path: &str) -> Response {
        self.ask("GET", path, &[])
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let headers: Vec<_> = headers.iter().map(|(name, it)| (*name, it.as_bytes())).collect();
        self.client.request(method, path, &headers)
    }

    /// The statuses of `count` GETs of `path`.
    fn statuses(&self, path: &str, count: usize) -> Vec<u16> {
        (0..count).map(|_| self.get(path).status).collect()
    }

    fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
}

/// 18 seconds into a minute and an hour: both windows end where a whole second does.
const NOW: u64 = 18_000;

/// A store, and the clock that it goes by.
#[derive(Clone)]
struct Counts {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
}

impl Counts {
    fn in_memory() -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        Self { store: Arc::new(MemoryStore::with_clock(1_000, clock.clone())), clock }
    }

    fn in_redis(server: &Server) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        Self { store: Arc::new(redis_store(&server.url(), &clock)), clock }
    }

    /// A limiter with counts of its own.
    fn limiter(&self, policies: impl IntoIterator<Item = Policy>) -> LimiterBuilder {
        static LIMITERS: AtomicU64 = AtomicU64::new(0);
        let number = LIMITERS.fetch_add(1, Ordering::Relaxed);
        let builder =
            Limiter::builder(self.store.clone()).keyspace(Keyspace::new(format!("t{number}")));
        policies.into_iter().fold(builder, LimiterBuilder::policy)
    }

    /// A limit of `quota`, by a policy `default` that all requests meet.
    fn default_of(&self, quota: &str) -> Limit {
        Limit::by(self.limiter([policy("default", quota)]), ["default"])
    }
}

/// Runs `test` in memory, where decisions are there at once, and in Redis, where they come later.
fn on_each_store(test: impl Fn(&Counts)) {
    test(&Counts::in_memory());
    test(&Counts::in_redis(&Server::start()));
}

fn policy(name: &str, quota: &str) -> Policy {
    Policy::new(name, quota.parse().expect("a quota")).expect("a plain name")
}

/// Whether a response tells of policies.
fn has_fields(response: &Response) -> bool {
    ["ratelimit", "ratelimit-policy"].iter().any(|name| response.headers.contains_key(*name))
}

/// Proxies at any address of this machine, which write the client's into `X-Real-IP`.
fn behind_a_proxy() -> ClientIp {
    let networks = ["127.0.0.0/8".parse().expect("a network")];
    ClientIp::behind(networks, "x-real-ip".parse().expect("a header field"))
}
