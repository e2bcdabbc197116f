//! A thread of a runtime calls Redis itself: over a connection of its own, with several calls under way where Redis is
//! far, and with exact losses where the connection fails.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tollgate::store::Store;
use tollgate::{
    Client, Cost, KeySource, Limiter, OnStoreFailure, Policy, RateLimitLayer, RedisStore,
};
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::threads::until;
use crate::support::traffic::{options, store};

/// A reply takes at least so long on its way from a far server.
const FAR: Fault = Fault::Parts(2, Duration::from_millis(4));

const DISPATCHERS: usize = 2;

/// An app on one thread of a runtime, and its Redis at the other end of a proxy.
struct App {
    server: Server,
    proxy: Proxy,
    store: Arc<RedisStore>,
    limiter: Limiter,
    runtime: Runtime,
}

impl App {
    fn start(timeout: Duration) -> Self {
        let server = Server::start();
        let proxy = Proxy::to(server.url().trim_start_matches("redis+unix://"));
        let store = store(&options(&proxy.url()).timeout(timeout).connections(DISPATCHERS));
        let policy = Policy::new("p", "1000/hour".parse().expect("a quota")).expect("a name");
        let policy = policy
            .with_key(KeySource::Header("x-client".into()))
            .with_on_store_failure(OnStoreFailure::Deny);
        let shared: Arc<dyn Store> = store.clone();
        let limiter = Limiter::builder(shared).policy(policy).build().expect("one policy");
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self { server, proxy, store, limiter, runtime: runtime.expect("a runtime") }
    }

    /// Asks a request of `client`: its status, and what is left for the client.
    fn ask(&self, client: &'static str) -> JoinHandle<(u16, Option<u64>)> {
        let layer = RateLimitLayer::new(self.limiter.clone()).policies(["p"]).expect("it exists");
        let hello = async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new()));
        let service = layer.layer(service_fn(hello));
        self.runtime.spawn(async move {
            let request = Request::get("/").header("x-client", client).body(()).expect("a request");
            let response = service.oneshot(request).await.expect("an answer");
            let field = response.headers().get("ratelimit").and_then(|it| it.to_str().ok());
            let left = field.and_then(|it| it.split_once(";r=")?.1.split(';').next()?.parse().ok());
            (response.status().as_u16(), left)
        })
    }

    fn answer(&self, asked: JoinHandle<(u16, Option<u64>)>) -> (u16, Option<u64>) {
        self.runtime.block_on(asked).expect("no panic")
    }

    /// Asks requests of another client until the thread has a connection of its own, and knows how far the server is.
    fn warm_up(&self) {
        for _ in 0..5 {
            assert_eq!(self.answer(self.ask("warm")).0, 200);
        }
        // Beside those of the dispatchers. The probe's ends after a while.
        until("it has a connection of its own", || self.proxy.connections() == DISPATCHERS + 1);
        for _ in 0..5 {
            assert_eq!(self.answer(self.ask("warm")).0, 200);
        }
    }

    /// How many calls Redis has had since `before`.
    fn calls_since(&self, before: u64) -> u64 {
        self.server.calls("evalsha") - before
    }
}

#[test]
fn a_request_does_not_wait_for_a_reply_that_is_far_away() {
    let app = App::start(Duration::from_secs(20));
    app.proxy.set(FAR);
    app.warm_up();
    let before = app.server.calls("evalsha");
    app.proxy.set(Fault::Late);
    let asked: Vec<_> = (1..=3)
        .map(|number| {
            let asked = app.ask("a");
            until("it is sent", || app.calls_since(before) == number);
            asked
        })
        .collect();
    app.proxy.set(Fault::None);
    let answers: Vec<_> = asked.into_iter().map(|asked| app.answer(asked)).collect();
    assert_eq!(answers, [(200, Some(999)), (200, Some(998)), (200, Some(997))]);
}

#[test]
fn what_is_under_way_is_lost_in_time_and_no_late_reply_is_anothers() {
    let app = App::start(Duration::from_millis(100));
    app.proxy.set(FAR);
    app.warm_up();
    let before = app.server.calls("evalsha");
    app.proxy.set(Fault::Late);
    let lost = [("a", 1), ("b", 2)].map(|(client, number)| {
        let asked = app.ask(client);
        until("it is sent", || app.calls_since(before) >= number);
        asked
    });
    for asked in lost {
        assert_eq!(app.answer(asked).0, 503);
    }
    assert_eq!(app.store.status().unanswered, 2);
    app.proxy.set(Fault::None);
    // Redis has counted them.
    for (client, left) in [("c", 999), ("a", 998), ("b", 998)] {
        assert_eq!(app.answer(app.ask(client)), (200, Some(left)), "{client}");
    }
    let status = app.store.status();
    assert_eq!((status.unanswered, status.outages), (2, 0));
}

#[test]
fn a_thread_that_waits_leaves_its_calls_to_others() {
    let app = App::start(Duration::from_secs(20));
    app.proxy.set(FAR);
    app.warm_up();
    let before = app.server.calls("evalsha");
    app.proxy.set(Fault::Late);
    let under_way = app.ask("a");
    until("it is sent", || app.calls_since(before) == 1);
    let limiter = app.limiter.clone();
    // It blocks the only thread, in which the reply to the other is awaited.
    let waits = app.runtime.spawn(async move {
        let policies = limiter.policies(["p"]).expect("it exists");
        let decision = limiter.check(&policies, Cost::ONE, &Client::unknown()).wait();
        decision.expect("a decision").is_allowed()
    });
    until("it is sent", || app.calls_since(before) == 2);
    app.proxy.set(Fault::None);
    assert!(app.runtime.block_on(waits).expect("no panic"));
    assert_eq!(app.answer(under_way), (200, Some(999)));
}

#[test]
fn a_connection_that_the_server_closes_while_it_idles_costs_no_request() {
    let app = App::start(Duration::from_secs(20));
    app.warm_up();
    for left in (990..1000).rev() {
        app.proxy.cut();
        assert_eq!(app.answer(app.ask("a")), (200, Some(left)));
    }
    assert_eq!(app.store.status().unanswered, 0);
}

#[test]
fn a_script_that_the_server_has_forgotten_is_sent_again() {
    let app = App::start(Duration::from_secs(20));
    app.warm_up();
    let flush = redis::cmd("SCRIPT").arg("FLUSH").exec(&mut app.server.connection());
    flush.expect("it forgets");
    assert_eq!(app.answer(app.ask("a")), (200, Some(999)));
    assert_eq!(app.store.status().unanswered, 0);
}
