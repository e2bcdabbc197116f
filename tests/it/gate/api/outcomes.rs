//! `POST /v1/report` with a status: policies that do not count it give back what they charged.

use super::*;

fn question() -> Value {
    json!({ "policies": ["default", "logins"], "user": "ann" })
}

#[test]
fn only_what_is_reported_to_have_failed_counts_where_failures_are_counted() {
    let redis = Server::start();
    for stand in [Stand::new(), Stand::over(&redis)] {
        let (mut given, mut left) = (Vec::new(), Vec::new());
        for status in [200, 401, 204] {
            let answer = stand.check(&question());
            let outcome = json!({ "id": answer["id"], "status": status });
            given.push(stand.ask("/v1/report", &outcome)["refunded"].clone());
            let mut dry = question();
            dry["dry_run"] = json!(true);
            let standings = stand.check(&dry)["policies"].clone();
            left.push([0, 1].map(|index| standings[index]["remaining"].clone()));
        }
        let back = json!([{ "policy": "logins", "units": 1 }]);
        assert_eq!(given, [back.clone(), json!([]), back]);
        assert_eq!(left, [[9, 2], [8, 1], [7, 1]].map(|it| it.map(|it| json!(it))));
        let metric = r#"tollgate_policy_refunds_total{policy="logins",outcome="given_back"}"#;
        assert_eq!(stand.metric(metric), 2);
    }
}

#[test]
fn an_outcome_is_taken_once_and_a_list_may_have_both_kinds_of_reports() {
    let stand = Stand::new();
    let outcome = json!({ "status": 200, "id": stand.check(&question())["id"] });
    let cost = json!({ "path": "/api/data", "user": "bob", "cost": 4 });
    let answers = stand.ask("/v1/report", &json!([outcome, cost, outcome]));
    let given = |units: u64| json!([{ "policy": "logins", "units": units }]);
    assert_eq!(answers[0], json!({ "refunded": given(1), "repeated": false }));
    assert_eq!(answers[1]["policies"][0]["remaining"], 6);
    assert_eq!(answers[2], json!({ "refunded": given(0), "repeated": true }));
}

#[test]
fn an_outcome_that_is_none_is_refused() {
    let stand = Stand::new();
    let id = stand.check(&question())["id"].clone();
    let status = "expected the status of a response, from 100 to 599";
    for (body, pointer, detail) in [
        (json!({ "id": id }), "#", "missing field `status`"),
        (json!({ "status": 401 }), "#", "missing field `id`"),
        (json!({ "id": "no id", "status": 401 }), "#/id", "expected the id of a decision"),
        (json!({ "id": id, "status": 99 }), "#/status", status),
        (json!([{ "id": id, "status": 70_000 }]), "#/0/status", status),
        (json!({ "id": id, "status": 401, "user": "ann" }), "#/user", "unknown field `user`"),
        (json!({ "path": "/", "status": 401 }), "#/status", "unknown field `status`"),
    ] {
        let response = stand.post("/v1/report", &body);
        assert_eq!(response.status, 400, "{body}");
        let error = &parsed(&response)["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(error["detail"].as_str().is_some_and(|it| it.contains(detail)), "{error}");
    }
    // Nothing of it was settled.
    let settled = stand.ask("/v1/report", &json!({ "id": id, "status": 401 }));
    assert_eq!(settled, json!({ "refunded": [], "repeated": false }));
}
