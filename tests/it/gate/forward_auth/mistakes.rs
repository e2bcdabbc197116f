//! Questions that cannot be answered are 400, counted, and never guessed at.

use super::*;

const METHOD: (&str, &[u8]) = ("x-forwarded-method", b"GET");
const URI: (&str, &[u8]) = ("x-forwarded-uri", b"/api/data");
const ADDRESS: (&str, &[u8]) = ("x-forwarded-for", b"203.0.113.7");

/// Asserts that this is 400, counted as `kind`, and says what was expected.
fn assert_refused(stand: &Stand, path: &str, lines: &[(&str, &[u8])], kind: &str, expected: &str) {
    let before = stand.errors(kind);
    let response = stand.gate.get(path, lines);
    assert_eq!(response.status, 400, "{path} {lines:?}: {response:?}");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("ratelimit"), None);
    let problem = problem(&response);
    assert_eq!((&problem["status"], &problem["title"]), (&400.into(), &"Bad Request".into()));
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains(expected), "{detail}");
    assert_eq!(stand.errors(kind), before + 1, "{path} {lines:?}");
}

#[test]
fn the_proxy_is_named_once() {
    let stand = Stand::new("");
    let lines = [METHOD, URI, ADDRESS];
    let list = "nginx, caddy, traefik, envoy, haproxy, apache";
    for query in ["", "?", "?proxy", "?proxy=", "?proxy=squid", "?proxy=Nginx", "?Proxy=nginx"] {
        assert_refused(&stand, &format!("/v1/auth{query}"), &lines, "proxy", list);
    }
    let twice = "/v1/auth?proxy=nginx&proxy=nginx";
    assert_refused(&stand, twice, &lines, "proxy", list);
    // A slash too many would be a request for "/", of Envoy's.
    assert_refused(&stand, "/v1/auth/?proxy=nginx", &lines, "proxy", "ends with a slash");
    assert_eq!(stand.used("ip:203.0.113.7", "default"), 0);
}

#[test]
fn each_field_is_there_once_and_well_formed() {
    let stand = Stand::new("");
    for proxy in BY_FIELDS {
        let path = format!("/v1/auth?proxy={proxy}");
        let refused = |lines: &[(&str, &[u8])], kind, expected| {
            assert_refused(&stand, &path, lines, kind, expected);
        };
        refused(&[URI, ADDRESS], "method", "X-Forwarded-Method is missing");
        refused(&[METHOD, METHOD, URI, ADDRESS], "method", "is there several times");
        refused(&[METHOD, ADDRESS], "uri", "X-Forwarded-Uri is missing");
        refused(&[METHOD, URI, URI, ADDRESS], "uri", "is there several times");
        refused(&[METHOD, URI], "address", "is missing");
        for method in [&b"GET POST"[..], b"G(T", b"GET,POST", b"\xff"] {
            let line = ("x-forwarded-method", method);
            refused(&[line, URI, ADDRESS], "method", "X-Forwarded-Method is malformed");
        }
        refused(&[("x-forwarded-method", b""), URI, ADDRESS], "method", "is missing");
        for uri in [
            &b"api/data"[..],
            b"*",
            b"example.com:443",
            b"/api/data /free",
            b"/a, /b",
            b"\xff",
            b"http://",
            b"?a=b",
        ] {
            let line = ("x-forwarded-uri", uri);
            refused(&[METHOD, line, ADDRESS], "uri", "X-Forwarded-Uri is malformed");
        }
        for address in [&b"unknown"[..], b"203.0.113.7, unknown", b"203.0.113.7, _hidden", b"\xff"]
        {
            let line = ("x-forwarded-for", address);
            refused(&[METHOD, URI, line], "address", "is malformed");
        }
        refused(&[METHOD, URI, ("x-forwarded-for", b"")], "address", "expected the address");
    }
    assert_eq!(stand.used("ip:203.0.113.7", "default"), 0);
    assert_eq!(stand.used("ip:127.0.0.1", "default"), 0, "the proxy is no client");
}

#[test]
fn envoy_has_to_pass_a_path_and_the_address_on() {
    let stand = Stand::new("");
    let nothing = "/v1/auth/api/data";
    assert_refused(&stand, nothing, &[METHOD, URI], "address", "is missing");
    assert_refused(&stand, "/v1/auth?proxy=envoy", &[ADDRESS], "uri", "path_prefix");
}
