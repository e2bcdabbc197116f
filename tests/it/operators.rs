//! The commands of operators and the API that they ask: what they do, and who may not ask.

mod attacks;
mod explain;
mod overview;
mod page;
mod unix_socket;

use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Finished, Options, Tollgate};
use crate::support::redis::Server;

/// A process, and where its operators ask.
struct Served {
    tollgate: Tollgate,
    listen: String,
    operator: Client,
}

impl Served {
    fn by(options: Options) -> Self {
        Self::of(options.set("policies.default.quota", "2/52 weeks"))
    }

    fn of(options: Options) -> Self {
        let listen = format!("127.0.0.1:{}", port::free());
        let tollgate = options.set("admin.listen", &listen).serve();
        let operator = Client::of(format!("http://{listen}"));
        Self { tollgate, listen, operator }
    }

    /// Runs a command of an operator.
    fn run(&self, arguments: &[&str]) -> Finished {
        Options::default().set("admin.listen", &self.listen).env("USER", "ann").run(arguments)
    }

    /// What a command prints that succeeds.
    fn output(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert_eq!(finished.status.code(), Some(0), "{arguments:?}: {}", finished.stderr);
        finished.stdout
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.output(&[arguments, &["--json"]].concat());
        serde_json::from_str(&output).expect("JSON")
    }

    /// What a command says that fails.
    fn error(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert_eq!((finished.status.code(), &*finished.stdout), (Some(1), ""), "{arguments:?}");
        finished.stderr
    }

    fn status(&self) -> u16 {
        self.tollgate.get("/api/data", &[]).status
    }
}

#[test]
fn a_client_that_is_locked_out_is_found_and_freed() {
    let redis = Server::start();
    for url in ["memory:".to_owned(), redis.url()] {
        let served = Served::by(Options::default().set("store.url", &url));
        assert_eq!([(); 3].map(|()| served.status()), [200, 200, 429]);
        let text = served.output(&["peek", "ip:127.0.0.1"]);
        assert!(text.contains("default: 2/52 weeks from the policy: 2 used, 0 left"), "{text}");
        assert!(served.output(&["peek", "127.0.0.1"]).starts_with("ip:127.0.0.1\n"));
        let stands = served.json(&["peek", "ip:127.0.0.1", "--policy", "default"]);
        assert_eq!(stands["policies"][0]["used"], 2);
        assert!(stands["policies"][0]["retry_after_ms"].is_u64());
        let text = served.output(&["reset", "ip:127.0.0.1", "--why", "a mistake"]);
        assert!(text.contains("2 used, 0 left"), "what was there before: {text}");
        assert_eq!(served.status(), 200);
        let audit = served.output(&["audit"]);
        let line = " reset ip:127.0.0.1 by ann: 0 of 10/minute under auth-failures, 2 of 2/52 weeks under \
                    default -> whole quotas (a mistake)\n";
        assert!(audit.ends_with(line), "{audit}");
    }
}

#[test]
fn a_ban_and_a_boost_answer_what_was_there_and_until_when_they_hold() {
    let served = Served::by(Options::default().set("store.url", "memory:"));
    let ban = ["ban", "ip:127.0.0.1", "--for", "1h", "--why", "brute force"];
    let changed = served.json(&ban);
    assert_eq!(changed["before"], Value::Null);
    assert_eq!(changed["after"]["ends_after_ms"], 3_600_000);
    let refused = served.tollgate.get("/api/status", &[]);
    assert_eq!((refused.status, refused.header("retry-after")), (403, Some("3600")));
    let body: Value = serde_json::from_str(&refused.body).expect("JSON");
    assert_eq!(body["type"], "urn:tollgate:problem:client-banned");
    assert!(!refused.body.contains("brute"), "why is for operators");
    assert!(served.output(&["list"]).starts_with("ban ip:127.0.0.1 for "));
    let text = served.output(&["unban", "ip:127.0.0.1"]);
    assert!(text.starts_with("Now: nothing\nBefore: ban ip:127.0.0.1 for "), "{text}");

    assert_eq!([(); 3].map(|()| served.status()), [200, 200, 429]);
    served.output(&["boost", "ip:127.0.0.1", "--quota", "4/52 weeks", "--for", "1day"]);
    assert_eq!([(); 3].map(|()| served.status()), [200, 200, 429]);
    let stands = served.json(&["peek", "ip:127.0.0.1", "--policy", "default"]);
    assert_eq!(stands["policies"][0]["from"], "boost");
    assert_eq!(stands["overrides"][0]["effect"], "boost");
    served.output(&["unboost", "ip:127.0.0.1"]);
    served.output(&["disable", "default", "--for", "10m"]);
    assert_eq!([(); 3].map(|()| served.status()), [200; 3]);
    served.output(&["enable", "default"]);
    assert_eq!(served.status(), 429);
    let list = served.output(&["list"]);
    assert_eq!(list, "No client is banned or boosted, and no policy is switched off.\n");
}

#[test]
fn what_may_not_be_meant_wants_a_confirmation() {
    let served = Served::by(
        Options::default()
            .set("store.url", "memory:")
            .set("client_ip.trusted_proxies", "10.0.0.0/8")
            .set("policies.other.quota", "9/day")
            .set("routes.\"/api/data\".policies", "default,other"),
    );
    for (arguments, reason) in [
        (&["ban", "global", "--for", "1h"][..], "Many clients share this key."),
        (&["ban", "ip:10.1.2.3", "--for", "1h"], "This is the address of a trusted proxy"),
    ] {
        let error = served.error(arguments);
        assert!(error.contains(reason) && error.contains("--yes does it"), "{error}");
        served.output(&[arguments, &["--yes"]].concat());
    }
    assert_eq!(served.status(), 200);
    let error = served.error(&["reset", "ip:127.0.0.1"]);
    assert!(error.contains("This resets 2 policies: default, other."), "{error}");
    served.output(&["reset", "ip:127.0.0.1", "--yes"]);
    served.output(&["reset", "ip:127.0.0.1"]);
}

#[test]
fn a_mistake_is_a_sentence_and_changes_nothing() {
    let served = Served::by(Options::default().set("store.url", "memory:"));
    for (arguments, sentence) in [
        (&["peek", "nobody"][..], "\"nobody\" names no client: expected one as in ip:203.0.113.7"),
        (&["peek", "user:1", "--policy", "none"], "There is no policy \"none\"."),
        (&["ban", "user:1", "--for", "soon"], "for: expected a length of time, as in 30s"),
        (&["ban", "user:1", "--for", "2years"], "It may last for 1 ms to 366 days."),
        (
            &["boost", "user:1", "--quota", "lots", "--for", "1h"],
            "quota: expected units per window",
        ),
        (&["enable", "none"], "There is no policy \"none\"."),
        (
            &["ban", "user:1", "--for", "1h", "--why", "two\nlines"],
            "none of them a control character",
        ),
    ] {
        let error = served.error(arguments);
        assert!(
            error.starts_with("tollgate: ") && error.contains(sentence),
            "{arguments:?}: {error}"
        );
    }
    assert!(served.output(&["list"]).starts_with("No client"));
    assert_eq!(served.output(&["audit"]), "Nothing was changed in the last 30 days.\n");
    for arguments in
        [&["ban"][..], &["ban", "user:1"], &["peek"], &["boost", "user:1", "--for", "1h"]]
    {
        assert_eq!(served.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let finished = Options::default().run(&["list"]);
    assert!(
        finished.stderr.contains("has no operators' listener: set admin.listen"),
        "{}",
        finished.stderr
    );
    let nobody = format!("127.0.0.1:{}", port::free());
    let finished = Options::default().set("admin.listen", &nobody).run(&["list"]);
    assert!(
        finished.stderr.contains(&format!("no process answers at {nobody}")),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_store_that_is_away_is_told_and_nothing_is_shown_as_allowed() {
    let mut redis = Server::start();
    let served = Served::by(Options::default().set("store.url", &redis.url()));
    served.output(&["ban", "user:1", "--for", "1h"]);
    redis.kill();
    crate::support::threads::until("Redis is given up", || {
        served.status();
        served.output(&["peek", "user:2"]).contains("the store could not be asked")
    });
    let error = served.error(&["ban", "user:2", "--for", "1h"]);
    assert!(error.contains("so that nothing was changed"), "{error}");
    let list = served.output(&["list"]);
    assert!(
        list.starts_with("The store could not be asked") && list.contains("ban user:1"),
        "{list}"
    );
}

#[test]
fn every_command_has_its_help() {
    for command in [
        "peek", "reset", "ban", "unban", "boost", "unboost", "disable", "enable", "list", "audit",
        "reload", "top",
    ] {
        let finished = Options::default().run(&[command, "--help"]);
        assert_eq!(finished.status.code(), Some(0));
        assert!(finished.stdout.contains("Usage: tollgate ") && finished.stdout.contains("--json"));
    }
}

#[test]
fn the_policies_are_told_with_what_was_decided_and_how_the_store_stands() {
    let mut redis = Server::start();
    let served = Served::by(
        Options::default()
            .set("store.url", &redis.url())
            .set("store.deny_cache_ms", "50")
            .set("policies.default.candidate", "1/52 weeks")
            .set("policies.spare.quota", "5/minute")
            .set("policies.spare.enforce", "10%")
            .set("policies.tried.quota", "5/minute")
            .set("policies.tried.mode", "shadow"),
    );
    assert_eq!([(); 3].map(|()| served.status()), [200, 200, 429]);
    served.output(&["disable", "spare", "--for", "1h"]);
    let answer = || -> Value {
        let response = served.operator.get("/v1/policies", &[]);
        assert_eq!(response.status, 200, "{}", response.body);
        serde_json::from_str(&response.body).expect("JSON")
    };
    let told = answer();
    assert_eq!(told["generation"], 1);
    assert_eq!(
        told["store"],
        json!({ "kind": "redis", "is_up": true, "down_for_ms": null, "cause": null })
    );
    let policies = told["policies"].as_array().expect("policies");
    let names: Vec<_> = policies.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["default", "spare", "tried"], "nobody sent wrong credentials");
    let [default, spare, tried] = &policies[..] else { panic!("{policies:?}") };
    assert_eq!(
        (&default["mode"], &default["candidate"]),
        (&json!("enforce"), &json!("1/52 weeks"))
    );
    for (what, count) in
        [("admitted", 2), ("denied", 1), ("candidate_would_deny", 1), ("shadow_would_deny", 0)]
    {
        assert_eq!(default["counts"][what], count, "{what} of {default}");
    }
    assert_eq!(
        (&spare["mode"], &spare["share"], &spare["is_switched_off"]),
        (&json!("enforce"), &json!("10%"), &json!(true))
    );
    assert_eq!((&tried["mode"], &tried["is_switched_off"]), (&json!("shadow"), &json!(false)));
    redis.kill();
    crate::support::threads::until("the store is told to be down", || {
        served.status();
        let store = answer()["store"].clone();
        store["is_up"] == false && store["down_for_ms"].is_u64() && store["cause"].is_string()
    });
}

#[test]
fn a_reload_is_made_on_demand_and_says_what_changed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("main.toml");
    std::fs::write(&path, "[headers]\ncors_expose = false\n").expect("a configuration");
    let listen = format!("127.0.0.1:{}", port::free());
    let options = || {
        let path = path.to_str().expect("a path of text");
        Options::default().flag("--config", path).set("admin.listen", &listen)
    };
    let _tollgate = options().set("store.url", "memory:").serve();
    let finished = options().run(&["reload"]);
    assert_eq!(finished.stdout, "Generation 2 is in force.\n", "{}", finished.stderr);
    let finished = options().run(&["reload", "--json"]);
    let report: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert_eq!(report, json!({ "generation": 3, "changes": [], "errors": [] }));
}

#[test]
fn a_process_is_alive_whatever_its_store_does() {
    let mut redis = Server::start();
    let served = Served::by(
        Options::default()
            .set("store.url", &redis.url())
            .set("policies.default.on_store_failure", "deny"),
    );
    redis.kill();
    let response = served.operator.get("/healthz", &[]);
    assert_eq!((response.status, &*response.body), (200, r#"{"status":"alive"}"#));
}
