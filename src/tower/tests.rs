use std::convert::Infallible;
use std::future::{Future, Ready, poll_fn, ready};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use tower::limit::ConcurrencyLimit;
use tower::{ServiceExt, service_fn};
use tower_layer::Layer as _;
use tower_service::Service;

mod in_flight;

use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::policy::{KeySource, Policy};
use crate::limiter::{Limiter, LimiterBuilder};
use crate::store::{Acquire, Acquired, Answer, Key, MemoryStore, Store};

/// 18 seconds into a minute.
const NOW: u64 = 18_000;

type Inbound = Request<Empty<Bytes>>;
type Outbound = Response<Full<Bytes>>;

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::with_clock(1_000, Arc::new(ManualClock::new(NOW))))
}

fn policy(name: &str, quota: &str) -> Policy {
    Policy::new(name, quota.parse().unwrap()).unwrap()
}

/// A layer over a policy `default` of `quota` that every request meets.
fn default_of(quota: &str, store: Arc<dyn Store>) -> RateLimitLayer {
    let limiter = Limiter::builder(store).policy(policy("default", quota)).build().unwrap();
    RateLimitLayer::new(limiter).policies(["default"]).unwrap()
}

fn request(path: &str) -> Inbound {
    Request::get(path)
        .extension(SocketAddr::from(([203, 0, 113, 7], 1)))
        .body(Empty::new())
        .unwrap()
}

fn hello() -> Outbound {
    Response::new(Full::from("Hello"))
}

/// Runs a future without any runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// A store that decides in memory, and answers from another thread.
#[derive(Debug)]
struct Later(Arc<MemoryStore>);

impl Store for Later {
    fn acquire(&self, asked: &Acquire) -> Answer<Acquired> {
        let (sender, answer) = Answer::later();
        let (store, asked) = (self.0.clone(), asked.clone());
        thread::spawn(move || sender.send(store.acquire(&asked).wait()));
        answer
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.0.reset(keys)
    }
}

/// A store that answers at once, and one that answers later.
fn stores() -> [Arc<dyn Store>; 2] {
    [memory(), Arc::new(Later(memory()))]
}

/// A service that only one who was told that it is ready may call, and whose clones are not ready.
#[derive(Debug, Default)]
struct Careful {
    is_ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Careful {
    fn clone(&self) -> Self {
        Self { is_ready: false, calls: self.calls.clone() }
    }
}

impl Service<Inbound> for Careful {
    type Response = Outbound;
    type Error = Infallible;
    type Future = Ready<Result<Outbound, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Inbound) -> Self::Future {
        assert!(self.is_ready, "called though it was not ready");
        self.is_ready = false;
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(hello()))
    }
}

#[test]
fn all_of_it_goes_from_thread_to_thread_and_layer_and_service_are_cheap_to_clone() {
    fn is_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn is_sent<T: Send + 'static>(_: &T) {}
    let layer = default_of("1/minute", memory());
    is_shared(&layer);
    let mut service = layer.layer(Careful::default());
    is_shared(&service);
    let _ = block_on(poll_fn(|context| service.poll_ready(context)));
    let future = service.call(request("/"));
    is_sent(&future);
    is_sent(&block_on(future).unwrap().into_body());
}

#[test]
fn a_future_needs_no_runtime() {
    for store in stores() {
        let service = default_of("2/minute", store).layer(Careful::default());
        let ask = || block_on(service.clone().oneshot(request("/"))).unwrap().status().as_u16();
        assert_eq!([ask(), ask(), ask()], [200, 200, 429]);
    }
}

#[test]
fn the_service_that_was_ready_is_the_one_that_is_called() {
    for store in stores() {
        let mut service = default_of("2/minute", store).layer(Careful::default());
        for status in [200, 200, 429, 429] {
            block_on(poll_fn(|context| service.poll_ready(context))).unwrap();
            let future = service.call(request("/"));
            assert_eq!(block_on(future).unwrap().status(), status);
        }
    }
}

#[test]
fn the_layer_is_no_more_ready_than_what_is_within() {
    #[derive(Clone)]
    struct Busy;
    impl Service<Inbound> for Busy {
        type Response = Outbound;
        type Error = &'static str;
        type Future = Ready<Result<Outbound, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Pending
        }

        fn call(&mut self, _: Inbound) -> Self::Future {
            unreachable!("it is never ready")
        }
    }
    let mut service = default_of("1/minute", memory()).layer(Busy);
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_pending());
}

#[test]
fn a_refused_request_holds_no_permit() {
    for store in stores() {
        let inner = ConcurrencyLimit::new(Careful::default(), 1);
        let mut refusing = default_of("1/minute", store).layer(inner);
        let mut other = refusing.clone();
        let mut context = Context::from_waker(Waker::noop());
        for status in [200, 429, 429] {
            assert!(refusing.poll_ready(&mut context).is_ready());
            let response = block_on(refusing.call(request("/"))).unwrap();
            assert_eq!(response.status(), status);
            // The only permit is free again, also while the response is held.
            assert!(other.poll_ready(&mut context).is_ready(), "{status}");
            other = other.clone();
        }
    }
}

#[test]
fn a_request_that_waits_for_the_store_holds_the_permit_that_it_was_given() {
    let inner = ConcurrencyLimit::new(Careful::default(), 1);
    let mut service = default_of("1/minute", Arc::new(Later(memory()))).layer(inner);
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let future = service.call(request("/"));
    assert!(service.poll_ready(&mut context).is_pending(), "one is under way");
    drop(future);
    assert!(service.poll_ready(&mut context).is_ready());
}

#[test]
fn an_error_of_the_service_within_stays_what_it_is() {
    for store in stores() {
        let failing = service_fn(|_: Inbound| ready(Err::<Outbound, _>("it is broken")));
        let service = default_of("2/minute", store).layer(failing);
        let ask = || block_on(service.clone().oneshot(request("/")));
        assert_eq!([ask().err(), ask().err()], [Some("it is broken"); 2]);
        assert_eq!(ask().unwrap().status(), 429, "errors are counted");
    }
}

#[test]
fn bodies_compose() {
    // A limit within a limit, with a layer that changes bodies between, and one around.
    let inner = default_of("1/minute", memory());
    let outer = default_of("9/minute", memory());
    let upper = |service| {
        ServiceExt::<Inbound>::map_response(
            service,
            |response: Response<ResponseBody<Full<Bytes>>>| {
                response.map(|body| {
                    body.map_frame(|frame| {
                        frame.map_data(|data| Bytes::from(data.to_ascii_uppercase()))
                    })
                })
            },
        )
    };
    let service = outer.layer(upper(inner.layer(Careful::default())));
    let read = || {
        let response = block_on(service.clone().oneshot(request("/"))).unwrap();
        let body = block_on(response.into_body().collect()).unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    };
    assert_eq!(read(), "HELLO");
    assert!(read().starts_with("{\"TYPE\":"));
}

#[test]
fn a_body_says_its_length_and_its_end() {
    use http_body::Body as _;
    let mut service = default_of("1/minute", memory()).layer(Careful::default());
    let lengths = [200, 429].map(|status| {
        block_on(poll_fn(|context| service.poll_ready(context))).unwrap();
        let response = block_on(service.call(request("/"))).unwrap();
        assert_eq!(response.status(), status);
        let mut body = response.into_body();
        assert!(!body.is_end_stream());
        let length = body.size_hint().exact().unwrap();
        let read = block_on(body.frame()).unwrap().unwrap().into_data().unwrap();
        assert_eq!(read.len() as u64, length);
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        length
    });
    assert_eq!(lengths[0], 5);
    // As layers make a response of their own, such as that to a preflight of CORS.
    let body = ResponseBody::<Full<Bytes>>::default();
    assert_eq!((body.is_end_stream(), body.size_hint().exact()), (true, Some(0)));
}

#[test]
fn keys_of_several_header_fields_are_each_found() {
    let names = ["x-zone", "x-tenant", "x-app", "x-key", "x-zone"];
    let keyed = |limiter: LimiterBuilder, (number, name): (usize, &&str)| {
        let key = KeySource::Header((*name).into());
        limiter.policy(policy(&format!("p{number}"), "1/minute").with_key(key))
    };
    let limiter = names.iter().enumerate().fold(Limiter::builder(memory()), keyed);
    let layer = RateLimitLayer::new(limiter.build().unwrap());
    for (number, name) in names.iter().enumerate() {
        let layer = layer.clone().policies([format!("p{number}")]).unwrap();
        let service = layer.layer(Careful::default());
        let ask = |value: &str| {
            let mut request = request("/");
            request.headers_mut().insert(*name, value.parse().unwrap());
            block_on(service.clone().oneshot(request)).unwrap().status().as_u16()
        };
        assert_eq!([ask("1"), ask("1"), ask("2")], [200, 429, 200], "{name}");
    }
}

/// What this process logs of connections without an address.
struct Heard(Mutex<Vec<String>>);

static HEARD: Heard = Heard(Mutex::new(Vec::new()));

impl log::Log for Heard {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.target().starts_with("tollgate::tower") {
            self.0.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
        }
    }

    fn flush(&self) {}
}

#[test]
fn requests_without_an_address_share_one_quota_and_are_warned_of_once() {
    log::set_logger(&HEARD).expect("no other test sets one");
    log::set_max_level(log::LevelFilter::Warn);
    let layer = default_of("2/minute", memory());
    let ask = |request: Inbound| {
        let service = layer.layer(Careful::default());
        block_on(service.oneshot(request)).unwrap().status().as_u16()
    };
    assert_eq!(ask(request("/")), 200);
    assert!(HEARD.0.lock().unwrap().is_empty());
    let bare = || Request::get("/").body(Empty::new()).unwrap();
    assert_eq!([ask(bare()), ask(bare()), ask(bare())], [200, 200, 429]);
    assert_eq!(ask(request("/")), 200, "who has an address is not among them");
    let heard = HEARD.0.lock().unwrap().clone();
    let expected = "WARN Requests come without the address of their connection, so all of their \
                    clients share one quota: serve the app with its peers' addresses, and name \
                    their type by RateLimitLayer::peer.";
    assert_eq!(heard, [expected]);
}
