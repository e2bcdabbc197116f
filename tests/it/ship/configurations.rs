//! The configurations in `deploy`: each is served, and does what its comments promise.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;

/// The configurations with a test here, or in `real::nginx`.
const TESTED: [&str; 5] =
    ["cloudflare.toml", "hot-endpoint.toml", "login.toml", "nginx.toml", "public-api.toml"];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples")
}

/// The command with the configuration called `name`, over a Redis of its own.
fn serve(name: &str) -> (Server, Tollgate) {
    serve_with(name, Options::default())
}

fn serve_with(name: &str, options: Options) -> (Server, Tollgate) {
    let redis = Server::start();
    let path = examples().join(name);
    let path = path.to_str().expect("a path of text");
    let options = options.flag("--config", path).set("store.url", &redis.url());
    let tollgate = options.set("admin.listen", &format!("127.0.0.1:{}", port::free())).serve();
    (redis, tollgate)
}

/// How many requests pass until one is refused.
fn until_denied(mut status: impl FnMut() -> u16) -> usize {
    let passed = (0..1_000).take_while(|_| status() != 429).count();
    assert!(passed < 1_000, "nothing was refused");
    passed
}

/// A window may end meanwhile, or units flow in.
fn assert_about(passed: usize, quota: usize) {
    assert!((quota..=2 * quota).contains(&passed), "{passed} passed, of a quota of {quota}");
}

#[test]
fn every_configuration_has_a_test() {
    let files = fs::read_dir(examples()).expect("the directory");
    let names = files.map(|it| it.expect("a file").file_name().into_string().expect("text"));
    let names: BTreeSet<_> = names.filter(|name| name.ends_with(".toml")).collect();
    assert_eq!(names, TESTED.map(str::to_owned).into());
}

#[test]
fn every_configuration_is_without_findings() {
    let container = Path::new("deploy/container/config.toml");
    for path in TESTED.iter().map(|name| Path::new("deploy/examples").join(name)) {
        is_without_findings(&path);
    }
    is_without_findings(container);
}

fn is_without_findings(path: &Path) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let path = path.to_str().expect("a path of text");
    let finished = Options::default().run(&["check", "--strict", "--config", path]);
    assert_eq!(finished.status.code(), Some(0), "{path}: {}{}", finished.stdout, finished.stderr);
}

#[test]
fn a_login_is_tried_five_times_a_minute_and_a_mail_costs_five_tries() {
    let (_redis, tollgate) = serve("login.toml");
    let try_once = |path: &str| tollgate.request("POST", path, &[]).status;
    assert_eq!(until_denied(|| try_once("/login")), 5);
    assert_eq!(try_once("/password/reset"), 429);
    // Other requests are not limited.
    assert_eq!(tollgate.get("/login", &[]).status, 404);
    // Two were denied before, and the twentieth begins the ban.
    assert_eq!([(); 17].map(|()| try_once("/login")), [429; 17]);
    assert_eq!([try_once("/login"), tollgate.get("/login", &[]).status], [403, 404]);

    let (_redis, tollgate) = serve("login.toml");
    let try_once = |path: &str| tollgate.request("POST", path, &[]).status;
    assert_eq!(until_denied(|| try_once("/password/reset")), 1);
    assert_eq!(try_once("/login"), 429);
}

#[test]
fn a_key_has_the_quota_of_its_plan_and_nobody_that_of_an_address() {
    let (_redis, tollgate) = serve("public-api.toml");
    let with_key = |key: &str| tollgate.get("/api/data", &[("x-api-key", key.as_bytes())]);
    assert_about(until_denied(|| tollgate.get("/api/data", &[]).status), 10);
    assert_about(until_denied(|| with_key("example-free").status), 60);
    let response = with_key("example-pro");
    assert_eq!(response.status, 200);
    let policy = response.header("ratelimit-policy").expect("a field");
    assert!(policy.contains("\"minute\";q=1000;w=60"), "{policy}");
    assert_eq!(with_key("made-up").status, 401);
    // It costs ten units.
    let left = |response: &crate::support::http::Response| -> u64 {
        let field = response.header("ratelimit").expect("a field").to_owned();
        let left = field.split("\"minute\";r=").nth(1).expect("the policy");
        left.split(';').next().and_then(|it| it.parse().ok()).expect("a number")
    };
    let before = left(&response);
    let after = tollgate.get("/api/export", &[("x-api-key", b"example-pro")]);
    assert!((9..=10).contains(&(before - left(&after))), "{before}, then {}", left(&after));
    let status = tollgate.get("/api/status", &[("x-api-key", b"example-free")]);
    assert_eq!((status.status, left(&status)), (200, 0));
}

#[test]
fn a_hot_endpoint_has_a_bucket_that_others_do_not_touch() {
    let (_redis, tollgate) = serve("hot-endpoint.toml");
    let search = until_denied(|| tollgate.get("/api/search", &[]).status);
    assert_about(search, 10);
    let denied = tollgate.get("/api/search", &[]);
    let policies = denied.header("ratelimit-policy").expect("a field").to_owned();
    for name in ["search-client", "search-total", "default"] {
        assert!(policies.contains(&format!("{name:?}")), "{policies}");
    }
    assert_eq!(tollgate.get("/elsewhere", &[]).status, 404);
}

#[test]
fn only_cloudflare_says_who_a_client_is() {
    let (_redis, tollgate) = serve("cloudflare.toml");
    let forged = |number: usize| {
        let address = format!("198.51.100.{}", number % 250);
        tollgate.get("/anything", &[("cf-connecting-ip", address.as_bytes())]).status
    };
    // This connection is not Cloudflare's, so all of these are one client.
    let mut number = 0;
    let passed = until_denied(|| {
        number += 1;
        forged(number)
    });
    assert_about(passed, 100);

    // This one stands for Cloudflare.
    let options = Options::default().set("client_ip.trusted_proxies", "127.0.0.1");
    let (_redis, tollgate) = serve_with("cloudflare.toml", options);
    let of = |address: &str| {
        tollgate.get("/anything", &[("cf-connecting-ip", address.as_bytes())]).status
    };
    assert_about(until_denied(|| of("198.51.100.1")), 100);
    assert_eq!(of("198.51.100.2"), 404, "another client");
}
