//! What the operators' page is told: the overview, once and as a stream.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::support::threads::until;

impl Served {
    fn overview(&self) -> Value {
        let response = self.operator.get("/v1/overview", &[]);
        assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")));
        serde_json::from_str(&response.body).expect("JSON")
    }

    /// Begins to follow. Returns the lines that come.
    fn follow(&self) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.listen).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        let request = format!("GET /v1/events HTTP/1.1\r\nhost: {}\r\n\r\n", self.listen);
        stream.write_all(request.as_bytes()).expect("it takes a request");
        BufReader::new(stream)
    }
}

fn of<'a>(overview: &'a Value, policy: &str) -> &'a Value {
    let policies = overview["policies"].as_array().expect("policies");
    policies.iter().find(|it| it["name"] == policy).expect("the policy")
}

fn sum(counts: &Value) -> u64 {
    let counts = counts.as_array().expect("counts");
    assert_eq!(counts.len(), 60, "a minute each");
    counts.iter().filter_map(Value::as_u64).sum()
}

/// The next overview of a stream.
fn next(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    stream.lines().map_while(Result::ok).find_map(|line| {
        let data = line.strip_prefix("data: ")?.to_owned();
        Some(serde_json::from_str(&data).expect("JSON"))
    })
}

#[test]
fn the_overview_has_an_hour_of_every_policy_with_its_trials_and_its_keys() {
    let redis = Server::start();
    for (kind, url) in [("memory", "memory:".to_owned()), ("redis", redis.url())] {
        let served = Served::by(
            Options::default()
                .set("store.url", &url)
                .set("policies.default.candidate", "1/52 weeks")
                .set("policies.tried.quota", "3/52 weeks")
                .set("policies.tried.mode", "shadow")
                .set("policies.idle.quota", "9/day")
                .set("routes.\"/api/data\".policies", "default,tried")
                .set("routes.\"/nowhere\".policies", "idle"),
        );
        assert_eq!(served.overview()["most_refused"], json!([]));
        assert_eq!([(); 4].map(|()| served.status()), [200, 200, 429, 429]);
        served.output(&["ban", "user:1", "--for", "1h", "--why", "a test"]);
        until("the overview is made anew", || {
            served.overview()["overrides"]["overrides"] != json!([])
        });
        let overview = served.overview();
        let default = of(&overview, "default");
        assert_eq!((sum(&default["admitted"]), sum(&default["denied"])), (2, 2));
        assert_eq!(
            (&default["hour"]["admitted"], &default["hour"]["denied"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(
            (&default["quota"], &default["candidate"]),
            (&json!("2/52 weeks"), &json!("1/52 weeks"))
        );
        assert_eq!(default["hour"]["candidate_would_deny"], 1);
        assert_eq!((&default["mode"], &default["is_met"]), (&json!("enforce"), &json!(true)));
        let tried = of(&overview, "tried");
        assert_eq!((&tried["mode"], sum(&tried["denied"])), (&json!("shadow"), 0));
        assert_eq!(of(&overview, "idle")["is_met"], false);
        let findings = overview["findings"].as_array().expect("findings");
        let found: Vec<_> = findings.iter().map(|it| (&it["code"], &it["policy"])).collect();
        assert_eq!(found, [(&json!("policy-unmet"), &json!("idle"))]);
        assert_eq!(overview["most_refused"][0]["key"], "ip:127.0.0.1");
        assert_eq!(overview["most_refused"][0]["refused"], 2);
        assert_eq!(overview["busiest"][0]["count"], 4);
        let ban = &overview["overrides"]["overrides"][0];
        assert_eq!((&ban["effect"], &ban["key"]), (&json!("ban"), &json!("user:1")));
        assert_eq!(
            (&overview["store"]["kind"], &overview["store"]["is_up"]),
            (&json!(kind), &json!(true))
        );
        assert_eq!(
            (&overview["generation"], &overview["readiness"]["status"]),
            (&json!(1), &json!("ready"))
        );
        served.output(&["unban", "user:1"]);
    }
}

#[test]
fn findings_name_one_busy_key_clients_near_a_limit_and_a_key_that_never_arrives() {
    let served = Served::by(
        Options::default()
            .set("store.url", "memory:")
            .set("policies.wide.quota", "1000000/52 weeks")
            .set("policies.tight.quota", "120/52 weeks")
            .set("policies.named.quota", "1000000/52 weeks")
            .set("policies.named.key", "header:x-api-key")
            .set("routes.\"/api/data\".policies", "wide,tight,named"),
    );
    (0..120).for_each(|_| assert_eq!(served.status(), 200));
    until("an overview is made after the last request", || {
        of(&served.overview(), "tight")["hour"]["admitted"] == 120
    });
    let overview = served.overview();
    let findings = overview["findings"].as_array().expect("findings");
    let is_found = |code: &str, policy: &str| {
        findings.iter().any(|it| it["code"] == code && it["policy"] == policy)
    };
    assert!(is_found("one-key", "wide"), "{findings:?}");
    assert!(is_found("policy-no-key", "named"), "{findings:?}");
    assert!(!is_found("policy-near-limit", "tight"), "11 of 120 are not a tenth: {findings:?}");
    assert!(!is_found("policy-near-limit", "wide"), "{findings:?}");
}

#[test]
fn a_store_that_is_away_is_said_to_be_and_for_how_long() {
    let mut redis = Server::start();
    let served = Served::by(Options::default().set("store.url", &redis.url()));
    assert_eq!(served.overview()["store"]["is_up"], true);
    redis.kill();
    until("Redis is given up", || {
        served.status();
        served.overview()["store"]["is_up"] == false
    });
    let overview = served.overview();
    assert!(overview["store"]["down_for_ms"].is_u64(), "{overview}");
    assert_eq!(overview["store"]["cause"], "unreachable");
}

#[test]
fn the_stream_sends_what_changed_and_ends_with_the_process() {
    let mut served = Served::by(Options::default().set("store.url", "memory:"));
    let mut stream = served.follow();
    assert_eq!(sum(&of(&next(&mut stream).expect("an event"), "default")["admitted"]), 0);
    assert_eq!(served.status(), 200);
    while sum(&of(&next(&mut stream).expect("an event"), "default")["admitted"]) == 0 {}
    // A page that is open does not delay the stop.
    assert!(served.tollgate.stop().success());
    let mut rest = String::new();
    let _ = stream.read_to_string(&mut rest);
    let said = served.tollgate.rest_of_stderr().join("\n");
    assert!(said.contains("Stopped.") && !said.contains("cut off"), "{said}");
}

#[test]
fn thirty_two_pages_follow_at_a_time_and_one_that_is_gone_makes_room() {
    let served = Served::by(Options::default().set("store.url", "memory:"));
    let mut streams: Vec<_> = (0..32).map(|_| served.follow()).collect();
    streams.iter_mut().for_each(|it| assert!(next(it).is_some()));
    let refused = served.operator.get("/v1/events", &[]);
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("Too many pages follow"), "{}", refused.body);
    drop(streams.pop());
    until("the page that is gone is noticed", || {
        let mut line = String::new();
        let _ = served.follow().read_line(&mut line);
        line.starts_with("HTTP/1.1 200")
    });
}
