//! Many clients at once: they get the quota exactly, and requests go to Redis together.

use std::convert::Infallible;

use http::{Request, Response};
use tokio::runtime::Builder;
use tollgate::RateLimitLayer;
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::support::http::Client;
use crate::support::redis::Server;
use crate::support::threads::together;

use super::{Counts, Door, Limit, policy, through_each_door};

through_each_door! {
    in_memory_concurrent_clients_get_the_quota_exactly,
    in_redis_concurrent_clients_get_the_quota_exactly_in_few_calls,
}

const CLIENTS: usize = 32;
const REQUESTS_EACH: usize = 50;
const QUOTA: usize = 500;

/// How many requests are admitted when all clients ask at once, over connections that they keep.
fn admitted(door: Door, counts: &Counts) -> usize {
    let limiter = counts.limiter([policy("default", "500/hour")]);
    let served = Limit::by(limiter, ["default"]).serve(door);
    let url = served.client.url().to_owned();
    let admitted = together(CLIENTS, move |_| {
        let client = Client::of(url.clone());
        let statuses = (0..REQUESTS_EACH).map(|_| client.get("/", &[]).status);
        statuses.filter(|&status| status == 200).count()
    });
    let admitted = admitted.into_iter().sum();
    assert_eq!(served.reached(), admitted);
    admitted
}

fn in_memory_concurrent_clients_get_the_quota_exactly(door: Door) {
    assert_eq!(admitted(door, &Counts::in_memory()), QUOTA);
}

fn in_redis_concurrent_clients_get_the_quota_exactly_in_few_calls(door: Door) {
    let server = Server::start();
    assert_eq!(admitted(door, &Counts::in_redis(&server)), QUOTA);
    let (calls, requests) = (server.calls("evalsha"), (CLIENTS * REQUESTS_EACH) as u64);
    println!("CALLS {door:?} {calls} of {requests}");
    assert!(2 * calls < requests, "{requests} requests went out as {calls} calls");
}

#[test]
fn what_a_thread_of_tokio_asks_in_one_turn_is_one_call() {
    const TURNS: u64 = 20;
    const TOGETHER: usize = 12;
    let server = Server::start();
    let limiter = Counts::in_redis(&server).limiter([policy("default", "999/minute")]);
    let limiter = limiter.build().expect("a limiter");
    let layer = RateLimitLayer::new(limiter).policies(["default"]).expect("it exists");
    let hello = async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new()));
    let service = layer.layer(service_fn(hello));
    let turns = |count| {
        let mut service = service.clone();
        async move {
            for _ in 0..count {
                service.ready().await.expect("it is always ready");
                let asked: Vec<_> = (0..TOGETHER).map(|_| service.call(Request::new(()))).collect();
                for response in asked {
                    assert_eq!(response.await.expect("an answer").status(), 200);
                }
            }
        }
    };
    // One thread, from which no other takes a task: what it does in a turn is known.
    let one_thread = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1);
        builder
    };
    let can_call = one_thread().enable_all().build();
    // A runtime that cannot wait for a socket leaves the calls to others.
    let cannot_call = one_thread().build();
    for runtime in [can_call, cannot_call] {
        let runtime = runtime.expect("a runtime");
        // The first turn of a thread only begins to gather.
        runtime.block_on(runtime.spawn(turns(1))).expect("every request passes");
        let before = server.calls("evalsha");
        runtime.block_on(runtime.spawn(turns(TURNS))).expect("every request passes");
        assert_eq!(server.calls("evalsha") - before, TURNS);
    }
}
