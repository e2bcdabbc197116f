use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use proptest::prelude::*;

use super::*;
use crate::algorithm::Algorithm;
use crate::policy::{KeySource, OnStoreFailure};

const VALUE: &str = "hunter2";

/// A file that is gone with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(bytes: impl AsRef<[u8]>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate-config-{}-{number}.toml", std::process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn variables(pairs: &[(&str, &str)]) -> Sources {
    let variables = pairs.iter().map(|(name, value)| (name.into(), value.into())).collect();
    Sources { variables, ..Sources::default() }
}

fn settings(settings: &[&str]) -> Sources {
    let settings = settings.iter().map(|&text| text.to_owned()).collect();
    Sources { settings, ..Sources::default() }
}

fn load_text(text: &str) -> Result<Config, Problems> {
    let file = Scratch::new(text);
    load(&Sources { files: vec![file.0.clone()], ..Sources::default() })
}

/// The problems of a file, one line each, without its name.
fn problems_of_text(text: &str) -> Vec<String> {
    let file = Scratch::new(text);
    lines(&Sources { files: vec![file.0.clone()], ..Sources::default() })
        .into_iter()
        .map(|line| {
            line.replace(&format!(" (from {})", file.name()), "").replace(file.name(), "FILE")
        })
        .collect()
}

fn lines(sources: &Sources) -> Vec<String> {
    let problems = load(sources).expect_err("it loaded").to_string();
    problems.lines().map(str::to_owned).collect()
}

/// The only problem of a file, without its name.
fn problem_of_text(text: &str) -> String {
    let problems = problems_of_text(text);
    let [problem] = &problems[..] else { panic!("{problems:#?} for {text}") };
    problem.clone()
}

// Layers.

#[test]
fn the_built_in_defaults_are_the_contract() {
    let config = load(&Sources::default()).unwrap();
    assert_eq!(config.server.listen.as_str(), "127.0.0.1:8080");
    assert_eq!(config.server.workers, 0);
    assert_eq!(config.store.url.to_string(), "redis://127.0.0.1:6379/0");
    assert_eq!(config.store.key_prefix, "tollgate");
    assert_eq!(config.store.timeout, Duration::from_millis(50));
    assert_eq!(config.store.connections, 2);
    assert_eq!(config.store.instances, 1);
    assert_eq!(config.store.deny_cache, Duration::from_secs(1));
    assert_eq!(config.store.max_keys, 1_000_000);
    assert!(!config.store.hash_users && !config.headers.legacy && !config.headers.cors_expose);
    assert_eq!(config.policies, [Policy::new("default", "10/minute".parse().unwrap()).unwrap()]);
    let route = |path: &str, policies: &[&str], peek: &[&str]| Route {
        path: path.to_owned(),
        policies: policies.iter().map(|&name| name.to_owned()).collect(),
        peek: peek.iter().map(|&name| name.to_owned()).collect(),
    };
    let routes = [route("/api/data", &["default"], &[]), route("/api/status", &[], &["default"])];
    assert_eq!(config.routes, routes);
}

#[test]
fn the_default_url_is_as_if_it_were_read() {
    let StoreUrl::Redis(default) = StoreUrl::default() else { panic!("not Redis") };
    assert_eq!(default.expose().parse(), Ok(StoreUrl::Redis(default)));
}

fn config_toml() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml")
}

#[test]
fn config_toml_says_the_defaults() {
    let file_only = Sources { files: vec![config_toml()], ..Sources::default() };
    assert_eq!(load(&file_only), load(&Sources::default()));
}

#[test]
fn config_toml_has_every_option() {
    let text = fs::read_to_string(config_toml()).unwrap();
    let tables = ["server", "store", "headers", "policies.default", "routes.\"/api/data\""];
    for table in tables {
        let (_, body) = text.split_once(&format!("\n[{table}]\n")).expect(table);
        let body = body.split("\n[").next().unwrap();
        // An unknown key's problem lists what is known.
        let problem = lines(&settings(&[&format!("{table}.no_such_option=1")])).remove(0);
        let (_, known) = problem.split_once("expected ").unwrap();
        let (known, _) = known.split_once(" (from").unwrap();
        for option in known.split(", ").flat_map(|names| names.split(" or ")) {
            let is_there = |line: &str| {
                line.trim_start_matches("# ")
                    .split_once(" = ")
                    .is_some_and(|(name, _)| name == option)
            };
            assert!(body.lines().any(is_there), "{table}.{option} is not in config.toml");
        }
    }
}

#[test]
fn later_layers_win_and_leave_the_rest() {
    let one =
        Scratch::new("[store]\ntimeout_ms = 1\nconnections = 11\ninstances = 21\nmax_keys = 31");
    let two = Scratch::new("[store]\nconnections = 12\ninstances = 22\nmax_keys = 32");
    let sources = Sources {
        files: vec![one.0.clone(), two.0.clone()],
        default_file: None,
        ..variables(&[("TOLLGATE_STORE__INSTANCES", "23"), ("TOLLGATE_STORE__MAX_KEYS", "33")])
    };
    let sources = Sources { settings: vec!["store.max_keys=34".to_owned()], ..sources };
    let store = load(&sources).unwrap().store;
    assert_eq!(
        (store.timeout.as_millis(), store.connections, store.instances, store.max_keys),
        (1, 12, 23, 34)
    );
    assert_eq!(store.key_prefix, "tollgate");
}

#[test]
fn the_default_file_is_read_if_it_is_there_and_no_other_is_named() {
    let file = Scratch::new("server.workers = 3");
    let other = Scratch::new("server.listen = \"127.0.0.1:1\"");
    let only = Sources { default_file: Some(file.0.clone()), ..Sources::default() };
    assert_eq!(load(&only).unwrap().server.workers, 3);
    let both = Sources { files: vec![other.0.clone()], ..only };
    assert_eq!(load(&both).unwrap().server.workers, 0);
    let absent = Sources { default_file: Some("no/such/file".into()), ..Sources::default() };
    assert_eq!(load(&absent), load(&Sources::default()));
}

#[test]
fn files_that_cannot_be_read_are_problems() {
    let named = Sources { files: vec!["no/such/file".into()], ..Sources::default() };
    assert!(lines(&named)[0].starts_with("no/such/file: cannot be read: "), "{:?}", lines(&named));
    let directory = Sources { default_file: Some(env::temp_dir()), ..Sources::default() };
    assert!(lines(&directory)[0].contains(": cannot be read: "), "{:?}", lines(&directory));
    let binary = Scratch::new([0xff, 0xfe]);
    let binary = Sources { files: vec![binary.0.clone()], ..Sources::default() };
    assert!(lines(&binary)[0].ends_with(": is not UTF-8 text"), "{:?}", lines(&binary));
}

#[test]
fn variables_set_options_of_every_type() {
    let config = load(&variables(&[
        ("TOLLGATE_SERVER__LISTEN", "[::1]:80"),
        ("TOLLGATE_SERVER__WORKERS", "4"),
        ("TOLLGATE_STORE__HASH_USERS", "true"),
        ("TOLLGATE_HEADERS__LEGACY", "false"),
        ("TOLLGATE_STORE__KEY_PREFIX", "007"),
        // Kept as it is, though it looks like a number.
        ("TOLLGATE_STORE__URL", "redis://:007@localhost/1"),
        ("TOLLGATE_POLICIES__BURST__QUOTA", "5/second"),
        ("TOLLGATE_POLICIES__BURST__ALGORITHM", "token-bucket"),
        ("TOLLGATE_POLICIES__BURST__BURST", "9"),
        ("TOLLGATE_ROUTES__/X__POLICIES", "default, burst"),
        // Lower case is the same variable to the operator.
        ("tollgate_store__instances", "5"),
        ("PATH", "/bin"),
        ("TOLLGATES_X", "of another program"),
    ]))
    .unwrap();
    assert_eq!(config.server, Server { listen: "[::1]:80".parse().unwrap(), workers: 4 });
    assert!(config.store.hash_users && !config.headers.legacy);
    assert_eq!(config.store.key_prefix, "007");
    assert_eq!(config.store.instances, 5);
    let StoreUrl::Redis(url) = config.store.url else { panic!("not Redis") };
    assert_eq!(url.expose(), "redis://:007@localhost/1");
    assert_eq!(config.policies[0].algorithm(), Algorithm::TokenBucket { burst: 9 });
    assert_eq!(config.routes[0].path, "/api/data");
    assert_eq!(config.routes[2].path, "/x");
    assert_eq!(config.routes[2].policies, ["default", "burst"]);
}

#[test]
fn an_empty_variable_is_as_if_unset() {
    let empty = variables(&[("TOLLGATE_STORE__URL", ""), ("TOLLGATE_NO_SUCH_THING", "")]);
    assert_eq!(load(&empty), load(&Sources::default()));
}

#[test]
fn variables_that_kubernetes_sets_for_services_are_left_alone() {
    let names = [
        "TOLLGATE_SERVICE_HOST",
        "TOLLGATE_SERVICE_PORT",
        "TOLLGATE_SERVICE_PORT_HTTP",
        "TOLLGATE_PORT",
        "TOLLGATE_PORT_8080_TCP",
        "TOLLGATE_PORT_8080_TCP_ADDR",
        "TOLLGATE_REDIS_SERVICE_HOST",
        "TOLLGATE_REDIS_PORT_6379_TCP_PROTO",
    ];
    for name in names {
        let sources = variables(&[(name, "tcp://10.0.0.1:8080")]);
        assert_eq!(load(&sources), load(&Sources::default()), "{name}");
    }
    // But an option under that name would have a level.
    assert_eq!(lines(&variables(&[("TOLLGATE_SERVER__MY_PORT", "1")])).len(), 1);
}

#[test]
fn bad_variables_are_named_exactly() {
    let sections = "unknown key, expected server, store, headers, policies or routes";
    let hint = "\"__\" joins levels, as in TOLLGATE_STORE__URL";
    let cases = [
        (
            ("TOLLGATE_STORE__TIMEOUT_MS", "fast"),
            "store.timeout_ms: expected a whole number from 1 to 60000, got \"fast\" (from TOLLGATE_STORE__TIMEOUT_MS)".to_owned(),
        ),
        (("TOLLGATE_STORE_URL", VALUE), format!("store_url: {sections}; {hint} (from TOLLGATE_STORE_URL)")),
        (("Tollgate_X", VALUE), format!("x: {sections}; {hint} (from Tollgate_X)")),
        (("TOLLGATE_", VALUE), format!("\"\": {sections}; {hint} (from TOLLGATE_)")),
        (
            ("TOLLGATE_STORE", VALUE),
            "store: expected a table, got \"hunter2\" (from TOLLGATE_STORE)".to_owned(),
        ),
        (
            ("TOLLGATE_STORE__URL__X__Y__Z", VALUE),
            "store.url: expected text in quotes, got a table (from TOLLGATE_STORE__URL__X__Y__Z)".to_owned(),
        ),
        (
            ("TOLLGATE_STORE.URL", VALUE),
            "TOLLGATE_STORE.URL: has a '.' in its name: levels are joined by \"__\"".to_owned(),
        ),
        (
            ("TOLLGATE_HEADERS__LEGACY", "yes"),
            "headers.legacy: expected true or false, got \"yes\" (from TOLLGATE_HEADERS__LEGACY)".to_owned(),
        ),
    ];
    for (variable, expected) in cases {
        assert_eq!(lines(&variables(&[variable])), [expected]);
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_a_problem() {
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

#[test]
fn settings_take_keys_as_toml_writes_them() {
    let config = load(&settings(&[
        "store.timeout_ms=20",
        "routes.\"/api/data\".policies=",
        "routes.'/a=b'.peek = default",
        "policies.v1.quota=1/day",
        "policies.\"v1.2\".quota=2/day",
        "policies.v1.key=header:X-A",
    ]))
    .unwrap();
    assert_eq!(config.store.timeout.as_millis(), 20);
    assert_eq!(config.routes[0].path, "/a=b");
    assert_eq!(config.routes[0].peek, ["default"]);
    assert_eq!(config.routes[1].policies, [""; 0]);
    assert_eq!(config.policies[1].name(), "v1");
    assert_eq!(*config.policies[1].key(), KeySource::Header("x-a".into()));
    assert_eq!(config.policies[2].name(), "v1.2");
}

#[test]
fn settings_that_are_no_settings_are_problems_that_repeat_nothing() {
    let long = format!("{}=1", "a.".repeat(50_000));
    for text in ["", "hunter2", "=hunter2", "a b=hunter2", "x\ny=hunter2", "\"x=hunter2", &long] {
        let problems = lines(&settings(&[text]));
        let [problem] = &problems[..] else { panic!("{problems:?} for {text:?}") };
        assert!(
            problem.starts_with("the command line: a setting must be KEY=VALUE, "),
            "{problem}"
        );
        assert!(!problem.contains(VALUE), "{problem}");
    }
}

// Strictness.

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
            "stores: unknown key, expected server, store, headers, policies or routes".into(),
        ),
        (
            "\"store.url\" = \"memory:\"",
            "\"store.url\": unknown key, expected server, store, headers, policies or routes".into(),
        ),
        ("headers.x = 1", "headers.x: unknown key, expected legacy or cors_expose".into()),
        (
            "[routes.\"/x\"]\npolicy = 1",
            "routes.\"/x\".policy: unknown key, expected policies or peek".into(),
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
            "policies.x.quota: \"0/minute\" is not a quota: it must allow at least 1 unit, as in \"10/minute\", \"100 per hour\" or \"5/2 seconds\"".into(),
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
            "policies.default.key: \"name\" is not a key: expected ip, user, user-or-ip, global or header:NAME".into(),
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
            "policies.default.burst: 9007199254740991 units are too many for token-bucket with this window: at most 150119987579 fit".into(),
        ),
        (
            "policies.default = { algorithm = \"sliding-log\", quota = \"200000/day\" }",
            "policies.default.quota: 200000 units are too many for sliding-log with this window: at most 100000 fit".into(),
        ),
        // Routes.
        (
            "[routes.\"api\"]",
            "routes.api: a route is a path: expected '/' first, and no '?', '#' or space in it".into(),
        ),
        (
            "[routes.\"/x\"]\npolicies = [\"fast\"]",
            "routes.\"/x\".policies: no policy is called \"fast\", expected default".into(),
        ),
        (
            "[routes.\"/x\"]\npolicies = [\"default\"]\npeek = [\"default\"]",
            "routes.\"/x\".peek: the policy \"default\" is listed twice for this route".into(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(problem_of_text(text), expected, "for {text}");
    }
}

#[test]
fn the_ends_of_every_range_are_in_it() {
    let cases = [
        ("server.workers", 0, 1_024),
        ("store.timeout_ms", 1, 60_000),
        ("store.connections", 1, 64),
        ("store.instances", 1, 1_000_000),
        ("store.deny_cache_ms", 0, 60_000),
        ("store.max_keys", 1, 1_000_000_000_i64),
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
    let problem = problem_of_text("[store]\nkey_prefix = \"x\"\nurl = \"redis://:hunter2@h\n");
    assert!(problem.starts_with("FILE: line 3, column "), "{problem}");
    assert!(!problem.contains(VALUE), "{problem}");
    assert!(problem_of_text("[store]\n[store]").starts_with("FILE: line 2, column "));
    assert!(problem_of_text("x = hunter2").starts_with("FILE: line 1, column "));
    assert!(!problem_of_text("x = hunter2").contains(VALUE));
}

#[test]
fn a_number_that_is_too_large_hides_no_other_problem() {
    let problems = problems_of_text(
        "[store]\ntimeout_ms = 99_999_999_999_999_999_999\nconnections = 0x10\ninstances = 0",
    );
    assert_eq!(problems.len(), 2, "{problems:#?}");
    let problem = problem_of_text("x = [99999999999999999999]");
    assert_eq!(problem, "FILE: has a number that is too large");
}

#[test]
fn all_problems_are_reported_at_once_with_key_and_origin() {
    let bad = Scratch::new("= nonsense");
    let file = Scratch::new(
        "[server]\nlisten = \"nowhere\"\n[store]\nconnections = 0\n[policies.fast]\nquota = \"often\"\nkey = \"x\"\n\
         [routes.\"/x\"]\npolicies = [\"fast\", \"slow\", \"quick\"]",
    );
    let sources = Sources {
        files: vec![file.0.clone(), bad.0.clone()],
        settings: vec!["headers.legacy=maybe".to_owned(), "nonsense".to_owned()],
        ..variables(&[("TOLLGATE_STORE__TIMEOUT_MS", "50.5"), ("TOLLGATE_STORE__URL", "http://h")])
    };
    let problems = load(&sources).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| (problem.key(), problem.origin())).collect();
    let mut expected = [
        (None, bad.name()),
        (None, "the command line"),
        (Some("headers.legacy"), "the command line"),
        (Some("policies.fast.key"), file.name()),
        (Some("policies.fast.quota"), file.name()),
        (Some("routes.\"/x\".policies"), file.name()),
        (Some("routes.\"/x\".policies"), file.name()),
        (Some("server.listen"), file.name()),
        (Some("store.connections"), file.name()),
        (Some("store.timeout_ms"), "TOLLGATE_STORE__TIMEOUT_MS"),
        (Some("store.url"), "TOLLGATE_STORE__URL"),
    ];
    expected.sort_unstable();
    assert_eq!(places, expected, "{problems}");
    assert_eq!(problems.to_string().lines().count(), expected.len());
}

#[test]
fn a_name_with_line_breaks_stays_on_one_line() {
    let problems =
        problems_of_text("\"a\\nb\" = 1\n[policies.\"x\\u001b[31m\"]\nquota = \"1\\nday\"");
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems.iter().all(|line| !line.contains(char::is_control)), "{problems:#?}");
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
fn addresses_to_listen_on_are_checked() {
    for good in ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:80", "localhost:65535", "a-b.example:1"] {
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
    ];
    for bad in bad {
        assert!(bad.parse::<Listen>().is_err(), "{bad}");
    }
}

// Secrets.

#[test]
fn store_urls_print_without_their_credentials() {
    let cases = [
        ("memory:", "memory:"),
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://user:hunter2@h:1/2", "redis://***@h:1/2"),
        ("REDIS://:hunter2@[::1]", "redis://***@[::1]:6379/0"),
        ("redis://hunter2@h", "redis://***@h:6379/0"),
        ("redis://:%68unter2@h/?protocol=resp3", "redis://***@h:6379/0"),
        ("redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock?db=0"),
        ("redis+unix:///r?db=1&user=u&pass=hunter2", "redis+unix:///r?db=1&pass=***"),
    ];
    for (text, shown) in cases {
        let config = load(&settings(&[&format!("store.url={text}")])).unwrap();
        assert_eq!(config.store.url.to_string(), shown);
        assert!(!format!("{config:#?}").contains("unter2"), "{config:#?}");
        if let StoreUrl::Redis(url) = &config.store.url {
            assert_eq!(url.expose(), text);
            assert!(redis::Client::open(url.expose()).is_ok(), "{text}");
        }
    }
}

#[test]
fn store_urls_that_are_refused_are_not_repeated() {
    let bad = [
        "",
        "hunter2",
        "http://:hunter2@h",
        "memory:hunter2",
        "redis:hunter2@h",
        "redis://",
        "redis://:hunter2@",
        "redis://u:hunter2@h:port",
        "redis://u:hunter2@h/db",
        "redis://u:hunter2@h/-1",
        "redis://u:hunter2@0.0.0.0",
        "redis://u:hunter2@h?protocol=4",
        // A '/', '?' or '#' in the password that is not escaped.
        "redis://u:12/hunter2@h",
        "redis://u:12?hunter2@h",
        "redis://u:12#hunter2@h",
        // redis-rs would read past these.
        "redis://h?password=hunter2",
        "redis://h?db=2",
        "redis+unix:///r?password=hunter2",
        "redis+unix://run/redis.sock?pass=hunter2",
        "redis+unix:///r?db=x&pass=hunter2",
        "unix:///r?pass=hunter2",
        "rediss://:hunter2@h",
        "redis+cluster://:hunter2@h,i",
        "redis+sentinel://:hunter2@h,i/name",
    ];
    for text in bad {
        let problem = load_text(&format!("store.url = \"{text}\"")).expect_err(text);
        assert!(!format!("{problem}{problem:?}").contains(VALUE), "{problem}");
        assert_eq!(problem.iter().next().unwrap().key(), Some("store.url"), "{text}");
    }
}

#[test]
fn schemes_of_later_versions_are_told_from_nonsense() {
    for scheme in ["rediss", "redis+cluster", "redis+sentinel"] {
        let problem = problem_of_text(&format!("store.url = \"{scheme}://h\""));
        assert_eq!(
            problem,
            format!(
                "store.url: this version does not speak {scheme}:// yet: \
                 expected memory:, redis://host:port/db or redis+unix:///path"
            )
        );
    }
}

#[test]
fn a_url_under_a_wrong_key_is_not_repeated() {
    let url = "redis://:hunter2@h";
    let keys = [
        "server.listen",
        "server.workers",
        "store.key_prefix",
        "store.timeout_ms",
        "store.hash_users",
        "store.urll",
        "store",
        "url",
        "policies",
        "policies.default",
        "policies.default.quota",
        "policies.default.algorithm",
        "policies.default.key",
        "policies.default.burst",
        "policies.default.on_store_failure",
        "routes.\"/x\"",
        "routes.\"/x\".policies",
    ];
    for key in keys {
        for sources in
            [settings(&[&format!("{key}={url}")]), settings(&[&format!("{key}.x={url}")])]
        {
            let problems = load(&sources).expect_err(key);
            assert!(!format!("{problems}{problems:?}").contains(VALUE), "{problems}");
        }
        let problems = load_text(&format!("{key} = \"{url}\"")).expect_err(key);
        assert!(!format!("{problems}{problems:?}").contains(VALUE), "{problems}");
    }
    // Both names of one policy, the second time in a list.
    let twice = format!("[routes.\"/x\"]\npolicies = [\"{url}\", \"{url}\"]");
    assert!(!problems_of_text(&twice).join("\n").contains(VALUE));
}

#[test]
fn sources_print_no_values() {
    let sources = Sources {
        settings: vec!["store.url=redis://:hunter2@h".to_owned()],
        ..variables(&[("TOLLGATE_STORE__URL", "redis://:hunter2@h")])
    };
    assert!(!format!("{sources:?}").contains(VALUE));
}

// Properties.

/// Text that is near enough to a configuration to get past the parser now and then.
fn near_toml() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        " ",
        "\"",
        "'",
        "\"\"\"",
        "#",
        "_",
        "-",
        "server",
        "store",
        "headers",
        "policies",
        "routes",
        "url",
        "timeout_ms",
        "quota",
        "burst",
        "default",
        "\"/api\"",
        "\"10/minute\"",
        "\"redis://:x@h\"",
        "0",
        "1",
        "50.7",
        "nan",
        "1e400",
        "0x",
        "0xfffffffffffffffff",
        "99999999999999999999",
        "true",
        "1979-05-27",
        "\u{fffd}",
        "é",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in prop_oneof![".*", "(?s).{0,200}", near_toml()]) {
        let _ = toml::parse(&text);
        let _ = load_text(&text).map_err(|problems| problems.to_string());
    }

    #[test]
    fn no_environment_makes_it_panic(
        pairs in prop::collection::btree_map("(TOLLGATE_|tollgate_)?(STORE|POLICIES|ROUTES|x)?(__|_|\\.)?.{0,12}(__.*)?", ".*", 0..6),
    ) {
        let variables = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let _ = load(&Sources { variables, ..Sources::default() });
    }

    #[test]
    fn no_setting_makes_it_panic(settings in prop::collection::vec(prop_oneof![".*", "[a-z.\"'=\\[\\]{} ]{0,30}"], 0..4)) {
        let _ = load(&Sources { settings, ..Sources::default() });
    }

    #[test]
    fn no_store_url_shows_a_password(
        scheme in "redis|redis\\+unix|REDIS|rediss|memory|http",
        before in "[a-z0-9:@/?#%&=.\\[\\]-]{0,12}",
        after in "[a-z0-9:@/?#%&=.\\[\\]-]{0,12}",
    ) {
        // In upper case, which nothing else of it is but the escapes in a message.
        let text = format!("{scheme}://u:{before}SECRET{after}@host/0");
        let shown = match text.parse::<StoreUrl>() {
            Ok(url) => format!("{url}{url:?}"),
            Err(problem) => format!("{problem}{problem:?}"),
        };
        prop_assert!(!shown.to_ascii_uppercase().contains("SECRET"), "{shown} for {text}");
    }
}
