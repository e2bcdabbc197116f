//! The option `proxy_protocol` of both listeners.

use super::*;

const PROXIES: &str = "client_ip.trusted_proxies = [\"10.0.0.0/8\"]\n";

#[test]
fn the_header_is_off_unless_it_is_required() {
    let config = load_text("").unwrap();
    assert!(!config.server.proxy_protocol && !config.gate.proxy_protocol);
    for (text, server, gate) in [
        ("server.proxy_protocol = \"required\"", true, false),
        ("gate = { listen = \"127.0.0.1:8082\", proxy_protocol = \"required\" }", false, true),
        ("server.proxy_protocol = \"off\"\ngate.proxy_protocol = \"off\"", false, false),
    ] {
        let config = load_text(&format!("{PROXIES}{text}")).unwrap();
        assert_eq!((config.server.proxy_protocol, config.gate.proxy_protocol), (server, gate));
    }
    // Every peer of a Unix socket is a proxy.
    let unix = "server = { listen = \"unix:/run/t.sock\", proxy_protocol = \"required\" }";
    assert!(load_text(unix).unwrap().server.proxy_protocol);
}

#[test]
fn what_would_trust_nobody_or_everybody_is_refused() {
    let required = "server.proxy_protocol = \"required\"";
    let gate = "gate = { listen = \"127.0.0.1:8082\", proxy_protocol = \"required\" }";
    let unix = "server = { listen = \"unix:/run/t.sock\", proxy_protocol = \"required\" }";
    let alone = "proxy_protocol is required, and taken from trusted_proxies alone";
    let hops = "server.proxy_protocol is required, which hops do not go with";
    let unknown = "server.proxy_protocol: \"v2\" is not known: expected off or required";
    for (text, expected) in [
        (required.to_owned(), format!("client_ip: server.{alone}")),
        (gate.to_owned(), format!("client_ip: gate.{alone}")),
        (format!("{required}\nclient_ip.hops = 1"), hops.to_owned()),
        (format!("{unix}\nclient_ip.hops = 1"), hops.to_owned()),
        (
            format!("{PROXIES}server.proxy_protocol = \"optional\""),
            "\"optional\" would let".to_owned(),
        ),
        (format!("{PROXIES}server.proxy_protocol = \"v2\""), unknown.to_owned()),
    ] {
        let errors = load_text(&text).unwrap_err().to_string();
        assert!(errors.contains(&expected), "{text}: {errors}");
    }
}
