//! Counts are exact under load, and they are those of every other door.

use super::site::{CLIENT, Proxy, Site};
use crate::support::http::Client;
use crate::support::threads::together;

super::through_each_proxy![
    a_quota_is_given_out_exactly_under_load,
    a_policy_that_is_used_up_at_one_door_is_used_up_at_the_other,
    connections_to_the_gate_are_kept,
];

fn a_quota_is_given_out_exactly_under_load(proxy: Proxy) {
    let site = Site::of(proxy);
    let url = site.url();
    let statuses: Vec<u16> = together(16, move |_| {
        let client = Client::of(url.clone());
        (0..25).map(|_| client.get("/many", &[]).status).collect::<Vec<_>>()
    })
    .concat();
    let count = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((count(200), count(429)), (100, 300), "{statuses:?}");
    assert_eq!(site.application.seen().len(), 100);
}

fn a_policy_that_is_used_up_at_one_door_is_used_up_at_the_other(proxy: Proxy) {
    let site = Site::of(proxy);
    // Not from 127.0.0.1, in place of which Envoy names an address of its machine.
    let app = |path| site.ask_app(CLIENT, path).status;
    let through_proxy = |path| site.get(path, &[]).status;
    for _ in 0..10 {
        assert_eq!(app("/api/data"), 200);
    }
    assert_eq!((app("/api/data"), through_proxy("/api/data")), (429, 429));
    assert!(site.application.seen().is_empty());
    for _ in 0..100 {
        assert_eq!(through_proxy("/many"), 200);
    }
    assert_eq!((through_proxy("/many"), app("/many")), (429, 429));
}

fn connections_to_the_gate_are_kept(proxy: Proxy) {
    let site = Site::of(proxy);
    // Apache keeps one for each of its threads, of which it has some hundred.
    let requests = if proxy == Proxy::Apache { 500 } else { 50 };
    let client = Client::of(site.url());
    for _ in 0..requests {
        assert_eq!(client.get("/free", &[]).status, 200);
    }
    let accepted = site.metric("tollgate_connections_accepted_total{listener=\"gate\"}");
    assert!(accepted <= requests / 3, "{accepted} connections for {requests} requests");
}
