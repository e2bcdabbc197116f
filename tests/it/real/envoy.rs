//! Envoy's rate limit service: asked by the conformance suite, which is a client of its own, and by a real Envoy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tollgate_testkit::process::Process;

use super::clock::SharedClock;
use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

fn ours(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A program, where `tests/setup.sh` puts it.
pub(super) fn program(path: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_tollgate"));
    let mut places = built.ancestors().map(|place| place.join("tools").join(path));
    places.find(|place| place.exists()).expect("make test-real installs it")
}

/// What the suite says of the service at `address`.
fn conforms(address: &str, arguments: &[&str]) {
    let mut command = Command::new(program("conformance/bin/python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(ours("conformance/suite.py")).arg(address).args(arguments);
    let output = command.output().expect("the suite runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with(" cases, 0 failed\n") && !said.contains("skipped"), "{said}");
}

#[test]
#[ignore = "make test-real"]
fn the_service_conforms_over_both_stores() {
    let file = ours("conformance/ratelimit.yaml");
    let config = Options::default().run(&["import", "envoy-ratelimit", &file]).stdout;
    let clock = SharedClock::at(1_800_000_017);
    let environment = clock.environment();
    let redis = Server::start_in(&environment);
    let (_, clock_file) =
        environment.iter().find(|(name, _)| name == "FAKETIME_TIMESTAMP_FILE").expect("a file");
    let gate = format!("127.0.0.1:{}", port::free());
    // A denial would be remembered while the clock of Redis goes on.
    let options = Options::default().config(&config).set("store.deny_cache_ms", "0");
    let options = options.set("store.url", &redis.url()).set("gate.listen", &gate);
    let _tollgate = options.serve();
    conforms(&gate, &["--clock-file", clock_file]);

    let gate = format!("127.0.0.1:{}", port::free());
    let mut options = Options::default().config(&config).set("store.url", "memory:");
    for (name, value) in &environment {
        options = options.env(name, value);
    }
    let _in_memory = options.set("gate.listen", &gate).serve();
    conforms(&gate, &["--clock-file", clock_file]);
}

/// An Envoy with the configuration in `deploy`, in front of the app of `tollgate` and beside its gate.
fn envoy(directory: &TempDir, tollgate: &Tollgate, gate: u16) -> (Process, Client) {
    let listen = port::free();
    let (_, app) = tollgate.url().rsplit_once(':').expect("a port");
    let text = fs::read_to_string(ours("deploy/envoy/ratelimit.yaml")).expect("a file of deploy");
    let text = text
        .replace("0.0.0.0, port_value: 80 ", &format!("127.0.0.1, port_value: {listen} "))
        .replace("port_value: 8082", &format!("port_value: {gate}"))
        .replace("port_value: 3000", &format!("port_value: {app}"));
    let path = directory.path().join("envoy.yaml");
    fs::write(&path, text).expect("a configuration");
    let mut command = Command::new(program("envoy/bin/envoy"));
    command.arg("-c").arg(path).args(["--disable-hot-restart", "--log-level", "error"]);
    let process = Process::start(command).with_children();
    let client = Client::of(format!("http://127.0.0.1:{listen}"));
    until("Envoy serves", || std::net::TcpStream::connect(("127.0.0.1", listen)).is_ok());
    (process, client)
}

#[test]
#[ignore = "make test-real"]
fn envoy_asks_before_it_passes_a_request_on() {
    let config = r#"
        [policies.by-address]
        quota = "10/52 weeks"
        key = "ip"
        [routes."/api/data"]
        policies = []
        [descriptors.edge."remote_address"]
        policies = ["by-address"]
        ip = "remote_address"
    "#;
    let (redis, gate) = (Server::start(), port::free());
    let options = Options::default().config(config).set("store.url", &redis.url());
    let mut tollgate = options.set("gate.listen", &format!("127.0.0.1:{gate}")).serve();
    let directory = TempDir::with_prefix("tollgate-envoy-").expect("a directory");
    let (_envoy, client) = envoy(&directory, &tollgate, gate);
    for left in (0..10).rev() {
        let response = client.get("/api/data", &[]);
        assert_eq!(response.status, 200, "{}", response.body);
        let field = response.header("ratelimit").expect("a field");
        assert!(field.starts_with(&format!("\"by-address\";r={left};t=")), "{field}");
    }
    let refused = client.get("/api/data", &[]);
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").expect("a wait").parse().expect("seconds");
    let field = format!("\"by-address\";r=0;t={wait}");
    assert_eq!(refused.header("ratelimit"), Some(field.as_str()));
    // The file says that nothing passes without Tollgate.
    assert!(tollgate.stop().success());
    assert_eq!(client.get("/api/data", &[]).status, 503);
}
