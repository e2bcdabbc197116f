//! A client that sends the fields of a proxy itself gains nothing by it.

use super::site::{BLOCKED, CLIENT, Proxy, Site};

super::through_each_proxy![
    a_forged_description_of_the_request_does_not_count,
    a_forged_address_does_not_count,
    forged_fields_of_the_gate_reach_neither_the_client_nor_the_application,
    a_denial_cannot_be_talked_away,
];

/// What an attacker sends who knows this project.
const FORGED: [(&str, &str); 17] = [
    // Proxies drop the fields that this names.
    ("Connection", "X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-For, RateLimit"),
    ("X-Forwarded-Uri", "/free"),
    ("X-Forwarded-Uri", "/free"),
    ("x-forwarded-method", "GET"),
    ("X-Forwarded-Method", "DELETE"),
    ("X-Original-URI", "/free"),
    ("X-Original-Method", "GET"),
    ("X-Forwarded-For", "203.0.113.1"),
    ("X-Forwarded-For", "127.0.0.1, 203.0.113.2"),
    ("Forwarded", "for=203.0.113.3"),
    ("X-Real-IP", "203.0.113.4"),
    ("X-Tollgate-Token", "tg_forged"),
    ("X-Tollgate-Status", "200"),
    ("X-Tollgate-Body", "forged"),
    ("RateLimit", "\"default\";r=999"),
    ("RateLimit-Policy", "\"default\";q=999"),
    ("X-HTTP-Method-Override", "GET"),
];

/// The same, as far as `proxy` takes it: Envoy refuses a request whose `Connection` names such fields.
fn forged(proxy: Proxy) -> &'static [(&'static str, &'static str)] {
    if proxy == Proxy::Envoy { &FORGED[1..] } else { &FORGED }
}

fn a_forged_description_of_the_request_does_not_count(proxy: Proxy) {
    let site = Site::of(proxy);
    for _ in 0..2 {
        let response = site.ask(CLIENT, "POST", "/api/posts?proxy=envoy", forged(proxy), "");
        assert_eq!(response.status, 200, "{response:?}");
    }
    for target in ["/api/posts", "/api/posts?proxy=traefik"] {
        let response = site.ask(CLIENT, "POST", target, forged(proxy), "");
        assert_eq!(response.status, 429, "{target}: {response:?}");
    }
    assert_eq!(site.used("ip:127.0.0.7", "posts"), 2);
    assert_eq!(site.application.seen().len(), 2);
}

fn a_forged_address_does_not_count(proxy: Proxy) {
    let site = Site::of(proxy);
    for number in 0..12 {
        let address = format!("203.0.113.{number}");
        let (forwarded, list) = (format!("for={address}"), format!("{address}, 127.0.0.1"));
        let lines =
            [("X-Forwarded-For", &*list), ("Forwarded", &forwarded), ("X-Real-IP", &address)];
        let expected = if number < 10 { 200 } else { 429 };
        assert_eq!(site.get("/api/data", &lines).status, expected, "{number}");
    }
    assert_eq!(site.used("ip:127.0.0.7", "default"), 10);
    for forged in [[("X-Forwarded-For", "127.0.0.7")], [("X-Forwarded-For", "unknown")]] {
        let response = site.ask(BLOCKED, "GET", "/free", &forged, "");
        assert_eq!(response.status, 403, "{response:?}");
    }
}

fn forged_fields_of_the_gate_reach_neither_the_client_nor_the_application(proxy: Proxy) {
    let site = Site::of(proxy);
    let response = site.get("/api/data", forged(proxy));
    assert_eq!(response.status, 200, "{response:?}");
    let field = response.header("ratelimit").expect("where the policy stands");
    assert!(field.starts_with("\"default\";r=9;"), "{field}");
    assert_eq!(response.header("ratelimit-policy"), Some("\"default\";q=10;w=31449600"));
    let seen = &site.application.seen()[0];
    for name in [
        "x-forwarded-uri",
        "x-forwarded-method",
        "x-tollgate-token",
        "x-tollgate-status",
        "x-tollgate-body",
        "ratelimit",
        "ratelimit-policy",
    ] {
        assert_eq!(seen.field(name), None, "{seen:?}");
    }
    assert_eq!(site.get("/free", forged(proxy)).header("ratelimit"), None);
}

fn a_denial_cannot_be_talked_away(proxy: Proxy) {
    let site = Site::of(proxy);
    for _ in 0..10 {
        assert_eq!(site.get("/api/data", &[]).status, 200);
    }
    let response = site.get("/api/data", forged(proxy));
    assert_eq!(response.status, 429, "{response:?}");
    assert!(response.body.contains("quota-exceeded"), "{response:?}");
    // The endpoint of the question itself is nothing that a client reaches.
    for target in ["/tollgate-auth", "/v1/auth?proxy=nginx", "/v1/auth/free"] {
        let response = site.get(target, forged(proxy));
        assert!(response.status == 404 || response.body == "from the application", "{response:?}");
    }
}
