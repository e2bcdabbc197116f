//! What is refused, and how that is said.

use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::policy::{KeySource, OnStoreFailure};

#[test]
fn every_kind_of_bad_value_says_what_would_be_right() {
    let timeout = "store.timeout_ms: expected a whole number from 1 to 60000, got";
    let cases = [
        // Out of range, down to what no 64 bits hold.
        ("store.timeout_ms = 0", format!("{timeout} 0")),
        ("store.timeout_ms = -1", format!("{timeout} -1")),
        ("store.timeout_ms = 60001", format!("{timeout} 60001")),
        ("store.timeout_ms = 9223372036854775807", format!("{timeout} 9223372036854775807")),
        ("store.timeout_ms = 18446744073709551616", format!("{timeout} \"18446744073709551616\"")),
        ("store.timeout_ms = 0xffffffffffffffffff # many", format!("{timeout} \"0xffffffffffffffffff\"")),
        ("store.timeout_ms = 1e400", format!("{timeout} \"1e400\"")),
        // The config crate would make numbers of all of these.
        ("store.timeout_ms = 50.7", format!("{timeout} 50.7")),
        ("store.timeout_ms = 1e3", format!("{timeout} 1000")),
        ("store.timeout_ms = nan", format!("{timeout} NaN")),
        ("store.timeout_ms = inf", format!("{timeout} inf")),
        ("store.timeout_ms = true", format!("{timeout} true")),
        ("store.timeout_ms = \"50\"", format!("{timeout} \"50\"")),
        ("store.timeout_ms = \"NaN\"", format!("{timeout} \"NaN\"")),
        ("store.timeout_ms = [50]", format!("{timeout} a list")),
        ("store.timeout_ms = { ms = 50 }", format!("{timeout} a table")),
        // Other types.
        ("store.hash_users = 1", "store.hash_users: expected true or false, got 1".into()),
        ("store.hash_users = \"true\"", "store.hash_users: expected true or false, got \"true\"".into()),
        ("store.key_prefix = 7", "store.key_prefix: expected text in quotes, got 7".into()),
        ("store = 5", "store: expected a table, got 5".into()),
        ("policies.x = \"10/minute\"", "policies.x: expected a table, got \"10/minute\"".into()),
        (
            "[routes.\"/x\"]\npeek = \"default\"",
            "routes.\"/x\".peek: expected a list of names, as in [\"default\"], got \"default\"".into(),
        ),
        (
            "[routes.\"/x\"]\npeek = [1]",
            "routes.\"/x\".peek: expected a list of names, as in [\"default\"], got a list".into(),
        ),
        // Unknown keys.
        (
            "stores.url = 1",
            "stores: unknown key, expected server, admin, gate, store, client_ip, headers, cors, access, log, refusals, policies, auth, routes or descriptors".into(),
        ),
        (
            "\"store.url\" = \"memory:\"",
            "\"store.url\": unknown key, expected server, admin, gate, store, client_ip, headers, cors, access, log, refusals, policies, auth, routes or descriptors".into(),
        ),
        ("headers.x = 1", "headers.x: unknown key, expected send, x_ratelimit_reset, cors_expose or retry_jitter".into()),
        (
            "[routes.\"/x\"]\npolicy = 1",
            "routes.\"/x\".policy: unknown key, expected policies, peek, cost or uses_reserve".into(),
        ),
        // Ranges of texts.
        (
            "store.key_prefix = \"{a}\"",
            "store.key_prefix: expected 1 to 64 ASCII letters, digits, '-', '_', '.' or ':', got \"{a}\"".into(),
        ),
        (
            "store.key_prefix = \"\"",
            "store.key_prefix: expected 1 to 64 ASCII letters, digits, '-', '_', '.' or ':', got \"\"".into(),
        ),
        (
            "server.listen = \":80\"",
            "server.listen: \":80\" is not an address to listen on: expected host:port, as in 0.0.0.0:80 or [::]:80".into(),
        ),
        // Policies.
        (
            "[policies.x]",
            "policies.x: quota is missing, expected units per window, as in \"10/minute\"".into(),
        ),
        (
            "policies.x.quota = \"0/minute\"",
            "policies.x.quota: \"0/minute\" is not a quota: it must allow at least 1 unit (access.block refuses clients), as in \"10/minute\", \"100 per hour\" or \"5/2 seconds\"".into(),
        ),
        (
            "policies.\"a b\".quota = \"1/day\"",
            "policies.\"a b\": \"a b\" cannot name a policy: expected 1 to 64 ASCII letters, digits, '-', '_' or '.'".into(),
        ),
        (
            "policies.default.algorithm = \"leaky\"",
            "policies.default.algorithm: \"leaky\" is not an algorithm: expected fixed-window, sliding-window, sliding-log or token-bucket".into(),
        ),
        (
            "policies.default.key = \"name\"",
            "policies.default.key: \"name\" is not a key: expected ip, user, user-or-ip, global, header:NAME, claim:NAME, cookie:NAME, query:NAME, host, segment:NAME, route or descriptor".into(),
        ),
        ("policies.default.key = 7", "policies.default.key: expected text in quotes, got 7".into()),
        (
            "policies.default.key = []",
            "policies.default.key: a key has no part: expected one to count by, such as ip".into(),
        ),
        (
            "policies.default.key = [\"ip\", \"claim:\"]",
            "policies.default.key: \"claim:\" names nothing to count by: expected a name after the colon, as in header:x-tenant, claim:org, cookie:session, query:api_key or segment:id".into(),
        ),
        (
            "policies.default.key = [\"ip\", \"global\"]",
            "policies.default.key: global cannot be a part of a key: expected it alone, or the others without it".into(),
        ),
        (
            "policies.default = { key = [\"user\", \"host\"], ipv6_prefix = 48 }",
            "policies.default.ipv6_prefix: only addresses have it, and this is counted by user,host".into(),
        ),
        (
            "policies.default = { key = [\"ip\", \"host\"], plans = { pro = \"9/day\" } }",
            "policies.default.plans: only a policy by user or user-or-ip can tell users apart, and this one is by ip,host".into(),
        ),
        (
            "policies.default.on_store_failure = \"\"",
            "policies.default.on_store_failure: \"\" is not a rule for store failures: expected local, allow or deny".into(),
        ),
        (
            "policies.default.burst = 5",
            "policies.default.burst: only a token-bucket has a burst, and this is a fixed-window".into(),
        ),
        (
            "policies.default = { algorithm = \"token-bucket\", burst = 0 }",
            "policies.default.burst: expected a whole number from 1 to 9007199254740991, got 0".into(),
        ),
        (
            "policies.default = { algorithm = \"token-bucket\", burst = 9007199254740991 }",
            "policies.default.burst: 9007199254740991 units are too many for token-bucket with this window: at most 150119987578 fit".into(),
        ),
        (
            "policies.default = { algorithm = \"sliding-log\", quota = \"200000/day\" }",
            "policies.default.quota: 200000 units are too many for sliding-log with this window: at most 100000 fit".into(),
        ),
        // Addresses.
        (
            "server.listen = \"unix:tollgate.sock\"",
            "server.listen: \"unix:tollgate.sock\" is not a socket to listen on: expected unix: and the absolute path of a file, of at most 103 bytes, as in unix:/run/tollgate/tollgate.sock".into(),
        ),
        (
            "admin.listen = \"unix:run/tollgate.sock\"",
            "admin.listen: \"unix:run/tollgate.sock\" is not a socket to listen on: expected unix: and the absolute path of a file, of at most 103 bytes, as in unix:/run/tollgate/tollgate.sock".into(),
        ),
        (
            "admin.listen = \"8081\"",
            "admin.listen: \"8081\" is not an address to listen on: expected host:port, as in 127.0.0.1:8080 or [::1]:8080, or unix:/path".into(),
        ),
        (
            "client_ip.trusted_proxies = \"10.0.0.0/8\"",
            "client_ip.trusted_proxies: expected a list of networks, as in [\"127.0.0.1\", \"10.0.0.0/8\"], got \"10.0.0.0/8\"".into(),
        ),
        (
            "client_ip.trusted_proxies = [\"127.0.0.1\", \"nginx\"]",
            "client_ip.trusted_proxies: \"nginx\" is not a network: expected one as in 203.0.113.7, 10.0.0.0/8 or fd00::/8".into(),
        ),
        (
            "client_ip.trusted_proxies = [\"10.0.0.1/8\"]",
            "client_ip.trusted_proxies: 10.0.0.1 is an address in the network 10.0.0.0/8: expected one or the other".into(),
        ),
        (
            "client_ip.header = \"x forwarded\"",
            "client_ip.header: \"x forwarded\" cannot name a header field: expected x-forwarded-for, forwarded, x-real-ip or another name".into(),
        ),
        (
            "client_ip = { trusted_proxies = [\"127.0.0.1\"], hops = 1 }",
            "client_ip.hops: trusted_proxies are set as well: expected either, to go by addresses or to count".into(),
        ),
        (
            "policies.default = { key = \"user\", ipv6_prefix = 48 }",
            "policies.default.ipv6_prefix: only addresses have it, and this is counted by user".into(),
        ),
        // Routes.
        (
            "[routes.\"api\"]",
            "routes.api: \"api\" is not a route: expected '/' first, or a method, one space and '/', as in \"/api/data\", \"GET /api/items/{id}\" or \"/api/*\"".into(),
        ),
        (
            "[routes.\"/x\"]\npolicies = [\"fast\"]",
            "routes.\"/x\".policies: no policy is called \"fast\", expected default".into(),
        ),
        (
            "[routes.\"/x\"]\npolicies = [\"default\"]\npeek = [\"default\"]",
            "routes.\"/x\".peek: the policy \"default\" is listed twice for this route".into(),
        ),
        (
            "[policies.default]\nmode = \"dry\"",
            "policies.default.mode: \"dry\" is not a mode: expected enforce, shadow or off".into(),
        ),
        (
            "[policies.default]\nmode = \"shadow\"\nenforce = \"10%\"",
            "policies.default.enforce: it is of no use here, expected mode = \"enforce\"".into(),
        ),
        (
            "[policies.default]\nmode = \"off\"\ncandidate = \"1/day\"",
            "policies.default.candidate: it is of no use here, expected mode = \"enforce\"".into(),
        ),
        (
            "[policies.default]\nenforce = \"101%\"",
            "policies.default.enforce: \"101%\" is not a share: expected 0% to 100%, with at most two decimals, as in \"10%\"".into(),
        ),
        (
            "[policies.default.penalty]\nban_ms = 1000",
            "policies.default.penalty: denials is missing: expected how many denials begin a ban".into(),
        ),
        (
            "[policies.default]\npenalty = 20",
            "policies.default.penalty: expected a table, got 20".into(),
        ),
        (
            "[policies.default.penalty]\ndenials = 0",
            "policies.default.penalty.denials: expected a whole number from 1 to 1000000, got 0".into(),
        ),
        (
            "[policies.default.penalty]\ndenials = 9\nwithin_ms = 0",
            "policies.default.penalty.within_ms: expected a whole number from 1 to 31622400000, got 0".into(),
        ),
        (
            "[policies.default.penalty]\ndenials = 9\nban_ms = 2000\nban_at_most_ms = 1999",
            "policies.default.penalty.ban_at_most_ms: the first ban is longer: expected at least 2000".into(),
        ),
        (
            "[policies.default.penalty]\ndenials = 9\nban = 9",
            "policies.default.penalty.ban: unknown key, expected denials, within_ms, ban_ms or ban_at_most_ms".into(),
        ),
        (
            "[policies.default]\nalgorithm = \"sliding-log\"\ncandidate = \"200000/day\"",
            "policies.default.candidate: 200000 units are too many for sliding-log with this window: at most 100000 fit".into(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error_of_text(text), expected, "for {text}");
    }
}

#[test]
fn the_ends_of_every_range_are_in_it() {
    let cases = [
        ("server.workers", 0, 512),
        ("policies.default.penalty.denials", 1, 1_000_000),
        ("server.header_timeout_ms", 100, 3_600_000),
        ("server.body_timeout_ms", 100, 3_600_000),
        ("server.keep_alive_ms", 0, 86_400_000),
        ("server.write_timeout_ms", 100, 3_600_000),
        ("server.max_connection_age_ms", 1_000, 31_622_400_000),
        ("server.max_head_bytes", 1_024, 131_071),
        ("server.max_headers", 1, 96),
        ("server.max_body_bytes", 0, 1 << 40),
        ("server.max_connections", 1, 1_000_000),
        ("server.max_connections_per_ip", 1, 1_000_000),
        ("server.backlog", 1, 65_535),
        ("server.shutdown_delay_ms", 0, 3_600_000),
        ("server.shutdown_timeout_ms", 0, 3_600_000),
        ("store.timeout_ms", 1, 60_000),
        ("store.idle_timeout_ms", 100, 86_400_000),
        ("store.examine_interval_ms", 100, 86_400_000),
        ("store.connections", 1, 64),
        ("store.instances", 1, 1_000_000),
        ("store.deny_cache_ms", 0, 60_000),
        ("store.max_keys", 1, 1_000_000_000_i64),
        ("client_ip.hops", 0, 32),
        ("client_ip.ipv6_prefix", 1, 128),
        ("policies.default.ipv6_prefix", 1, 128),
    ];
    for (key, least, most) in cases {
        for (number, is_right) in
            [(least - 1, false), (least, true), (most, true), (most + 1, false)]
        {
            let text = format!("{key} = {number}");
            assert_eq!(load_text(&text).is_ok(), is_right, "{text}");
            let text = format!("{key}={number}");
            assert_eq!(load(&settings(&[&text])).is_ok(), is_right, "--set {text}");
        }
    }
    for (length, is_right) in [(64, true), (65, false)] {
        let text = format!("store.key_prefix = \"{}\"", "p".repeat(length));
        assert_eq!(load_text(&text).is_ok(), is_right, "{text}");
    }
}

#[test]
fn a_syntax_error_has_its_line_and_shows_nothing_of_it() {
    let error = error_of_text("[store]\nkey_prefix = \"x\"\nurl = \"redis://:hunter2@h\n");
    assert!(error.starts_with("FILE:3: column "), "{error}");
    assert!(!error.contains(SECRET), "{error}");
    assert!(error_of_text("[store]\n[store]").starts_with("FILE:2: column "));
    assert!(error_of_text("x = hunter2").starts_with("FILE:1: column "));
    assert!(!error_of_text("x = hunter2").contains(SECRET));
}

#[test]
fn a_number_that_is_too_large_hides_no_other_error() {
    let errors = errors_of_text(
        "[store]\ntimeout_ms = 99_999_999_999_999_999_999\nconnections = 0x10\ninstances = 0",
    );
    assert_eq!(errors.len(), 2, "{errors:#?}");
    let error = error_of_text("[access]\nallow = [\n99999999999999999999]");
    assert!(error.starts_with("access.allow: \"99999999999999999999\" is neither "), "{error}");
}

#[test]
fn all_errors_are_reported_at_once_with_key_and_origin() {
    let bad = Scratch::new("= nonsense");
    let file = Scratch::new(
        "[server]\nlisten = \"nowhere\"\n[store]\nconnections = 0\n[policies.fast]\nquota = \"often\"\nkey = \"x\"\n\
         [routes.\"/x\"]\npolicies = [\"fast\", \"slow\", \"quick\"]",
    );
    let sources = Sources {
        files: vec![file.0.clone(), bad.0.clone()],
        settings: vec!["headers.cors_expose=maybe".to_owned(), "nonsense".to_owned()],
        ..variables(&[("TOLLGATE_STORE__TIMEOUT_MS", "50.5"), ("TOLLGATE_STORE__URL", "http://h")])
    };
    let errors = load(&sources).unwrap_err();
    let found: Vec<_> = errors.iter().map(|it| (it.key.as_deref(), &*it.origin)).collect();
    let line = |number| format!("{}:{number}", file.name());
    let mut expected = [
        (None, &*format!("{}:1", bad.name())),
        (None, "the command line"),
        (Some("headers.cors_expose"), "the command line"),
        (Some("policies.fast.key"), &*line(7)),
        (Some("policies.fast.quota"), &*line(6)),
        (Some("routes.\"/x\".policies"), &*line(9)),
        (Some("routes.\"/x\".policies"), &*line(9)),
        (Some("server.listen"), &*line(2)),
        (Some("store.connections"), &*line(4)),
        (Some("store.timeout_ms"), "TOLLGATE_STORE__TIMEOUT_MS"),
        (Some("store.url"), "TOLLGATE_STORE__URL"),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected, "{errors}");
    assert_eq!(errors.to_string().lines().count(), expected.len());
}

#[test]
fn a_name_with_line_breaks_stays_on_one_line() {
    let errors = errors_of_text("\"a\\nb\" = 1\n[policies.\"x\\u001b[31m\"]\nquota = \"1\\nday\"");
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(errors.iter().all(|line| !line.contains(char::is_control)), "{errors:#?}");
}

#[test]
fn a_policy_may_have_every_option() {
    let config = load_text(
        "[policies.fast]\nquota = \"5/second\"\nalgorithm = \"token-bucket\"\nkey = \"global\"\non_store_failure = \"deny\"\n\
         [policies.default]\nalgorithm = \"sliding-log\"",
    )
    .unwrap();
    let [default, fast] = &config.policies[..] else { panic!("{:?}", config.policies) };
    // The built-in one keeps what is not set.
    assert_eq!(default.quota().to_string(), "10/minute");
    assert_eq!(default.algorithm(), Algorithm::SlidingLog);
    assert_eq!(fast.algorithm(), Algorithm::TokenBucket { burst: 5 });
    assert_eq!(*fast.key(), KeySource::Global);
    assert_eq!(fast.on_store_failure(), OnStoreFailure::Deny);
}

#[test]
fn a_policy_has_networks_of_its_own_size_or_of_the_size_for_all() {
    let config = load_text(
        "client_ip.ipv6_prefix = 56\n[policies.site]\nquota = \"4/day\"\nkey = \"ip\"\nipv6_prefix = 48",
    )
    .unwrap();
    let lengths: Vec<_> = config.policies.iter().map(|it| it.ipv6_prefix().length()).collect();
    assert_eq!(lengths, [56, 48]);
}

#[test]
fn every_proxy_that_is_none_is_an_error() {
    let errors = errors_of_text("client_ip.trusted_proxies = [\"a\", \"10.0.0.0/8\", \"b\"]");
    assert_eq!(errors.len(), 2, "{errors:#?}");
}

#[test]
fn addresses_to_listen_on_are_checked() {
    let path = format!("unix:/{}", "s".repeat(102));
    for good in [
        "127.0.0.1:8080",
        "0.0.0.0:0",
        "[::1]:80",
        "localhost:65535",
        "a-b.example:1",
        "unix:/tollgate.sock",
        "unix:/run/a b/tollgate.sock",
        &path,
    ] {
        assert_eq!(good.parse::<Listen>().unwrap().to_string(), good);
        assert!(good.parse::<Listen>().is_ok(), "{good}");
    }
    let bad = [
        "",
        ":",
        ":80",
        "localhost",
        "localhost:",
        "localhost:65536",
        "localhost:+1",
        "::1",
        "::1:80",
        "256.0.0.1:80",
        "1.2.3:80",
        "a b:80",
        "http://a:80",
        "a:80/",
        ".a:80",
        "unix:",
        "unix:/",
        "unix:/..",
        "unix:/run/",
        "unix:run/tollgate.sock",
        "unix:/a\0b",
        &format!("{path}s"),
    ];
    for bad in bad {
        assert!(bad.parse::<Listen>().is_err(), "{bad}");
    }
}

#[test]
fn a_file_name_with_line_breaks_stays_on_one_line() {
    let sources = Sources { files: vec!["no\nsuch\x1bfile".into()], ..Sources::default() };
    let errors = load(&sources).unwrap_err().to_string();
    assert!(errors.starts_with("no such file: cannot be read: "), "{errors}");
    assert!(!errors.contains(char::is_control), "{errors}");
}
