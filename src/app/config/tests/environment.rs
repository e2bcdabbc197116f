//! Options from the environment, and variables that are none.

use std::ffi::OsString;

use super::*;
use crate::domain::algorithm::Algorithm;

#[test]
fn variables_set_options_of_every_type() {
    let config = load(&variables(&[
        ("TOLLGATE_SERVER__LISTEN", "[::1]:80"),
        ("TOLLGATE_SERVER__WORKERS", "4"),
        ("TOLLGATE_STORE__HASH_USERS", "true"),
        ("TOLLGATE_HEADERS__CORS_EXPOSE", "false"),
        ("TOLLGATE_STORE__KEY_PREFIX", "007"),
        // Kept as it is, though it looks like a number.
        ("TOLLGATE_STORE__URL", "redis://:007@localhost/1"),
        ("TOLLGATE_POLICIES__BURST__QUOTA", "5/second"),
        ("TOLLGATE_POLICIES__BURST__ALGORITHM", "token-bucket"),
        ("TOLLGATE_POLICIES__BURST__BURST", "9"),
        ("TOLLGATE_ROUTES__/X__POLICIES", "default, burst"),
        ("TOLLGATE_CLIENT_IP__TRUSTED_PROXIES", "127.0.0.1, fd00::/8"),
        ("TOLLGATE_CLIENT_IP__HEADER", "Forwarded"),
        ("TOLLGATE_CLIENT_IP__IPV6_PREFIX", "56"),
        // Lower case is the same variable to the operator.
        ("tollgate_store__instances", "5"),
        ("PATH", "/bin"),
        ("TOLLGATES_X", "of another program"),
    ]))
    .unwrap();
    let server = ServerOptions {
        listen: "[::1]:80".parse().unwrap(),
        workers: 4,
        ..ServerOptions::default()
    };
    assert_eq!(config.server, server);
    assert!(config.store.hash_users && !config.headers.cors_expose);
    assert_eq!(config.store.key_prefix, "007");
    assert_eq!(config.store.instances, 5);
    let proxies: Vec<_> =
        config.client_ip.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["127.0.0.1/32", "fd00::/8"]);
    assert_eq!(config.client_ip.header.map(|it| it.to_string()).as_deref(), Some("forwarded"));
    assert_eq!(config.policies[0].ipv6_prefix().length(), 56);
    let StoreUrl::Redis(url) = config.store.url else { panic!("not Redis") };
    assert_eq!(url.expose(), "redis://:007@localhost/1");
    assert_eq!(config.policies[0].algorithm(), Algorithm::TokenBucket { burst: 9 });
    assert_eq!(config.routes[0].pattern.to_string(), "/api/data");
    assert_eq!(config.routes[2].pattern.to_string(), "/x");
    assert_eq!(config.routes[2].policies, ["default", "burst"]);
}

#[test]
fn an_empty_variable_is_as_if_unset() {
    let empty = variables(&[("TOLLGATE_STORE__URL", ""), ("TOLLGATE_NO_SUCH_THING", "")]);
    assert_eq!(load(&empty), load(&Sources::default()));
}

/// What Kubernetes sets for a service with two ports, in the order of its documentation.
const FAMILY: [(&str, &str); 12] = [
    ("_SERVICE_HOST", "10.0.0.1"),
    ("_SERVICE_PORT", "8080"),
    ("_SERVICE_PORT_HTTP", "8080"),
    ("_SERVICE_PORT_DNS_UDP", "53"),
    ("_PORT", "tcp://10.0.0.1:8080"),
    ("_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
    ("_PORT_8080_TCP_PROTO", "tcp"),
    ("_PORT_8080_TCP_PORT", "8080"),
    ("_PORT_8080_TCP_ADDR", "10.0.0.1"),
    ("_PORT_53_UDP", "udp://10.0.0.1:53"),
    ("_PORT_53_UDP_PROTO", "udp"),
    ("_PORT_53_UDP_ADDR", "fd00::1"),
];

/// What is wrong with the variables of `service`, without those that end in one of `but`, and with
/// `others`.
fn wrong(service: &str, but: &[&str], others: &[(&str, &str)]) -> Vec<String> {
    let family = FAMILY.iter().filter(|(end, _)| !but.contains(end));
    let family = family.map(|(end, value)| (format!("{service}{end}"), *value));
    let others = others.iter().map(|(name, value)| ((*name).to_owned(), *value));
    let all: Vec<_> = family.chain(others).collect();
    let all: Vec<_> = all.iter().map(|(name, value)| (&**name, *value)).collect();
    load(&variables(&all))
        .map_or_else(|it| it.iter().map(ToString::to_string).collect(), |_| vec![])
}

#[test]
fn variables_that_kubernetes_sets_for_services_are_left_alone() {
    let services = ["TOLLGATE", "TOLLGATE_SERVER", "TOLLGATE_PORT_MANAGER", "TOLLGATE_2"];
    for service in services {
        assert_eq!(wrong(service, &[], &[]), [""; 0], "{service}");
    }
    let head = ("TOLLGATE_PORT", "tcp://[fd00::1]:8080");
    assert_eq!(wrong("TOLLGATE", &["_PORT"], &[head]), [""; 0]);
}

#[test]
fn variables_that_only_look_like_those_of_services_are_errors() {
    // Without the one that every family has, each of the others is somebody's mistake.
    let others = FAMILY.len() - 1;
    assert_eq!(wrong("TOLLGATE_SERVER", &["_PORT"], &[]).len(), others);
    assert_eq!(
        wrong("TOLLGATE_SERVER", &["_PORT"], &[("TOLLGATE_SERVER_PORT", "9")]).len(),
        others + 1
    );
    // With it, what has another value or another name still is one.
    let cases = [
        ("TOLLGATE_SERVER_SERVICE_HOST", "localhost"),
        ("TOLLGATE_SERVER_SERVICE_PORT", "http"),
        ("TOLLGATE_SERVER_SERVICE_PORTS", "80"),
        ("TOLLGATE_SERVER_PORT_80_TCP_PORT", "x"),
        ("TOLLGATE_SERVER_PORT_80_TCP_PROTO", "http"),
        ("TOLLGATE_SERVER_PORT_80_TCP_ADDR", "here"),
        ("TOLLGATE_SERVER_PORT_80_TCP_NAME", "10.0.0.1"),
        ("TOLLGATE_SERVER_PORT_80_HTTP", "tcp://10.0.0.1:80"),
        ("TOLLGATE_SERVER_PORT_X_TCP", "tcp://10.0.0.1:80"),
        ("TOLLGATE_SERVER_URL", "tcp://10.0.0.1:80"),
        ("TOLLGATE_OTHER_SERVICE_HOST", "10.0.0.1"),
        ("TOLLGATE_PORT", "tcp://redis:6379"),
        ("TOLLGATE_PORT", "http://10.0.0.1:80"),
        ("tollgate_port", "tcp://10.0.0.1:80"),
        ("TOLLGATE_SERVER__MY_PORT", "tcp://10.0.0.1:80"),
    ];
    for case in cases {
        assert_eq!(wrong("TOLLGATE_SERVER", &[], &[case]).len(), 1, "{case:?}");
    }
}

#[test]
fn a_variable_for_an_address_is_told_the_right_one() {
    let cases = [
        ("TOLLGATE_SERVER_PORT", "TOLLGATE_SERVER__LISTEN"),
        ("TOLLGATE_SERVER__PORT", "TOLLGATE_SERVER__LISTEN"),
        ("TOLLGATE_SERVER_LISTEN", "TOLLGATE_SERVER__LISTEN"),
        ("TOLLGATE_PORT", "TOLLGATE_SERVER__LISTEN"),
        ("TOLLGATE_HOST", "TOLLGATE_SERVER__LISTEN"),
        ("TOLLGATE_ADMIN_PORT", "TOLLGATE_ADMIN__LISTEN"),
        ("TOLLGATE_ADMIN__ADDRESS", "TOLLGATE_ADMIN__LISTEN"),
        ("TOLLGATE_STORE_PORT", "TOLLGATE_STORE__URL"),
    ];
    for (name, meant) in cases {
        let errors = lines(&variables(&[(name, "9")]));
        let [error] = &errors[..] else { panic!("{errors:?}") };
        let end = format!("; \"__\" joins levels, as in {meant} (from {name})");
        assert!(error.contains("unknown key, expected ") && error.ends_with(&end), "{error}");
    }
}

#[test]
fn bad_variables_are_named_exactly() {
    let sections = "unknown key, expected server, admin, gate, store, client_ip, headers, cors, access, log, refusals, policies, auth, routes or descriptors";
    let hint = "\"__\" joins levels, as in TOLLGATE_STORE__URL";
    let cases = [
        (
            ("TOLLGATE_STORE__TIMEOUT_MS", "fast"),
            "store.timeout_ms: expected a whole number from 1 to 60000, got \"fast\" (from TOLLGATE_STORE__TIMEOUT_MS)".to_owned(),
        ),
        (("TOLLGATE_STORE_URL", SECRET), format!("store_url: {sections}; {hint} (from TOLLGATE_STORE_URL)")),
        (("Tollgate_X", SECRET), format!("x: {sections}; {hint} (from Tollgate_X)")),
        (("TOLLGATE_", SECRET), format!("\"\": {sections}; {hint} (from TOLLGATE_)")),
        (
            ("TOLLGATE_STORE", SECRET),
            "store: expected a table, got \"hunter2\" (from TOLLGATE_STORE)".to_owned(),
        ),
        (
            ("TOLLGATE_STORE__URL__X__Y__Z", SECRET),
            "store.url: expected text in quotes, got a table (from TOLLGATE_STORE__URL__X__Y__Z)".to_owned(),
        ),
        (
            ("TOLLGATE_STORE.URL", SECRET),
            "TOLLGATE_STORE.URL: has a '.' in its name: levels are joined by \"__\"".to_owned(),
        ),
        (
            ("TOLLGATE_HEADERS__CORS_EXPOSE", "yes"),
            "headers.cors_expose: expected true or false, got \"yes\" (from TOLLGATE_HEADERS__CORS_EXPOSE)".to_owned(),
        ),
    ];
    for (variable, expected) in cases {
        assert_eq!(lines(&variables(&[variable])), [expected]);
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;
    let mut sources = Sources::default();
    sources.variables.insert("TOLLGATE_STORE__URL".into(), OsString::from_vec(vec![0xff]));
    sources.variables.insert(OsString::from_vec(b"TOLLGATE_\xff".to_vec()), "x".into());
    sources.variables.insert("OTHER".into(), OsString::from_vec(vec![0xff]));
    let lines = lines(&sources);
    assert_eq!(lines[0], "TOLLGATE_STORE__URL: is not Unicode text");
    assert_eq!(lines[1], "TOLLGATE_\u{fffd}: is not Unicode text");
    assert_eq!(lines.len(), 2);
}
