//! What the parts of a decision cost, without a network.
//!
//! `cargo bench --bench core`, or with a name after it to measure only what has it.

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, web};
use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tollgate::algorithm::State;
use tollgate::store::{Acquire, Charge};
use tollgate::{
    Algorithm, Client, ClientIp, Clock as _, Cost, ForwardingHeader, HeaderFormat, Identity,
    Ipv6Prefix, KeySource, Keyspace, Limiter, MemoryStore, Policy, Quota, RateLimit, SystemClock,
};

#[path = "core/logs.rs"]
mod logs;

const COLD_KEYS: usize = 100_000;

fn quota() -> Quota {
    "2000000000/hour".parse().expect("a quota")
}

fn policy(name: &str) -> Arc<Policy> {
    let policy = Policy::new(name, quota()).expect("a policy");
    Arc::new(policy.with_key(KeySource::Header("x-client".into())))
}

fn client(number: usize) -> Identity<'static> {
    Identity::header("x-client", number.to_string())
}

/// One step: where a key stands, and its charge.
fn algorithms(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    for name in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
        // A step a millisecond: one entry comes and one goes.
        let quota = if name == "sliding-log" { "1000/second".parse() } else { Ok(quota()) };
        let quota = quota.expect("a quota");
        let algorithm = Algorithm::named(name, quota).expect("an algorithm");
        let terms = algorithm.terms(quota);
        let mut state = State::untouched(algorithm);
        let mut now = SystemClock.now();
        group.bench_function(name, |b| {
            b.iter(|| {
                now += 1;
                let standing = state.standing(&terms, now, Cost::ONE);
                match standing.remaining {
                    0 => black_box(standing),
                    _ => black_box(state.charge(&terms, now, 1, Cost::ONE)),
                }
            });
        });
    }
    group.finish();
}

/// Decisions of the memory store, by threads that ask at the same time.
fn memory_store(c: &mut Criterion) {
    let mut group = c.benchmark_group("memory-store");
    group.throughput(Throughput::Elements(1));
    for (kind, keys) in [("hot", 1), ("cold", COLD_KEYS)] {
        for threads in [1, 2] {
            let store = MemoryStore::new(2 * COLD_KEYS);
            let asked = requests(keys);
            for one in &asked {
                let _ = store.acquire_now(one);
            }
            group.bench_function(BenchmarkId::new(kind, threads), |b| {
                b.iter_custom(|decisions| share_out(&store, &asked, threads, decisions));
            });
        }
    }
    group.finish();
}

/// One request of each of `keys` clients, in an order that no cache foresees.
fn requests(keys: usize) -> Vec<Acquire> {
    let (policy, keyspace) = (policy("default"), Keyspace::new("tollgate"));
    // A step that shares no factor with the number of keys comes by all of them.
    let numbers = (0..keys).map(|number| number * 61_403 % keys);
    let request = |number| {
        let key = keyspace.key(&client(number), &policy);
        let charges = vec![Charge::new(policy.clone(), key)];
        Acquire::new(charges, 1)
    };
    numbers.map(request).collect()
}

/// The time that `threads` take for `decisions` together.
fn share_out(store: &MemoryStore, asked: &[Acquire], threads: usize, decisions: u64) -> Duration {
    let begun = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let mine = decisions / threads as u64;
            scope.spawn(move || {
                let from = asked.iter().cycle().skip(thread * asked.len() / threads);
                for (one, _) in from.zip(0..mine) {
                    let _ = black_box(store.acquire_now(black_box(one)));
                }
            });
        }
    });
    begun.elapsed()
}

fn keyspace(c: &mut Criterion) {
    let (policy, keyspace) = (policy("default"), Keyspace::new("tollgate"));
    let mut group = c.benchmark_group("key");
    for (name, identity) in [
        ("ip", Identity::ip([203, 0, 113, 7].into(), Ipv6Prefix::default())),
        ("user", Identity::user("1042")),
        ("hashed", Identity::user("long".repeat(50))),
    ] {
        group.bench_function(name, |b| b.iter(|| keyspace.key(black_box(&identity), &policy)));
    }
    group.finish();
}

/// The limiter over the memory store: key, decision, and what it says.
fn limiter(c: &mut Criterion) {
    let limiter = Limiter::builder(Arc::new(MemoryStore::new(1_000)))
        .policy((*policy("default")).clone())
        .build()
        .expect("a limiter");
    let policies = limiter.policies(["default"]).expect("its policy");
    let headers = |_: &str| Some(Cow::Borrowed(&b"7"[..]));
    let client = Client::unknown().with_headers(&headers);
    let check = || limiter.check(&policies, Cost::ONE, &client).wait();
    c.bench_function("limiter", |b| b.iter(|| check().expect("memory answers")));
    // What this is above the first is the memory of what the store answered, for when it is away.
    let limiter = Limiter::builder(Arc::new(MemoryStore::new(1_000)))
        .local(Arc::new(MemoryStore::new(1_000)))
        .policy((*policy("default")).clone())
        .build()
        .expect("a limiter");
    let check = || limiter.check(&policies, Cost::ONE, &client).wait();
    c.bench_function("limiter-that-remembers", |b| b.iter(|| check().expect("memory answers")));
}

/// What is found before a decision, among many: the route, and whether a client is on a list.
fn look_ups(c: &mut Criterion) {
    let mut builder = Limiter::builder(Arc::new(MemoryStore::new(1)));
    for number in 0..1_000 {
        builder = builder.route::<&str>(format!("/exact/{number}"), [], []);
        builder = builder.route::<&str>(format!("GET /api/{{version}}/{number}/{{id}}"), [], []);
    }
    let network = |number: u32| format!("10.{}.{}.0/25", number >> 8, number & 0xff);
    let blocked = (0..10_000).map(|number| network(number).parse().expect("a network"));
    let limiter = builder.route::<&str>("/*", [], []).block(blocked).build().expect("a limiter");
    for (name, path) in
        [("exact", "/exact/700"), ("pattern", "/api/v1/700/x"), ("rest", "/api/v1/none/x")]
    {
        c.bench_function(&format!("route/{name}"), |b| {
            b.iter(|| limiter.route("GET", black_box(path)).is_some());
        });
    }
    let client = Client::at([10, 20, 0, 200].into()).with_user("1042");
    c.bench_function("access", |b| b.iter(|| limiter.access(black_box(&client))));
}

/// The client's address: of the connection, behind a proxy, and at the end of a forged chain.
fn client_ip(c: &mut Criterion) {
    let proxies = ["10.0.0.0/8".parse().expect("a network")];
    let behind = ClientIp::behind(proxies, ForwardingHeader::default());
    let request = |line: &str| {
        let peer = ([10, 0, 0, 1], 5_000).into();
        let request = TestRequest::default().peer_addr(peer);
        request.insert_header(("x-forwarded-for", line)).to_srv_request()
    };
    let (usual, chain) = (request("203.0.113.7, 10.0.0.2"), request(&"10.0.0.2,".repeat(10_000)));
    let plain = TestRequest::default().peer_addr(([203, 0, 113, 7], 5_000).into()).to_srv_request();
    let mut group = c.benchmark_group("client-ip");
    for (name, client_ip, request) in [
        ("peer", &ClientIp::peer(), &plain),
        ("behind-two", &behind, &usual),
        ("chain-of-10000", &behind, &chain),
    ] {
        group.bench_function(name, |b| b.iter(|| client_ip.address(black_box(request))));
    }
    group.finish();
}

/// A whole request through actix-web: without a limiter, with one, and with the older fields too.
/// What the second is above the first, is the middleware with its header fields.
fn middleware(c: &mut Criterion) {
    let rate_limit = |names: &[&str]| {
        let builder = Limiter::builder(Arc::new(MemoryStore::new(1_000)));
        let builder = names.iter().fold(builder, |it, name| it.policy((*policy(name)).clone()));
        let rate_limit = RateLimit::new(builder.build().expect("a limiter"));
        rate_limit.policies(names).expect("its policies")
    };
    let one = rate_limit(&["default"]);
    let mut group = c.benchmark_group("request");
    group.bench_function("bare", |b| serve(b, one.clone().skip(|_| true)));
    group.bench_function("one-policy", |b| serve(b, one.clone()));
    let formats = [HeaderFormat::Draft11, HeaderFormat::XRateLimit];
    let older = one.clone().send_headers(formats).expect("formats that go together");
    group.bench_function("legacy-headers", |b| serve(b, older.clone()));
    group.bench_function("two-policies", |b| serve(b, rate_limit(&["default", "daily"])));
    group.finish();
}

fn serve(b: &mut Bencher<'_>, rate_limit: RateLimit) {
    let system = actix_web::rt::System::new();
    let app = App::new().wrap(rate_limit).route("/", web::get().to(HttpResponse::Ok));
    let app = system.block_on(init_service(app));
    let field = (HeaderName::from_static("x-client"), HeaderValue::from_static("7"));
    b.iter(|| {
        let request = TestRequest::get().insert_header(field.clone()).to_request();
        let response = system.block_on(call_service(&app, request));
        assert!(response.status().is_success());
        response
    });
}

criterion_group!(
    benches,
    algorithms,
    memory_store,
    keyspace,
    limiter,
    look_ups,
    client_ip,
    middleware,
    logs::logs
);
criterion_main!(benches);
