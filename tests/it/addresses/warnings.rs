//! Mistakes of operators that the log warns of once.

use std::io::Write as _;

use super::*;

/// The warnings about addresses, after a stop that lets all of them out.
fn warnings(mut tollgate: Tollgate) -> Vec<String> {
    assert!(tollgate.stop().success());
    let lines = tollgate.rest_of_stderr().iter();
    lines.filter(|line| line.contains("WARN")).cloned().collect()
}

fn served(
    options: Options,
    requests: usize,
    source: Ipv4Addr,
    lines: &[(&str, &str)],
) -> Vec<String> {
    let port = port::free();
    let options = options.set("store.url", "memory:");
    let tollgate = options.serve_on(&format!("127.0.0.1:{port}"), port);
    for _ in 0..requests {
        get(connect_from(source, port), "/api/data", lines);
    }
    warnings(tollgate)
}

#[test]
fn a_proxy_that_is_not_listed_is_noticed_once() {
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "x-edge-client"] {
        for options in [Options::default(), behind("x-edge-client")] {
            let configured = format!("{options:?}").contains("x-edge-client");
            let warnings = served(options, 3, CLIENT, &[(name, "203.0.113.7")]);
            if name == "x-edge-client" && !configured {
                assert_eq!(warnings, [""; 0], "a field as any other");
                continue;
            }
            let [warning] = &warnings[..] else { panic!("{name}: {warnings:?}") };
            for part in [&format!("from 127.0.0.9 has {name}"), "client_ip.trusted_proxies"] {
                assert!(warning.contains(part), "{warning}");
            }
            assert!(!warning.contains("203.0.113.7"), "{warning}");
        }
    }
}

#[test]
fn to_trust_everyone_is_noticed_at_the_start() {
    for (proxies, network) in [("0.0.0.0/0", "0.0.0.0/0"), ("10.0.0.0/8, ::/0", "::/0")] {
        let options = Options::default().set("client_ip.trusted_proxies", proxies);
        let warnings = served(options, 0, CLIENT, &[]);
        let [warning] = &warnings[..] else { panic!("{proxies}: {warnings:?}") };
        let says = format!("client_ip.trusted_proxies has {network}: everyone is trusted");
        assert!(warning.contains(&says), "{warning}");
    }
}

#[test]
fn a_proxy_that_never_sends_the_header_is_noticed_once() {
    let warnings = served(behind("forwarded"), 99, PROXY, &[("x-forwarded-for", "203.0.113.7")]);
    assert_eq!(warnings, [""; 0], "so few may be health checks");
    let warnings = served(behind("forwarded"), 250, PROXY, &[("x-forwarded-for", "203.0.113.7")]);
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.contains("without forwarded, the last from 127.0.0.2"), "{warning}");
}

#[test]
fn a_proxy_that_sends_the_header_is_nothing_to_warn_of() {
    let warnings = served(behind("forwarded"), 150, PROXY, &[("forwarded", "for=203.0.113.7")]);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(served(Options::default(), 150, CLIENT, &[]), [""; 0]);
}

#[test]
fn a_request_is_noted_once_however_many_ask_where_it_is_from() {
    // Both the access lists, before credentials are looked at, and the limit.
    let options = || behind("forwarded").set("auth.user_header", "x-user");
    let options = || options().config("[access]\nblock = [\"198.51.100.0/24\"]\n");
    assert_eq!(served(options(), 99, PROXY, &[]), [""; 0], "so few may be health checks");
    let warnings = served(options(), 100, PROXY, &[]);
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.contains("without forwarded"), "{warning}");
}

#[test]
fn health_checks_of_a_balancer_that_names_clients_itself_are_no_silence() {
    let port = port::free();
    let options = Options::default()
        .set("store.url", "memory:")
        .set("client_ip.trusted_proxies", "127.0.0.9")
        .set("server.proxy_protocol", "required");
    let tollgate = options.serve_on(&format!("127.0.0.1:{port}"), port);
    for _ in 0..120 {
        let mut stream = connect_from(CLIENT, port);
        // LOCAL: the balancer itself.
        stream.write_all(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0").expect("the server reads");
        assert_eq!(get(stream, "/api/status", &[]).status, 200);
    }
    assert_eq!(warnings(tollgate), [""; 0]);
}
