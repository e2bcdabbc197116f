//! Requests that end before they are decided.

use std::sync::Arc;

use tollgate::{Client, Cost, KeySource, Limiter, Policy, RedisStore};

use crate::support::redis::Server;
use crate::support::stores::patient;
use crate::support::threads::until;

#[test]
fn a_request_that_nobody_awaits_any_more_gives_back_the_slot_that_it_takes() {
    let server = Server::start();
    let store = RedisStore::start(&patient(&server.url())).expect("a store");
    until("the store is up", || store.is_up());
    let policy = Policy::new("one", "100000/hour".parse().expect("a quota")).expect("a name");
    let policy = policy.with_key(KeySource::Global).with_in_flight(1, 3_600_000);
    let builder = Limiter::builder(Arc::new(store)).policy(policy.expect("a limit"));
    let limiter = builder.build().expect("one policy");
    let policies = limiter.policies(["one"]).expect("it exists");
    let check = || limiter.check(&policies, Cost::ONE, &Client::unknown());
    for _ in 0..20 {
        drop(check());
        until("the slot is free", || check().wait().expect("Redis answers").is_allowed());
    }
}
