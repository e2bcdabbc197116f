//! Clients on access lists are refused or pass unchecked, before the store is asked.

use super::*;

#[test]
fn a_blocked_network_gets_403_everywhere_and_the_store_does_not_hear_of_it() {
    let redis = Server::start();
    for list in ["127.0.0.0/8", "127.0.0.1", "::ffff:127.0.0.0/104", "64:ff9b::127.0.0.0/104"] {
        let options = Options::default().set("store.url", &redis.url());
        let tollgate = options.set("access.block", list).set("access.allow", "127.0.0.1").serve();
        for (method, path) in [
            ("GET", "/api/data"),
            ("HEAD", "/api/data"),
            ("GET", "/api/status"),
            ("GET", "/nowhere"),
        ] {
            let response = tollgate.request(method, path, &[]);
            assert_eq!(response.status, 403, "{method} {path} with {list}");
            for absent in ["ratelimit", "ratelimit-policy", "retry-after"] {
                assert_eq!(response.header(absent), None);
            }
            assert_eq!(response.header("cache-control"), Some("no-store"));
            if method == "GET" {
                let expected = json!({
                    "type": "about:blank",
                    "title": "Forbidden",
                    "status": 403,
                    "detail": "This client is refused, whatever it asks for.",
                    "message": "Access denied.",
                });
                assert_eq!(json(&response), expected);
            }
        }
        let problem = tollgate.get("/api/data", &[("accept", b"application/problem+json")]);
        assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    }
    assert!(crate::support::stores::dump(&redis).is_empty(), "nobody was charged");
}

#[test]
fn an_allowed_network_passes_unchecked_and_untold() {
    on_each_store(|options| {
        let tollgate = options
            .set("policies.default.quota", "1/52 weeks")
            .set("access.allow", "127.0.0.0/8, 2001:db8::/32")
            .serve();
        for _ in 0..5 {
            let response = tollgate.get("/api/data", &[]);
            assert_eq!((response.status, response.header("ratelimit")), (200, None));
        }
        assert_eq!(tollgate.get("/api/status", &[]).header("ratelimit"), None);
    });
}

#[test]
fn lists_of_others_change_nothing_and_what_a_client_writes_is_not_its_address() {
    on_each_store(|options| {
        let tollgate = options
            .set("policies.default.quota", "1/52 weeks")
            .set("access.allow", "10.0.0.0/8,user:1042")
            .set("access.block", "192.0.2.0/24,user:1043")
            .serve();
        let ask = |address: &[u8]| {
            let fields: [(&str, &[u8]); 3] =
                [("x-forwarded-for", address), ("x-real-ip", address), ("x-user", b"1043")];
            tollgate.get("/api/data", &fields).status
        };
        assert_eq!([ask(b"192.0.2.1"), ask(b"10.0.0.1"), ask(b"10.0.0.1")], [200, 429, 429]);
    });
}

#[test]
fn a_list_that_is_wrong_is_refused_whole() {
    let finished = Options::default()
        .config("[access]\nallow = [\"10.0.0.1/8\"]\nblock = [\"user:\", \"office\"]")
        .run(&["serve"]);
    assert_eq!(finished.status.code(), Some(78));
    assert_eq!(finished.stderr.lines().count(), 3, "{}", finished.stderr);
    assert!(finished.stderr.contains("in the network 10.0.0.0/8"), "{}", finished.stderr);
}
