//! `POST /v1/report`: charges after the fact, which deny nothing.

use super::*;

#[test]
fn a_report_charges_as_much_as_is_left() {
    let redis = Server::start();
    for stand in [Stand::new(), Stand::over(&redis)] {
        let mut question = json!({ "path": "/api/data", "user": "ann", "cost": 4 });
        let remaining = |answer: &Value| answer["policies"][0]["remaining"].clone();
        let answer = stand.ask("/v1/report", &question);
        assert_eq!(remaining(&answer), 6);
        assert_eq!(answer["headers"]["ratelimit-policy"], "\"default\";q=10;w=31449600");
        assert_eq!(answer["headers"].get("retry-after"), None);
        question["cost"] = json!(9);
        let answer = stand.ask("/v1/report", &question);
        assert_eq!(remaining(&answer), 0, "as far as they are left");
        assert_eq!(stand.allowed(&json!({ "path": "/api/data", "user": "ann" }), 1), 0);
    }
}

#[test]
fn a_report_costs_one_unit_unless_it_says_more() {
    let stand = Stand::new();
    let reports = json!([
        { "path": "/api/dear", "user": "ann" },
        { "policies": ["default"], "user": "ann", "cost": 2 },
        { "path": "/nowhere", "user": "ann" },
    ]);
    let answers = stand.ask("/v1/report", &reports);
    assert_eq!(answers[0]["policies"][0]["remaining"], 9, "whatever the route costs");
    assert_eq!(answers[1]["policies"][0]["remaining"], 7);
    assert_eq!(answers[2], json!({ "policies": [], "headers": {} }));
}

#[test]
fn a_client_that_passes_uncounted_is_not_charged() {
    let options = Options::default().set("store.url", "memory:");
    let stand = Stand::of(options.set("access.allow", "user:root"));
    let answer = stand.ask("/v1/report", &json!({ "path": "/api/data", "user": "root" }));
    assert_eq!(answer, json!({ "policies": [], "headers": {} }));
}

#[test]
fn a_report_is_no_dry_run() {
    let stand = Stand::new();
    let response = stand.post("/v1/report", &json!({ "path": "/api/data", "dry_run": false }));
    assert_eq!(response.status, 400);
    let error = json!({ "pointer": "#/dry_run", "detail": "expected no such member" });
    assert_eq!(parsed(&response)["errors"], json!([error]));
    assert_eq!(stand.metric(r#"tollgate_gate_errors_total{door="report",kind="body"}"#), 1);
}
