//! `tollgate check`: its exit codes, and what it prints for people and for programs.

use serde_json::Value;

use crate::support::process::{Finished, Options};

const GOOD: &str = "[policies.default]\nquota = \"10/minute\"\n";
const DOUBTFUL: &str = "[policies.burst]\nquota = \"10/minute\"\n[policies.hourly]\nquota = \"1000/hour\"\n\
                        [routes.\"/x\"]\npolicies = [\"burst\", \"hourly\"]\n";
const BAD: &str = "[policies.default]\n\nquota = \"often\"\n";

fn check(text: &str, arguments: &[&str]) -> Finished {
    let arguments = [&["check"], arguments].concat();
    Options::default().config(text).run(&arguments)
}

#[test]
fn the_exit_code_says_whether_the_configuration_is_valid() {
    for (text, arguments, code) in [
        (GOOD, &[][..], 0),
        (GOOD, &["--strict"], 0),
        (DOUBTFUL, &[], 0),
        (DOUBTFUL, &["--strict"], 1),
        (DOUBTFUL, &["--strict", "--json"], 1),
        (BAD, &[], 78),
        (BAD, &["--json"], 78),
        (GOOD, &["--nonsense"], 2),
    ] {
        let finished = check(text, arguments);
        assert_eq!(finished.status.code(), Some(code), "{arguments:?}: {finished:?}");
        assert_eq!(finished.stderr.is_empty(), code == 0, "{arguments:?}: {finished:?}");
    }
}

#[test]
fn people_read_the_place_the_reason_and_the_better_line() {
    let finished = check(DOUBTFUL, &[]);
    assert_eq!(
        finished.stdout,
        "config.toml:4: policies.hourly.quota (quota-unreachable)\n  \
         The policy \"hourly\" (1000/hour by fixed-window) never denies a request that \"burst\" (10/minute by \
         fixed-window) admits. The latter lets at most 600 units into its count, which has room for 1000.\n  \
         better: policies.hourly.quota = \"300/hour\"\n\
         The configuration is valid, with 1 finding.\n"
    );
    assert_eq!(check(GOOD, &[]).stdout, "The configuration is valid.\n");
}

#[test]
fn programs_read_the_same_and_a_mistake_has_its_line() {
    let report: Value = serde_json::from_str(&check(DOUBTFUL, &["--json"]).stdout).expect("JSON");
    assert_eq!(report["valid"], true);
    let finding = &report["findings"][0];
    assert_eq!((&finding["code"], &finding["line"]), (&"quota-unreachable".into(), &4.into()));
    assert_eq!(finding["option"], "policies.hourly.quota");
    assert!(
        finding["file"].as_str().is_some_and(|file| file.ends_with("config.toml")),
        "{finding}"
    );

    let finished = check(BAD, &["--json"]);
    let report: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert_eq!(report["valid"], false);
    let error = report["errors"][0].as_str().expect("an error");
    assert!(error.ends_with("config.toml:3)"), "{error}");
    assert!(finished.stderr.contains(error), "{}", finished.stderr);
}

#[test]
fn no_store_and_no_process_is_asked_and_no_secret_is_shown() {
    let text = "[store]\nurl = \"redis://:hunter2@203.0.113.1:1/0\"\n[routes.\"/login\"]\npolicies = [\"default\"]\n";
    let finished = check(text, &["--json"]);
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    assert!(finished.stdout.contains("login-window-edge"), "{}", finished.stdout);
    assert!(!finished.stdout.contains("hunter2"), "{}", finished.stdout);
}
