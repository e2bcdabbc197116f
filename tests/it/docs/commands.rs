//! The commands that pages show do what is shown, and the configuration in them is accepted.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::{env, fs};

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::Value;
use tempfile::TempDir;

use super::page::{Page, Step};
use super::shown::assert_shown;

/// Commands that need more around them, by page: each has a test of its own.
const ELSEWHERE: [(&str, &str); 14] = [
    ("README.md", "make run"),
    ("README.md", "for i in $(seq 10); do curl "),
    ("README.md", "curl -i "),
    ("docs/src/start.md", "make run"),
    ("docs/src/start.md", "for i in $(seq 10); do curl "),
    ("docs/src/start.md", "curl -i "),
    ("docs/src/authentication.md", "curl -i "),
    ("docs/src/metrics.md", "tollgate serve "),
    ("docs/src/metrics.md", "curl "),
    ("docs/src/gate.md", "curl "),
    ("docs/src/redis.md", "tollgate doctor "),
    ("docs/src/redis.md", "openssl "),
    ("docs/src/redis.md", "redis-server "),
    ("docs/src/redis.md", "tollgate --set store.url=rediss://127.0.0.1:6390 "),
];

/// Findings of `tollgate check` in examples, by page: each page says what the finding says.
const FOUND: [(&str, &str); 7] = [
    // That a policy limits nothing until a route lists it.
    ("docs/src/policies.md", "policy-unused"),
    // What a plan with another window does.
    ("docs/src/plans.md", "plan-window"),
    // That only the most specific route holds.
    ("docs/src/routes.md", "route-shadows"),
    // That a policy by ip belongs beside such a key.
    ("docs/src/keys.md", "header-alone"),
    // That the counts are served at admin.listen.
    ("docs/src/rollout.md", "trial-unseen"),
    // The built-in route for /api/data stays.
    ("README.md", "route-shadows"),
    ("docs/src/leases.md", "route-shadows"),
];

/// A directory with the files that the examples name.
fn directory() -> TempDir {
    let directory = TempDir::with_prefix("tollgate-docs-").expect("a temporary directory");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let identity = rcgen::generate_simple_self_signed(["gate".to_owned()]).expect("a certificate");
    let another = format!("{} = {{ user = \"1043\" }}\n", "0".repeat(64));
    for (name, text) in [
        ("keys.toml", another),
        ("jwt.pem", key.public_key_pem()),
        ("gate.pem", identity.cert.pem()),
        ("gate.key", identity.signing_key.serialize_pem()),
        ("callers.pem", identity.cert.pem()),
        ("secret", "a secret of thirty-two bytes ...".to_owned()),
        (
            "login.toml",
            "[policies.login]\nquota = \"5/minute\"\n\n[routes.\"POST /login\"]\npolicies = [\"login\"]\n"
                .to_owned(),
        ),
        (
            "limits.yaml",
            "domain: edge\ndescriptors:\n\
             - {key: generic_key, value: login, rate_limit: {unit: minute, requests_per_unit: 10}}\n\
             - {key: tenant, quota_mode: true, rate_limit: {unit: day, requests_per_unit: 1000}}\n"
                .to_owned(),
        ),
        ("login.log", include_str!("login.log").to_owned()),
        ("next.toml", "[policies.default]\nquota = \"20/minute\"\n".to_owned()),
    ] {
        fs::write(directory.path().join(name), text).expect("a file");
    }
    directory
}

/// What a shell makes of `command` in `directory`, where `tollgate` is the built command.
pub(super) fn shell(command: &str, directory: &Path) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().expect("a directory");
    let mut path = env::var_os("PATH").expect("a path");
    path.push(":");
    path.push(binary);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(directory).env_clear().env("PATH", path);
    shell.output().expect("a shell")
}

/// What is wrong with the configuration of `command`, without a Redis to ask.
fn problems(command: &str, directory: &Path) -> String {
    let examined = format!("TOLLGATE_STORE__URL=memory: {command} doctor");
    let output = shell(&examined, directory);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{output:?}");
    said
}

fn steps() -> impl Iterator<Item = Step> {
    Page::all().into_iter().flat_map(|page| page.steps())
}

#[test]
fn commands_that_end_print_what_is_shown() {
    let is_elsewhere = |step: &Step| {
        let is = |(page, begin): (&str, &str)| {
            step.place.starts_with(page) && step.command.starts_with(begin)
        };
        ELSEWHERE.into_iter().any(is)
    };
    let mut count = 0;
    for Step { place, command, output: shown } in steps().filter(|step| !is_elsewhere(step)) {
        let Output { stdout, stderr, .. } = shell(&command, directory().path());
        println!("{place}: {command}");
        assert_shown(&shown, &String::from_utf8_lossy(&[stdout, stderr].concat()));
        count += 1;
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn what_is_set_by_commands_is_accepted() {
    let mut count = 0;
    for block in Page::all().iter().flat_map(|page| page.blocks("sh")) {
        for command in block.text.lines() {
            assert_eq!(problems(command, directory().path()), "", "{}: {command}", block.place);
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn every_file_of_configuration_is_accepted() {
    let mut count = 0;
    for block in Page::all().iter().flat_map(|page| page.blocks("toml")) {
        if block.text.starts_with("[dependencies]") {
            continue;
        }
        let directory = directory();
        fs::write(directory.path().join("config.toml"), &block.text).expect("a file");
        let mut problems_found = problems("tollgate", directory.path());
        if !problems_found.is_empty() {
            // A key may have a plan that a policy knows.
            let command = "TOLLGATE_POLICIES__DEFAULT__PLANS__PRO=1000/minute tollgate";
            problems_found = problems(command, directory.path());
        }
        assert_eq!(problems_found, "", "{}", block.place);
        count += 1;
    }
    assert!(count >= 15, "{count}");
}

#[test]
fn no_file_of_configuration_has_a_finding_that_its_page_does_not_tell() {
    let mut told = BTreeSet::new();
    for block in Page::all().iter().flat_map(|page| page.blocks("toml")) {
        if block.text.starts_with("[dependencies]") {
            continue;
        }
        let directory = directory();
        fs::write(directory.path().join("config.toml"), &block.text).expect("a file");
        let mut output = shell("tollgate check --json", directory.path());
        if !output.status.success() {
            // A key may have a plan that a policy knows.
            let command =
                "TOLLGATE_POLICIES__DEFAULT__PLANS__PRO=1000/minute tollgate check --json";
            output = shell(command, directory.path());
        }
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        for finding in report["findings"].as_array().expect("it is valid") {
            let is_told = |(page, code): &(&str, &str)| {
                block.place.starts_with(page) && finding["code"] == *code
            };
            let at = FOUND.iter().position(is_told);
            told.insert(at.unwrap_or_else(|| panic!("{}: {finding:#}", block.place)));
        }
    }
    assert_eq!(told.len(), FOUND.len(), "some page has no such finding any more");
}
