//! `tollgate explain`: what would happen to a request, and where each number was set.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::Served;
use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::threads::until;

const CONFIG: &str = r#"[access]
block = ["203.0.113.66"]
[policies.default]
quota = "3/52 weeks"
[policies.orders]
quota = "5/52 weeks"
key = "user"
plans = { pro = "7/52 weeks" }
[policies.orders.users]
ann = "9/52 weeks"
[policies.tried]
quota = "1/52 weeks"
mode = "shadow"
[policies.tenant]
quota = "6/52 weeks"
key = "header:X-Tenant"
[routes."GET /api/data"]
policies = ["default", "orders", "tried", "tenant"]
[routes."POST /login"]
policies = ["default"]
[auth.keys]
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = { user = "bob", plan = "pro" }
"#;

/// A process that serves by a file, and the directory of the file.
fn served(url: &str) -> (Served, TempDir) {
    let directory = TempDir::with_prefix("tollgate-explain-").expect("a directory");
    let path = directory.path().join("limits.toml");
    fs::write(&path, CONFIG).expect("a configuration");
    let options = Options::default().set("store.url", url);
    (Served::of(options.flag("--config", path.to_str().expect("text"))), directory)
}

/// The policy of this name in an explanation.
fn policy<'a>(explanation: &'a Value, name: &str) -> &'a Value {
    let policies = explanation["policies"].as_array().expect("a list");
    policies.iter().find(|it| it["policy"] == name).expect(name)
}

#[test]
fn each_number_has_its_place_and_nothing_is_charged() {
    let redis = Server::start();
    for url in ["memory:", &redis.url()] {
        let (served, directory) = served(url);
        let place = |line: u32| format!("{}/limits.toml:{line}", directory.path().display());
        assert_eq!(served.status(), 200);
        for _ in 0..3 {
            let text =
                served.output(&["explain", "get", "/api/d%61ta?page=2", "--ip", "127.0.0.1"]);
            let [at_route, at_quota] = [place(18), place(4)];
            assert!(text.starts_with("GET /api/data of ip 127.0.0.1, by generation 1"), "{text}");
            assert!(text.contains("\nadmitted: Every policy in force has enough"), "{text}");
            assert!(
                text.contains(&format!("\nroute GET /api/data ({at_route}), cost 1")),
                "{text}"
            );
            let line = format!(
                "\npolicy default: 3/52 weeks from the policy ({at_quota}) for ip:127.0.0.1: 1 used, 2 left, "
            );
            assert!(text.contains(&line), "{text}");
            assert!(text.contains("\nunmet policy auth-failures: It counts wrong"), "{text}");
        }
        let of = |arguments: &[&str]| {
            served
                .json(&[&["explain", "GET", "/api/data", "--ip", "127.0.0.1"], arguments].concat())
        };
        let from = |arguments: &[&str], name| {
            let explanation = of(arguments);
            let it = policy(&explanation, name);
            ["from", "quota", "key", "place"]
                .map(|field| it[field].as_str().expect(field).to_owned())
        };
        let expected =
            |from, quota, key: &str, line| [from, quota, key, &*place(line)].map(str::to_owned);
        assert_eq!(from(&[], "orders"), expected("policy", "5/52 weeks", "user", 6));
        assert_eq!(
            from(&["--user", "cid", "--plan", "pro"], "orders"),
            expected("plan", "7/52 weeks", "user:cid", 8)
        );
        let by_key = from(&["--user", "bob"], "orders");
        assert_eq!(by_key, expected("plan", "7/52 weeks", "user:bob", 8), "the plan of the key");
        assert_eq!(
            from(&["--user", "ann"], "orders"),
            expected("user", "9/52 weeks", "user:ann", 10)
        );
        assert_eq!(
            from(&["--header", "X-Tenant: acme"], "tenant"),
            expected("policy", "6/52 weeks", "header:x-tenant:acme", 15)
        );
        let tried = &of(&[])["policies"][2];
        assert_eq!((&tried["role"], &tried["used"]), (&"shadow".into(), &1.into()), "{tried}");
        assert!(tried["why"].as_str().is_some_and(|why| why.contains(&place(13))), "{tried}");
    }
}

#[test]
fn the_reason_of_a_refusal_is_told() {
    let (served, _directory) = served("memory:");
    let verdict = |path, ip| {
        let explanation = served.json(&["explain", "GET", path, "--ip", ip]);
        let text = |it: &Value| it.as_str().expect("text").to_owned();
        (text(&explanation["verdict"]), text(&explanation["why"]))
    };
    assert_eq!([(); 4].map(|()| served.status()), [200, 200, 200, 429]);
    assert_eq!(
        verdict("/api/data", "127.0.0.1"),
        ("denied".into(), "Too few units are left under default.".into())
    );
    assert_eq!(verdict("/nowhere", "127.0.0.1").0, "unlimited");
    let (blocked, why) = verdict("/api/data", "203.0.113.66");
    assert!(blocked == "blocked" && why.contains("limits.toml:2)"), "{why}");
    served.output(&["ban", "ip:127.0.0.1", "--for", "1h", "--why", "a test"]);
    assert_eq!(verdict("/nowhere", "127.0.0.1").0, "banned");
    let text = served.output(&["explain", "GET", "/api/data", "--ip", "127.0.0.1"]);
    assert!(text.contains("\nban ip:127.0.0.1 for 1h (by ann: a test)"), "{text}");
    served.output(&["disable", "default"]);
    let text = served.output(&["explain", "GET", "/api/data", "--ip", "127.0.0.1"]);
    assert!(text.contains("for ip:127.0.0.1. An operator has switched it off."), "{text}");
}

/// A comment moves the lines of a file, and changes nothing else.
#[test]
fn places_are_those_of_the_file_as_it_is() {
    let (served, directory) = served("memory:");
    let path = directory.path().join("limits.toml");
    let explained = || {
        let explanation = served.json(&["explain", "GET", "/api/data"]);
        let place = policy(&explanation, "default")["place"].as_str().expect("a place").to_owned();
        (explanation["generation"].as_u64().expect("a number"), place)
    };
    fs::write(&path, format!("# A comment.\n{CONFIG}")).expect("a configuration");
    let moved = (1, format!("{}:5", path.display()));
    until("the lines have moved", || explained() == moved);
    fs::write(&path, CONFIG.replacen("3/52 weeks", "4/52 weeks", 1)).expect("a configuration");
    let changed = (2, format!("{}:4", path.display()));
    until("the next generation serves", || explained() == changed);
}

#[test]
fn a_store_that_cannot_be_asked_is_told_instead_of_a_verdict() {
    let mut redis = Server::start();
    let (served, _directory) = served(&redis.url());
    served.output(&["explain", "GET", "/api/data"]);
    redis.kill();
    let text = served.output(&["explain", "GET", "/api/data"]);
    assert!(text.contains("\nunknown: The store could not be asked ("), "{text}");
    assert!(text.contains(": it is counted in this process until the store answers"), "{text}");
    assert!(!text.contains("admitted") && !text.contains(" left"), "{text}");
}

#[test]
fn what_describes_no_request_is_an_error() {
    let (served, _directory) = served("memory:");
    for (arguments, why) in [
        (&["explain", "GET", "data"][..], "path: expected the path of a request"),
        (&["explain", "G T", "/"], "method: expected one such as GET."),
        (&["explain", "GET", "/", "--header", "x"], "header: expected NAME:VALUE"),
    ] {
        let error = served.error(arguments);
        assert!(error.contains(why), "{error}");
    }
    let status = |query| served.operator.get(&format!("/v1/explain?{query}"), &[]).status;
    for query in ["path=/&path=/", "path=/&colour=red", "path=/&ip=x", "path=/&plan=pro", ""] {
        assert_eq!(status(query), 400, "{query}");
    }
}
