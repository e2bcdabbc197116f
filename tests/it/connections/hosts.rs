//! The operators' listener answers only under its own names.

use super::*;

fn stand() -> Stand {
    let options = memory().set("admin.hosts", "tollgate.internal, Tollgate-2");
    Stand::of(options, &[])
}

/// The status for a request with this target and these lines.
fn ask(stand: &Stand, target: &str, version: &str, lines: &str) -> u16 {
    stand.dial_admin().ask(format!("GET {target} HTTP/{version}\r\n{lines}\r\n")).status
}

#[test]
fn names_of_its_own_and_addresses_are_answered() {
    let stand = stand();
    for host in [
        "localhost",
        "LocalHost:1",
        "127.0.0.1",
        "127.0.0.1:8081",
        "10.0.0.1:80",
        "[::1]",
        "[::1]:8081",
        "[2001:DB8::1]:1",
        "tollgate.internal",
        "TOLLGATE.Internal:8081",
        "tollgate-2",
    ] {
        for target in ["/ready", "/metrics"] {
            assert_eq!(ask(&stand, target, "1.1", &format!("host: {host}\r\n")), 200, "{host}");
            // The target's own authority counts as well.
            let whole = format!("http://{host}{target}");
            assert_eq!(ask(&stand, &whole, "1.1", &format!("host: {host}\r\n")), 200, "{whole}");
        }
    }
    assert_eq!(ask(&stand, "/ready", "1.0", ""), 200);
    assert_eq!(ask(&stand, "/nowhere", "1.1", "host: localhost\r\n"), 404);
}

#[test]
fn others_are_refused_on_every_path() {
    let stand = stand();
    for host in [
        "evil.example",
        "evil.example:8081",
        "localhost.evil.example",
        "tollgate.internal.evil.example",
        "evil-tollgate.internal",
        "127.0.0.1.evil.example",
        "tollgate",
        "[::1",
        "::1",
        "localhost:80:80",
        "a b",
        "",
    ] {
        for target in ["/ready", "/metrics", "/nowhere"] {
            let lines = format!("host: {host}\r\n");
            for version in ["1.1", "1.0"] {
                assert_eq!(ask(&stand, target, version, &lines), 421, "{host:?}");
            }
        }
    }
    let evil = "GET /ready HTTP/1.1\r\nhost: evil\r\n";
    let answer = stand.dial_admin().ask(format!("{evil}\r\n"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.contains("\"title\":\"Misdirected Request\""), "{}", answer.body);
    let problem = format!("{evil}accept: application/problem+json\r\n\r\n");
    let answer = stand.dial_admin().ask(problem);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[test]
fn the_name_in_the_target_counts_as_well() {
    let stand = stand();
    for target in [
        "http://evil.example/ready",
        "http://evil.example:8081/metrics",
        "http://localhost@evil.example/ready",
        "https://evil.example/ready",
    ] {
        assert_eq!(ask(&stand, target, "1.1", "host: localhost\r\n"), 421, "{target}");
        assert_eq!(ask(&stand, target, "1.0", ""), 421, "{target}");
    }
    assert_eq!(ask(&stand, "http://localhost/ready", "1.1", "host: evil.example\r\n"), 421);
}

#[test]
fn the_host_that_it_listens_on_is_its_own() {
    let port = port::free();
    let listen = format!("localhost:{port}");
    let _tollgate = memory().set("admin.listen", &listen).serve();
    let operator = Client::of(format!("http://localhost:{port}"));
    assert_eq!(operator.get("/ready", &[]).status, 200);
}

#[test]
fn the_apps_listener_takes_any() {
    let stand = stand();
    for host in ["evil.example", "localhost", ""] {
        let request = format!("GET /api/status HTTP/1.1\r\nhost: {host}\r\n\r\n");
        assert_eq!(stand.dial().ask(request).status, 200);
    }
}
