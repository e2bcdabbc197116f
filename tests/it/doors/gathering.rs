//! Many clients at once: they get the quota exactly, and requests go to Redis together.

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
    assert!(2 * calls < requests, "{requests} requests went out as {calls} calls");
}
