//! What is read, and which layer wins.

use std::path::Path;

use super::*;
use crate::domain::policy::KeySource;
use crate::http::Refusals;
use crate::http::fields::FieldOptions;

#[test]
fn the_built_in_defaults_are_the_contract() {
    let config = load(&Sources::default()).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.workers, 0);
    assert_eq!(config.admin.listen, None);
    assert_eq!(config.store.url.to_string(), "redis://127.0.0.1:6379/0");
    assert_eq!(config.store.key_prefix, "tollgate");
    assert_eq!(config.store.timeout, Duration::from_millis(50));
    assert_eq!(config.store.connections, 4);
    assert_eq!(config.store.instances, 1);
    assert_eq!(config.store.deny_cache, Duration::from_secs(1));
    assert_eq!(config.store.max_keys, 1_000_000);
    assert!(!config.store.hash_users);
    assert_eq!(config.headers, FieldOptions::default());
    assert_eq!(config.refusals, Refusals::default());
    assert_eq!(config.client_ip, ClientIpOptions::default());
    assert_eq!(config.client_ip.ipv6_prefix.length(), 64);
    assert_eq!(config.auth, AuthOptions::default());
    assert_eq!(config.auth.failures.to_string(), "10/minute");
    assert_eq!(config.policies, [Policy::new("default", "10/minute".parse().unwrap()).unwrap()]);
    let route = |path: &str, policies: &[&str], peek: &[&str]| RouteOptions {
        pattern: path.parse().unwrap(),
        policies: policies.iter().map(|&name| name.to_owned()).collect(),
        peek: peek.iter().map(|&name| name.to_owned()).collect(),
        cost: Cost::ONE,
        uses_reserve: false,
    };
    let routes = [route("/api/data", &["default"], &[]), route("/api/status", &[], &["default"])];
    assert_eq!(config.routes, routes);
    assert_eq!((config.access, config.plans), (AccessOptions::default(), BTreeSet::new()));
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
fn config_toml_says_the_defaults_of_what_is_off_by_default() {
    let on = settings(&["auth.jwt.jwks_url=https://h/", "auth.jwt.algorithms=RS256"]);
    let from_file = Sources { files: vec![config_toml()], ..on.clone() };
    assert!(load(&on).is_ok_and(|config| config.auth.jwt.is_some()));
    assert_eq!(load(&from_file), load(&on));
}

#[test]
fn config_toml_has_every_option() {
    let text = fs::read_to_string(config_toml()).unwrap();
    let tables = [
        "server",
        "admin",
        "gate",
        "store",
        "client_ip",
        "headers",
        "access",
        "auth",
        "auth.jwt",
        "policies.default",
        "routes.\"/api/data\"",
    ];
    for table in tables {
        let (_, body) = text.split_once(&format!("\n[{table}]\n")).expect(table);
        let body = body.split("\n[").next().unwrap();
        // An unknown key's error lists what is known.
        let error = lines(&settings(&[&format!("{table}.no_such_option=1")])).remove(0);
        let (_, known) = error.split_once("expected ").unwrap();
        let (known, _) = known.split_once(" (from").unwrap();
        for option in known.split(", ").flat_map(|names| names.split(" or ")) {
            let is_there = |line: &str| {
                line.trim_start_matches("# ")
                    .split_once(" = ")
                    .is_some_and(|(name, _)| name == option)
            };
            let is_there = body.lines().any(is_there)
                // A table in it.
                || text.contains(&format!("\n[{table}.{option}]"))
                || text.contains(&format!("\n# [{table}.{option}]"));
            assert!(is_there, "{table}.{option} is not in config.toml");
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
fn files_that_cannot_be_read_are_errors() {
    let named = Sources { files: vec!["no/such/file".into()], ..Sources::default() };
    assert!(lines(&named)[0].starts_with("no/such/file: cannot be read: "), "{:?}", lines(&named));
    let directory = Sources { default_file: Some(env::temp_dir()), ..Sources::default() };
    assert!(lines(&directory)[0].contains(": cannot be read: "), "{:?}", lines(&directory));
    let binary = Scratch::new([0xff, 0xfe]);
    let binary = Sources { files: vec![binary.0.clone()], ..Sources::default() };
    assert!(lines(&binary)[0].ends_with(": is not UTF-8 text"), "{:?}", lines(&binary));
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
    assert_eq!(config.routes[0].pattern.to_string(), "/a=b");
    assert_eq!(config.routes[0].peek, ["default"]);
    assert_eq!(config.routes[1].policies, [""; 0]);
    assert_eq!(config.policies[1].name(), "v1");
    assert_eq!(*config.policies[1].key(), KeySource::Header("x-a".into()));
    assert_eq!(config.policies[2].name(), "v1.2");
}

#[test]
fn a_key_of_several_parts_is_a_list_or_a_text_with_commas() {
    let scratch = Scratch::new("[policies.default]\nkey = [\"header:X-A\", \"user-or-ip\"]\n");
    let of_file = Sources { files: vec![scratch.0.clone()], ..Sources::default() };
    let of_setting = settings(&["policies.default.key=user-or-ip,header:x-a"]);
    let expected = "user-or-ip,header:x-a".parse::<KeySource>().unwrap();
    for sources in [of_file, of_setting] {
        assert_eq!(*load(&sources).unwrap().policies[0].key(), expected);
    }
}

#[test]
fn settings_that_are_no_settings_are_errors_that_repeat_nothing() {
    let long = format!("{}=1", "a.".repeat(50_000));
    for text in [
        "",
        "hunter2",
        "=hunter2",
        "a b=hunter2",
        "x\ny=hunter2",
        "[x]\ny=hunter2",
        "\"x=hunter2",
        &long,
    ] {
        let errors = lines(&settings(&[text]));
        let [error] = &errors[..] else { panic!("{errors:?} for {text:?}") };
        assert!(error.starts_with("the command line: a setting must be KEY=VALUE, "), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
}
