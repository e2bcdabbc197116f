//! Requests under way: a check takes a slot, and a report of the status gives it back.

use super::*;
use crate::support::threads::until;

/// Of two slots, one is kept.
const SLOTS: &str = r#"
[policies.busy]
quota = "10/52 weeks"
in_flight = 2
reserve = "50%"

[policies.short]
in_flight = 1
slot_ms = 1000

[routes."/list"]
policies = ["busy"]

[routes."/pay"]
policies = ["busy"]
uses_reserve = true
"#;

fn of_route(path: &str) -> Value {
    json!({ "path": path, "user": "ann" })
}

/// One that counts by itself, and one that counts in `redis`.
fn stands(redis: &Server) -> [Stand; 2] {
    ["memory:", &redis.url()].map(in_store)
}

fn in_store(url: &str) -> Stand {
    let options = Options::default().set("store.url", url).set("store.timeout_ms", "10000");
    Stand::with(options, SLOTS)
}

#[test]
fn a_check_holds_a_slot_until_the_end_is_reported() {
    let redis = Server::start();
    for stand in stands(&redis) {
        let first = stand.check(&of_route("/list"));
        let at_once = json!({
            "policy": "busy", "quota": 1, "unit": "concurrent-requests", "remaining": 0, "reset_after_ms": 0,
            "retry": "when-freed", "retry_after_ms": null,
        });
        assert_eq!((&first["allowed"], &first["policies"][1]), (&json!(true), &at_once));
        let denied = stand.check(&of_route("/list"));
        assert_eq!((&denied["allowed"], &denied["id"]), (&json!(false), &Value::Null));
        assert_eq!(denied["policies"][0]["remaining"], 9, "it used nothing");
        assert_eq!(
            (&denied["refusal"]["status"], &denied["headers"]["retry-after"]),
            (&json!(429), &Value::Null)
        );
        // The kept slot is for the other route, and for whoever says so.
        assert_eq!(stand.allowed(&of_route("/pay"), 2), 1);
        let by_name = json!({ "policies": ["busy"], "user": "bob", "uses_reserve": true });
        assert_eq!(stand.allowed(&by_name, 3), 2);
        let outcome = json!({ "id": first["id"], "status": 200 });
        assert_eq!(stand.ask("/v1/report", &outcome)["repeated"], false);
        assert!(stand.check(&of_route("/list"))["allowed"] == false, "the other one is under way");
        assert_eq!(stand.allowed(&of_route("/pay"), 2), 1);
        assert_eq!(stand.ask("/v1/report", &outcome)["repeated"], true);
        assert_eq!(stand.allowed(&of_route("/pay"), 1), 0, "it is given back once");
    }
}

#[test]
fn a_slot_whose_end_nobody_reports_ends_by_itself() {
    let redis = Server::start();
    for stand in stands(&redis) {
        let question = json!({ "policies": ["short"], "user": "ann" });
        assert_eq!(stand.allowed(&question, 1), 1);
        until("the slot has ended", || stand.allowed(&question, 1) == 1);
    }
}

#[test]
fn a_reserve_is_of_policies_that_are_named() {
    let stand = in_store("memory:");
    let mut question = of_route("/list");
    question["uses_reserve"] = json!(true);
    let response = stand.post("/v1/check", &question);
    assert_eq!(response.status, 400);
    let error = &parsed(&response)["errors"][0];
    assert_eq!(error["pointer"], "#/uses_reserve");
    assert!(
        error["detail"].as_str().is_some_and(|it| it.contains("expected policies beside it")),
        "{error}"
    );
}
