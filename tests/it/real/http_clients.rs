//! What denied clients are told, read by libraries that others use: one for the API of GitHub, a parser of header fields,
//! and the HTTP client of most programs in Python.

use std::process::Command;

use serde_json::{Value, json};

use super::envoy::program;
use crate::support::process::Options;

/// What a script of JavaScript prints that gets the URL of a server, beside the packages of `tests/setup.sh`.
fn node(script: &str, url: &str) -> Value {
    let mut command = Command::new("node");
    command.current_dir(program("node-clients")).env("URL", url);
    printed(command.args(["--input-type=module", "-e", script]))
}

fn printed(command: &mut Command) -> Value {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&said).expect("JSON")
}

fn options() -> Options {
    Options::default().set("store.url", "memory:")
}

/// Asks until it is denied once, and lets the throttling plugin retry once.
const OCTOKIT: &str = r#"
import { Octokit } from "@octokit/core";
import { throttling } from "@octokit/plugin-throttling";

const statuses = [], waits = [], secondary = [], told = [];
const counted = async (...request) => {
  const response = await fetch(...request);
  statuses.push(response.status);
  if (response.status === 429) told.push(Number(response.headers.get("retry-after")));
  return response;
};
const note = (list) => (wait, options, octokit, retries) => {
  list.push(wait);
  return retries < 1;
};
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const octokit = new (Octokit.plugin(throttling))({
  baseUrl: process.env.URL,
  request: { fetch: counted },
  log: silent,
  throttle: { onRateLimit: note(waits), onSecondaryRateLimit: note(secondary) },
});
while (!statuses.includes(429)) {
  await octokit.request("GET /api/data", { headers: { accept: "application/json" } }).catch(() => {});
}
console.log(JSON.stringify({ after: statuses.slice(statuses.indexOf(429)), waits, secondary, told }));
"#;

#[test]
#[ignore = "make test-real"]
fn the_throttling_plugin_of_octokit_waits_for_an_epoch_and_is_admitted() {
    let options = options().set("headers.send", "x-ratelimit");
    let options = options.set("headers.x_ratelimit_reset", "epoch");
    let tollgate = options.set("policies.default.quota", "1/2 seconds").serve();
    let seen = node(OCTOKIT, tollgate.url());
    assert_eq!(seen["after"], json!([429, 200]), "{seen}");
    let wait = seen["waits"][0].as_u64().expect("a wait");
    assert!(wait > seen["told"][0].as_u64().expect("Retry-After"), "it adds a second: {seen}");
}

/// It takes them for a second of 1970. That is why there is the other form.
#[test]
#[ignore = "make test-real"]
fn the_throttling_plugin_of_octokit_takes_seconds_for_the_past_and_retries_at_once() {
    let options = options().set("headers.send", "x-ratelimit");
    let tollgate = options.set("policies.default.quota", "1/52 weeks").serve();
    let seen = node(OCTOKIT, tollgate.url());
    assert_eq!((&seen["after"], &seen["waits"][0]), (&json!([429, 429]), &json!(0)), "{seen}");
}

/// Where the message of the body says "secondary rate", it goes by Retry-After.
#[test]
#[ignore = "make test-real"]
fn the_throttling_plugin_of_octokit_waits_for_retry_after_and_is_admitted() {
    let json = r#"{"message":"You have exceeded a secondary rate limit: {policy}"}"#;
    let options = options().set("refusals.json", json).set("headers.send", "draft-11,draft-6");
    let tollgate = options.set("policies.default.quota", "1/2 seconds").serve();
    let seen = node(OCTOKIT, tollgate.url());
    assert_eq!(seen["after"], json!([429, 200]), "{seen}");
    assert_eq!((&seen["waits"], &seen["secondary"]), (&json!([]), &seen["told"]), "{seen}");
}

#[test]
#[ignore = "make test-real"]
fn a_parser_of_header_fields_reads_every_older_format() {
    let script = r#"
import { parseRateLimit } from "ratelimit-header-parser";

const response = await fetch(process.env.URL + "/api/data");
const { limit, used, remaining, reset } = parseRateLimit(response.headers);
console.log(JSON.stringify({ limit, used, remaining, wait: (reset - Date.now()) / 1000 }));
"#;
    for (send, reset) in [
        ("draft-7", "seconds"),
        ("draft-6", "seconds"),
        ("x-ratelimit", "seconds"),
        ("x-ratelimit", "epoch"),
        ("draft-7,draft-6,x-ratelimit", "epoch"),
    ] {
        let options = options().set("headers.send", send).set("headers.x_ratelimit_reset", reset);
        let tollgate = options.set("policies.default.quota", "10/52 weeks").serve();
        let seen = node(script, tollgate.url());
        let counts = ["limit", "used", "remaining"].map(|name| &seen[name]);
        assert_eq!(counts, [&json!(10), &json!(1), &json!(9)], "{send} {reset}: {seen}");
        let wait = seen["wait"].as_f64().expect("a wait");
        assert!((0.0..=31_449_601.0).contains(&wait), "{send} {reset}: {seen}");
    }
    // It does not know draft 11: its numbers are NaN, which JSON has not.
    let tollgate = options().serve();
    assert_eq!(node(script, tollgate.url())["limit"], Value::Null);
}

#[test]
#[ignore = "make test-real"]
fn requests_for_python_waits_for_retry_after_and_is_admitted() {
    let script = r#"
import json, os
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(total=3, backoff_factor=0)))
history = ()
while not history:
    response = session.get(os.environ["URL"] + "/api/data")
    history = response.raw.retries.history
print(json.dumps({"denied": [it.status for it in history], "status": response.status_code}))
"#;
    for jitter in ["0%", "50%"] {
        let options = options().set("headers.retry_jitter", jitter);
        let tollgate = options.set("policies.default.quota", "1/2 seconds").serve();
        let mut command = Command::new(program("python-clients/bin/python"));
        let seen = printed(command.args(["-c", script]).env("URL", tollgate.url()));
        assert_eq!(seen, json!({ "denied": [429], "status": 200 }), "{jitter}");
    }
}
