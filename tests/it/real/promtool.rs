//! What Prometheus itself says of the rules and of the dashboard's expressions.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::deploy::dashboard::expressions;
use crate::deploy::path;

/// Runs `promtool`, and asserts that it finds nothing.
fn promtool(arguments: &[&str]) {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(path("deploy/prometheus")).stdin(Stdio::null());
    let done = command.output().expect("promtool, which tests/setup.sh promtool installs");
    let [said, errors] = [&done.stdout, &done.stderr].map(|it| String::from_utf8_lossy(it));
    assert!(done.status.success(), "promtool {arguments:?}:\n{said}\n{errors}");
}

#[test]
#[ignore = "make test-real"]
fn prometheus_takes_the_rules() {
    promtool(&["check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"]);
}

#[test]
#[ignore = "make test-real"]
fn each_alert_fires_when_it_is_to() {
    promtool(&["test", "rules", "alerts_test.yml"]);
}

#[test]
#[ignore = "make test-real"]
fn prometheus_takes_the_expressions_of_the_dashboard() {
    let folder = TempDir::with_prefix("tollgate-rules-").expect("a temporary directory");
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (index, (_, expression)) in expressions().iter().enumerate() {
        // Grafana puts values there.
        let expression = expression.replace("$__rate_interval", "5m");
        let expression = serde_json::to_string(&expression).expect("text");
        writeln!(rules, "      - record: panel:{index}\n        expr: {expression}").expect("text");
    }
    let file = folder.path().join("rules.yml");
    fs::write(&file, rules).expect("a file");
    promtool(&["check", "rules", file.to_str().expect("text")]);
}
