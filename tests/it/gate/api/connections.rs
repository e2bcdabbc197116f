//! What a caller may take of the gate: time and connections, by settings of its own.

use std::collections::VecDeque;

use super::*;
use crate::support::threads::until;

const HEAD: &str = "POST /v1/check HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n";

/// A process whose gate has these settings.
fn with(settings: &[(&str, &str)]) -> Stand {
    let options = Options::default().set("store.url", "memory:");
    let set = |options: Options, (name, value): &(&str, &str)| {
        options.set(&format!("gate.{name}"), value)
    };
    Stand::of(settings.iter().fold(options, set))
}

/// How often this setting acted on the gate.
fn acted(stand: &Stand, setting: &str) -> u64 {
    stand.metric(&format!(
        "tollgate_connection_limits_total{{listener=\"gate\",setting=\"{setting}\"}}"
    ))
}

#[test]
fn a_head_must_come_in_time() {
    let stand = with(&[("header_timeout_ms", "200")]);
    let mut client = stand.dial();
    client.say(HEAD);
    assert_eq!(client.answer().status, 408);
    client.ends();
    stand.dial().ends();
    assert_eq!(acted(&stand, "header_timeout_ms"), 2);
}

#[test]
fn a_body_must_come_in_time() {
    let stand = with(&[("body_timeout_ms", "200")]);
    let mut client = stand.dial();
    let answer = client.ask(format!("{HEAD}content-length: 100\r\n\r\n{{"));
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    assert!(answer.body.contains("The body did not arrive whole."), "{}", answer.body);
    client.ends();
    assert_eq!(acted(&stand, "body_timeout_ms"), 1);
}

#[test]
fn an_idle_connection_is_closed() {
    let stand = with(&[("keep_alive_ms", "200")]);
    let mut client = stand.dial();
    assert_eq!(client.ask("GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n").status, 200);
    client.ends();
    assert_eq!(acted(&stand, "keep_alive_ms"), 1);
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    const IDLE: u64 = 10_000;
    const ACCEPTED: &str = "tollgate_connections_accepted_total{listener=\"gate\"}";
    let stand = with(&[("max_connections", "50")]);
    let mut idle = VecDeque::new();
    for number in 0..IDLE {
        let mut client = stand.dial();
        client.say("POST /v1/check HTTP/1.1\r\n");
        idle.push_back(client);
        if idle.len() > 500 {
            idle.pop_front();
        }
        if number % 1_000 == 999 {
            let question = json!({ "path": "/api/data", "user": number.to_string() });
            // Connections that still queue would come after the one that asks, and close it.
            let dialled = number + 1 + number / 1_000;
            until("all are accepted", || stand.metric(ACCEPTED) >= dialled);
            // Over a connection of its own: one that idles may be the next that makes room.
            let answer = stand.ask_anew("/v1/check", &question);
            assert_eq!(answer["policies"][0]["remaining"], 9, "the count is intact");
        }
    }
    assert!(stand.metric("tollgate_connections{listener=\"gate\"}") <= 50 + 64);
    assert!(acted(&stand, "max_connections") > 0);
    // The app has connections of its own.
    assert_eq!(stand.tollgate.get("/api/data", &[]).status, 200);
}
