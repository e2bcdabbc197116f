//! What becomes of requests while the gate does not answer: as chosen.

use std::net::TcpListener;

use super::site::{CLIENT, Proxy, Site, WhenSilent};
use crate::support::port;

super::through_each_proxy![
    closed_nothing_passes_without_the_gate,
    open_everything_passes_without_the_gate,
    open_or_closed_a_request_that_the_gate_cannot_read_does_not_pass,
    open_or_closed_a_request_that_cannot_be_decided_does_not_pass,
];

/// What clients get while nothing passes: if nobody listens at the gate's address, and if nobody answers there.
fn refused(proxy: Proxy) -> [u16; 2] {
    match proxy {
        Proxy::Nginx | Proxy::Haproxy | Proxy::Apache | Proxy::Envoy => [503, 503],
        Proxy::Caddy => [502, 504],
    }
}

fn closed_nothing_passes_without_the_gate(proxy: Proxy) {
    let mut site = Site::of(proxy);
    assert_eq!(site.get("/api/data", &[]).status, 200);
    drop(site.tollgate.take());
    let [nobody, mute] = refused(proxy);
    assert_eq!(site.get("/api/data", &[]).status, nobody);
    let _mute = TcpListener::bind(site.gate).expect("the gate's address");
    assert_eq!(site.get("/api/data", &[]).status, mute);
    assert_eq!(site.application.seen().len(), 1);
}

fn open_everything_passes_without_the_gate(proxy: Proxy) {
    let mut site = Site::with(proxy, WhenSilent::Open, "");
    for _ in 0..10 {
        assert_eq!(site.get("/api/data", &[]).status, 200);
    }
    assert_eq!(site.get("/api/data", &[]).status, 429, "the gate answers");
    drop(site.tollgate.take());
    let body = "a body";
    let post = || site.ask(CLIENT, "POST", "/api/posts", &[], body);
    for _ in 0..12 {
        let response = post();
        assert_eq!((response.status, &*response.body), (200, "from the application"));
        assert_eq!(response.header("ratelimit"), None);
    }
    let mute = TcpListener::bind(site.gate).expect("the gate's address");
    assert_eq!(post().status, 200);
    drop(mute);
    let seen = site.application.seen();
    let posts: Vec<_> = seen.iter().filter(|it| it.asked.starts_with("POST")).collect();
    assert_eq!(posts.len(), 13);
    assert!(posts.iter().all(|it| it.body == body));
    assert_eq!(site.get("/own/403", &[]).status, 403);
}

fn open_or_closed_a_request_that_the_gate_cannot_read_does_not_pass(proxy: Proxy) {
    let site = Site::with(proxy, WhenSilent::Open, "[server]\nmax_head_bytes = 1024\n");
    // It reaches the gate, whose limit of a head is less.
    let long = "x".repeat(2_000);
    let response = site.get("/api/data", &[("authorization", &long)]);
    assert!(matches!(response.status, 431 | 500), "{response:?}");
    assert!(site.application.seen().is_empty());
}

fn open_or_closed_a_request_that_cannot_be_decided_does_not_pass(proxy: Proxy) {
    // Nobody listens there, and the policy then refuses.
    let nowhere = port::free_address();
    let more = "[policies.strict]\nquota = \"10/minute\"\non_store_failure = \"deny\"\n\
                [routes.\"/strict\"]\npolicies = [\"strict\"]\n";
    let site = Site::over(proxy, WhenSilent::Open, &format!("redis://{nowhere}/0"), more);
    let response = site.get("/strict", &[]);
    if proxy == Proxy::Envoy {
        // It takes each 5xx for silence, as the page says.
        assert_eq!(response.status, 200);
        return;
    }
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert!(response.body.contains("temporary-reduced-capacity"), "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert!(site.application.seen().is_empty());
    assert_eq!(site.get("/free", &[]).status, 200);
}
