//! `POST /v1/refund`: a charge is given back once.

use super::*;

#[test]
fn a_charge_is_given_back_once() {
    let redis = Server::start();
    for stand in [Stand::new(), Stand::over(&redis)] {
        let question = json!({ "policies": ["default", "posts"], "user": "ann" });
        let first = stand.check(&question);
        let id = first["id"].as_str().expect("a receipt");
        assert_eq!(stand.allowed(&question, 1), 0, "posts is used up");
        let refund = json!({ "id": id });
        let given = json!([{ "policy": "default", "units": 1 }, { "policy": "posts", "units": 1 }]);
        assert_eq!(
            stand.ask("/v1/refund", &refund),
            json!({ "refunded": given, "repeated": false })
        );
        assert_eq!(stand.ask("/v1/refund", &refund)["repeated"], true);
        assert_eq!(stand.allowed(&question, 2), 1, "given back once");
    }
}

#[test]
fn nothing_that_was_not_charged_has_a_receipt() {
    let stand = Stand::new();
    let question = json!({ "path": "/api/data", "user": "ann", "cost": 10 });
    let mut dry = question.clone();
    dry["dry_run"] = json!(true);
    assert_eq!(stand.check(&dry)["id"], Value::Null);
    assert!(stand.check(&question)["id"].is_string());
    assert_eq!(stand.check(&question)["id"], Value::Null, "it is denied");
    assert_eq!(stand.check(&json!({ "path": "/nowhere" }))["id"], Value::Null);
}

#[test]
fn a_list_is_given_back_in_its_order() {
    let stand = Stand::new();
    let questions = ["ann", "bob"].map(|user| json!({ "path": "/api/data", "user": user }));
    let answers = stand.check(&json!([questions[0], questions[1]]));
    let refund = |index: usize| json!({ "id": answers[index]["id"] });
    stand.ask("/v1/refund", &refund(1));
    let refunds = stand.ask("/v1/refund", &json!([refund(0), refund(1)]));
    assert_eq!([&refunds[0]["repeated"], &refunds[1]["repeated"]], [&json!(false), &json!(true)]);
}

#[test]
fn an_id_that_is_none_is_refused() {
    let stand = Stand::new();
    for (body, pointer, detail) in [
        (json!({}), "#", "missing field `id`"),
        (json!({ "id": "" }), "#/id", "expected the id of a decision, got \"\""),
        (json!({ "id": "no id" }), "#/id", "expected the id of a decision, got \"no id\""),
        (json!({ "id": null }), "#/id", "expected the id of a decision"),
        (json!([{ "id": 7 }]), "#/0/id", "expected the id of a decision"),
    ] {
        let response = stand.post("/v1/refund", &body);
        assert_eq!(response.status, 400, "{body}");
        let error = &parsed(&response)["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(error["detail"].as_str().is_some_and(|it| it.contains(detail)), "{error}");
    }
    assert_eq!(stand.metric(r#"tollgate_gate_errors_total{door="refund",kind="body"}"#), 5);
}

#[test]
fn a_failure_of_the_store_names_what_was_not_given_back() {
    let mut redis = Server::start();
    let stand = Stand::over(&redis);
    let id = stand.check(&json!({ "path": "/api/data", "user": "ann" }))["id"].clone();
    redis.kill();
    let response = stand.post("/v1/refund", &json!([{ "id": id }]));
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert_eq!(parsed(&response)["errors"][0]["pointer"], "#/0");
}
