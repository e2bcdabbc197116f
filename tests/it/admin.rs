//! The operators' listener: whether requests are decided, and the state of Redis.

use serde_json::{Value, json};

use crate::support::http::{Client, Response};
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

/// The command over the Redis at `url`, and who asks as its operator.
fn serve(url: &str, rule: &str) -> (Tollgate, Client) {
    let listen = format!("127.0.0.1:{}", port::free());
    let tollgate = Options::default()
        .set("store.url", url)
        .set("admin.listen", &listen)
        .set("policies.default.on_store_failure", rule)
        .set("policies.default.quota", "1000/hour")
        .serve();
    (tollgate, Client::of(format!("http://{listen}")))
}

fn readiness(operator: &Client) -> (u16, Value) {
    let response = operator.get("/ready", &[]);
    (response.status, body(&response))
}

fn body(response: &Response) -> Value {
    assert_eq!(response.header("content-type"), Some("application/json"));
    serde_json::from_str(&response.body).expect("JSON")
}

/// The value of a metric.
fn metric(operator: &Client, name: &str) -> f64 {
    let response = operator.get("/metrics", &[]);
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((response.status, response.header("content-type")), (200, Some(media_type)));
    let text = response.body;
    assert!(text.ends_with("# EOF\n"), "{text}");
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
}

/// Asks until Redis is given up.
fn break_down(server: &mut Server, tollgate: &Tollgate, operator: &Client) {
    server.kill();
    until("Redis is given up", || {
        tollgate.get("/api/data", &[]);
        metric(operator, "tollgate_store_up") == 0.0
    });
}

#[test]
fn a_process_that_decides_without_redis_is_ready_and_says_that_it_is_down() {
    let mut server = Server::start();
    let (tollgate, operator) = serve(&server.url(), "local");
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    assert_eq!(readiness(&operator), (200, json!({ "status": "ready", "store": "up" })));
    assert_eq!(metric(&operator, "tollgate_store_outages_total"), 0.0);

    break_down(&mut server, &tollgate, &operator);
    let (status, body) = readiness(&operator);
    assert_eq!((status, &body["status"], &body["store"]), (200, &json!("ready"), &json!("down")));
    assert!(body["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{body}");
    assert_eq!(metric(&operator, "tollgate_store_outages_total"), 1.0);
    assert!(metric(&operator, "tollgate_store_down_seconds") >= 0.0);
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    assert!(metric(&operator, "tollgate_store_unanswered_total") >= 1.0);

    server.restart();
    until("Redis is taken up", || readiness(&operator).1["store"] == "up");
    until("what is owed is charged", || {
        metric(&operator, "tollgate_store_charged_back_units_total") >= 1.0
    });
    assert_eq!(metric(&operator, "tollgate_store_outages_total"), 1.0);
}

#[test]
fn a_process_that_refuses_without_redis_is_not_ready_meanwhile() {
    let mut server = Server::start();
    let (tollgate, operator) = serve(&server.url(), "deny");
    assert_eq!(readiness(&operator).0, 200);
    break_down(&mut server, &tollgate, &operator);
    let (status, body) = readiness(&operator);
    assert_eq!((status, &body["status"]), (503, &json!("refusing")));
    assert_eq!(tollgate.get("/api/data", &[]).status, 503);
}

#[test]
fn where_this_process_counts_it_is_ready_and_tells_of_its_memory() {
    let (tollgate, operator) = serve("memory:", "local");
    assert_eq!(readiness(&operator), (200, json!({ "status": "ready", "store": "up" })));
    assert_eq!(metric(&operator, "tollgate_memory_keys"), 0.0);
    tollgate.get("/api/data", &[]);
    assert_eq!(metric(&operator, "tollgate_memory_keys"), 1.0);
    assert_eq!(metric(&operator, "tollgate_memory_policy_keys{policy=\"default\"}"), 1.0);
    assert_eq!(metric(&operator, "tollgate_memory_max_keys"), 1_000_000.0);
    assert!(!operator.get("/metrics", &[]).body.contains("tollgate_store"), "there is no Redis");
}

#[test]
fn clients_do_not_reach_it_and_it_is_read_alone() {
    let (tollgate, operator) = serve("memory:", "local");
    for path in ["/ready", "/metrics"] {
        assert_eq!(tollgate.get(path, &[]).status, 404);
        assert_eq!(operator.request("HEAD", path, &[]).status, 200);
        assert_eq!(operator.request("POST", path, &[]).status, 405);
    }
    assert_eq!(operator.get("/api/data", &[]).status, 404);
}

#[test]
fn an_address_that_is_taken_is_said_before_anything_is_served() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let ended = Options::default()
        .set("store.url", "memory:")
        .set("admin.listen", &address)
        .run(&["serve", "--set", "server.listen=127.0.0.1:0"]);
    assert_eq!(ended.status.code(), Some(1));
    let said = format!("tollgate: cannot listen on {address}: ");
    assert!(ended.stderr.lines().any(|line| line.starts_with(&said)), "{}", ended.stderr);
}

#[test]
fn decisions_are_counted_by_route_policy_and_who_decided() {
    let redis = Server::start();
    let listen = format!("127.0.0.1:{}", port::free());
    let tollgate = Options::default()
        .set("store.url", &redis.url())
        .set("admin.listen", &listen)
        .set("policies.default.quota", "3/52 weeks")
        .set("policies.unused.quota", "3/day")
        .serve();
    let operator = Client::of(format!("http://{listen}"));
    let statuses: Vec<u16> = (0..5).map(|_| tollgate.get("/api/data", &[]).status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    tollgate.get("/api/status", &[]);
    tollgate.get("/nowhere", &[]);
    for (name, expected) in [
        (r#"requests_total{door="actix",route="/api/data",outcome="admitted"}"#, 3.0),
        (r#"requests_total{door="actix",route="/api/data",outcome="denied"}"#, 2.0),
        (r#"requests_total{door="actix",route="/api/status",outcome="unlimited"}"#, 1.0),
        (r#"requests_total{door="actix",route="none",outcome="unlimited"}"#, 1.0),
        (r#"policy_decisions_total{policy="default",outcome="admitted"}"#, 3.0),
        (r#"policy_decisions_total{policy="default",outcome="denied"}"#, 2.0),
        // The answer to the last admitted request tells that the next one is denied.
        (r#"decisions_total{by="store"}"#, 3.0),
        (r#"decisions_total{by="deny_cache"}"#, 2.0),
        (r#"decisions_total{by="limiter"}"#, 2.0),
        ("decision_wait_seconds_count", 3.0),
        (r#"policy_unmet{policy="default"}"#, 0.0),
        (r#"policy_unmet{policy="unused"}"#, 1.0),
        (r#"policy_near_limit_total{policy="default"}"#, 0.0),
        ("store_coalesced_total", 0.0),
        ("store_waiting_requests", 0.0),
    ] {
        assert_eq!(metric(&operator, &format!("tollgate_{name}")), expected, "{name}");
    }
    assert!(metric(&operator, "tollgate_store_call_duration_seconds_count") >= 3.0);
    assert!(metric(&operator, "tollgate_store_pool_connections") >= 1.0);
    redis.tell(&["SCRIPT", "FLUSH"]);
    redis.tell(&["FLUSHALL"]);
    until("the script was sent again", || {
        tollgate.get("/api/data", &[]);
        metric(&operator, "tollgate_store_unknown_scripts_total") >= 1.0
    });
}

#[test]
fn a_key_that_takes_most_of_a_policys_requests_is_told_without_its_name() {
    let listen = format!("127.0.0.1:{}", port::free());
    let tollgate = Options::default()
        .set("store.url", "memory:")
        .set("admin.listen", &listen)
        .set("policies.default.key", "header:x-client")
        .serve();
    let operator = Client::of(format!("http://{listen}"));
    let ask = |client: &str, times| {
        (0..times)
            .for_each(|_| drop(tollgate.get("/api/data", &[("x-client", client.as_bytes())])));
    };
    let part = || metric(&operator, r#"tollgate_policy_busiest_key_ratio{policy="default"}"#);
    ask("ann", 90);
    assert_eq!(part(), 0.0, "few requests say nothing");
    ask("bob", 30);
    assert_eq!(part(), 0.75);
    assert!(!operator.get("/metrics", &[]).body.contains("x-client"));
}
