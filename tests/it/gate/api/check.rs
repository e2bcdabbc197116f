//! `POST /v1/check`: each member has its effect, and the answer tells all that a server needs.

use super::*;

#[test]
fn an_answer_tells_the_decision_and_the_fields_to_forward() {
    let stand = Stand::new();
    let question = json!({ "path": "/api/data", "ip": "203.0.113.7" });
    let mut answer = stand.check(&question);
    let reset = answer["policies"][0]["reset_after_ms"].take();
    assert!(reset.as_u64().is_some_and(|reset| (1..=31_449_600_000).contains(&reset)), "{reset}");
    let seconds = reset.as_u64().map(|reset| reset.div_ceil(1_000)).unwrap_or_default();
    // A receipt is there as soon as something is charged.
    answer["id"].take();
    assert_eq!(
        answer,
        json!({
            "allowed": true,
            "id": null,
            "policies": [{
                "policy": "default",
                "quota": 10,
                "window_seconds": 31_449_600,
                "remaining": 9,
                "reset_after_ms": null,
                "retry": "now",
                "retry_after_ms": null,
            }],
            "headers": {
                "ratelimit": format!("\"default\";r=9;t={seconds}"),
                "ratelimit-policy": "\"default\";q=10;w=31449600",
            },
            "refusal": null,
        })
    );
}

#[test]
fn a_denial_has_the_status_fields_and_body_of_the_app() {
    let options =
        Options::default().set("store.url", "memory:").set("headers.send", "draft-11,x-ratelimit");
    let stand = Stand::of(options.set("headers.cors_expose", "true"));
    let question = json!({ "path": "/api/data", "ip": "127.0.0.1" });
    assert_eq!(stand.allowed(&question, 10), 10);
    let (answer, own) = (stand.check(&question), stand.tollgate.get("/api/data", &[]));
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["id"], Value::Null, "nothing was charged");
    let refusal = &answer["refusal"];
    assert_eq!(refusal["reason"], "denied");
    assert_eq!(refusal["status"], own.status);
    let fields = answer["headers"].as_object().expect("an object");
    for name in [
        "access-control-expose-headers",
        "cache-control",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ] {
        assert!(fields.contains_key(name), "{name}");
    }
    // Seconds may pass between the two.
    let timeless = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
    for (name, value) in fields {
        assert_eq!(own.header(name).map(timeless), value.as_str().map(timeless), "{name}");
    }
    assert_eq!(timeless(&refusal["body"].to_string()), timeless(&parsed(&own).to_string()));
    let standing = &answer["policies"][0];
    assert_eq!((&standing["remaining"], &standing["retry"]), (&json!(0), &json!("after")));
    let wait = standing["retry_after_ms"].as_u64().expect("a wait");
    let seconds: u64 = fields["retry-after"].as_str().and_then(|it| it.parse().ok()).expect("one");
    assert_eq!(seconds, wait.div_ceil(1_000));
}

#[test]
fn a_cost_above_the_quota_is_never_admitted() {
    let stand = Stand::new();
    let answer = stand.check(&json!({ "path": "/api/data", "user": "1", "cost": 11 }));
    let standing = &answer["policies"][0];
    assert_eq!((&standing["retry"], &standing["retry_after_ms"]), (&json!("never"), &Value::Null));
    assert_eq!(answer["headers"].get("retry-after"), None);
    assert_eq!(standing["remaining"], 10, "it charged nothing");
}

#[test]
fn each_member_has_its_effect() {
    let stand = Stand::new();
    let remaining = |question: Value| stand.check(&question)["policies"][0]["remaining"].clone();
    let charged = |mut question: Value| {
        question["path"] = json!("/api/data");
        remaining(question)
    };
    // ip
    assert_eq!(charged(json!({ "ip": "203.0.113.1" })), 9);
    assert_eq!(charged(json!({ "ip": "203.0.113.2" })), 9, "another client");
    assert_eq!(charged(json!({ "ip": "203.0.113.1" })), 8);
    assert_eq!(charged(json!({ "ip": "2001:db8::1" })), 9);
    assert_eq!(charged(json!({ "ip": "2001:db8::2" })), 8, "of the same network");
    // user
    assert_eq!(charged(json!({ "ip": "203.0.113.1", "user": "ann" })), 9);
    assert_eq!(charged(json!({ "ip": "203.0.113.9", "user": "ann" })), 8);
    // plan
    assert_eq!(charged(json!({ "user": "eve", "plan": "pro" })), 19);
    assert_eq!(charged(json!({ "user": "eve", "plan": "other" })), 8, "as without a plan");
    // cost
    assert_eq!(charged(json!({ "user": "bob", "cost": 3 })), 7);
    assert_eq!(charged(json!({ "user": "bob", "cost": 2.0 })), 5, "JSON knows one kind of number");
    assert_eq!(remaining(json!({ "user": "joe", "path": "/api/dear" })), 6, "of the route");
    assert_eq!(remaining(json!({ "user": "joe", "path": "/api/dear", "cost": 1 })), 5);
    // method
    let post = json!({ "user": "kim", "path": "/api/data", "method": "POST" });
    assert_eq!(stand.check(&post)["policies"][0]["policy"], "posts");
    // headers
    for (headers, expected) in [
        (json!({ "X-Tenant": "a" }), 1),
        (json!({ "x-tenant": "a", "other": "b" }), 0),
        (json!({ "x-tenant": "b" }), 1),
        (json!({ "x-tenant": "a", "X-Tenant": "b" }), 1),
    ] {
        let question = json!({ "path": "/tenants", "headers": headers });
        assert_eq!(remaining(question), expected, "{headers}");
    }
    // policies
    let named = json!({ "policies": ["posts", "default"], "user": "leo", "path": "/nowhere" });
    let answer = stand.check(&named);
    let names: Vec<_> = [0, 1].map(|index| answer["policies"][index]["policy"].clone()).into();
    assert_eq!(names, ["posts", "default"]);
    let answer = stand.check(&named);
    assert_eq!(answer["refusal"]["body"]["violated-policies"], json!(["posts"]));
    assert_eq!(answer["policies"][1]["remaining"], 9, "denied by the other, so not charged");
}

#[test]
fn a_path_is_decoded_as_the_app_decodes_it() {
    let stand = Stand::new();
    for path in ["/api/data", "/api/%64ata", "/%61pi/data?page=2", "/api/data#part"] {
        let answer = stand.check(&json!({ "path": path, "user": path }));
        assert_eq!(answer["policies"][0]["policy"], "default", "{path}");
    }
    for path in ["/api%2Fdata", "/api/data/", "/API/data", "/nowhere"] {
        let answer = stand.check(&json!({ "path": path, "user": path }));
        let free =
            json!({ "allowed": true, "id": null, "policies": [], "headers": {}, "refusal": null });
        assert_eq!(answer, free, "{path}");
        assert_eq!(stand.tollgate.get(path.split('#').next().unwrap_or(path), &[]).status, 404);
    }
}

#[test]
fn a_dry_run_charges_nothing() {
    let redis = Server::start();
    for stand in [Stand::new(), Stand::over(&redis)] {
        let question = json!({ "path": "/api/data", "user": "ann", "cost": 6 });
        let mut dry = question.clone();
        dry["dry_run"] = json!(true);
        for _ in 0..3 {
            let answer = stand.check(&dry);
            assert_eq!((&answer["allowed"], &answer["id"]), (&json!(true), &Value::Null));
            assert_eq!(answer["policies"][0]["remaining"], 10);
        }
        assert_eq!(stand.check(&question)["policies"][0]["remaining"], 4);
        let answer = stand.check(&dry);
        assert_eq!(
            (&answer["allowed"], &answer["refusal"]["reason"]),
            (&json!(false), &json!("denied"))
        );
        let counted =
            r#"tollgate_requests_total{door="check",route="/api/data",outcome="admitted"}"#;
        assert_eq!(stand.metric(counted), 1);
    }
}

#[test]
fn clients_that_no_policy_denies_are_refused_as_by_the_app() {
    let options = Options::default().set("store.url", "memory:");
    let stand =
        Stand::of(options.set("access.block", "127.0.0.1").set("access.allow", "user:root"));
    let question = json!({ "path": "/api/data", "ip": "127.0.0.1" });
    let (answer, own) = (stand.check(&question), stand.tollgate.get("/api/data", &[]));
    assert_eq!((&answer["refusal"]["reason"], own.status), (&json!("blocked"), 403));
    assert_eq!(answer["refusal"]["body"], parsed(&own));
    assert_eq!(answer["headers"], json!({ "cache-control": "no-store" }));
    let root = json!({ "path": "/api/data", "user": "root" });
    assert_eq!(stand.check(&root)["policies"], json!([]), "it passes uncounted");

    let ban = json!({ "key": "user:ann", "for": "1h", "by": "test" });
    assert_eq!(stand.admin.post("/v1/bans", &[JSON], &ban.to_string()).status, 200);
    let answer = stand.check(&json!({ "path": "/api/data", "user": "ann" }));
    assert_eq!(answer["refusal"]["reason"], "banned");
    assert_eq!(answer["refusal"]["status"], 403);
    assert_eq!(answer["refusal"]["body"]["banned-for"], 3_600);
    assert_eq!(answer["headers"]["retry-after"], "3600");
}

#[test]
fn a_failure_of_the_store_is_told_as_the_policy_has_it() {
    let mut redis = Server::start();
    let options = Options::default().set("policies.default.on_store_failure", "deny");
    let stand = Stand::of(options.set("store.url", &redis.url()));
    assert_eq!(stand.check(&json!({ "path": "/api/data", "user": "ann" }))["allowed"], true);
    redis.kill();
    let answer = stand.check(&json!({ "path": "/api/data", "user": "ann" }));
    assert_eq!(answer["allowed"], false);
    assert_eq!(
        (&answer["refusal"]["reason"], &answer["refusal"]["status"]),
        (&json!("undecided"), &json!(503))
    );
    assert_eq!(answer["headers"]["retry-after"], "1");
    // A policy that counts on in the process does so for this door as well.
    let local = json!({ "policies": ["posts"], "user": "ann" });
    assert_eq!(stand.allowed(&local, 3), 1);
}

#[test]
fn a_quota_is_one_through_every_door() {
    let redis = Server::start();
    for stand in [Stand::new(), Stand::over(&redis)] {
        let question = json!({ "path": "/api/data", "ip": "127.0.0.1" });
        let own = || stand.tollgate.get("/api/data", &[]).status;
        assert_eq!(stand.allowed(&question, 6), 6);
        assert_eq!([(); 5].map(|()| own()), [200, 200, 200, 200, 429]);
        assert_eq!(stand.allowed(&question, 1), 0);
        // A client of its own, the other way round.
        let other = json!({ "path": "/api/dear", "ip": "127.0.0.1" });
        assert_eq!(stand.allowed(&other, 1), 0);
        let counted = r#"tollgate_requests_total{door="check",route="/api/data",outcome="denied"}"#;
        assert_eq!(stand.metric(counted), 1);
    }
}

#[test]
fn the_body_of_a_refusal_is_chosen_by_the_described_client_and_comes_with_its_type() {
    let options = Options::default().set("store.url", "memory:");
    let options = options.set("refusals.html", "<p>{policy}</p>");
    let stand = Stand::of(options.set("refusals.json", r#"{"wait":{retry_after}}"#));
    let question = |accept: &str| json!({ "path": "/api/data", "method": "POST", "ip": "203.0.113.7", "headers": { "Accept": accept } });
    assert_eq!(stand.check(&question("text/html"))["allowed"], true);
    let told = |question: &Value| {
        let answer = stand.check(question);
        assert_eq!(answer["headers"]["vary"], "Accept");
        (answer["refusal"]["content_type"].clone(), answer["refusal"]["body"].clone())
    };
    let (media_type, body) = told(&question("text/html"));
    assert_eq!((media_type, body), (json!("text/html; charset=utf-8"), json!("<p>posts</p>")));
    let (media_type, body) = told(&question("application/json"));
    assert_eq!(media_type, "application/json");
    assert!(body["wait"].is_u64(), "{body}");
    let (media_type, body) = told(&question("application/problem+json"));
    assert_eq!((media_type, &body["status"]), (json!("application/problem+json"), &json!(429)));
    let without = json!({ "path": "/api/data", "method": "POST", "ip": "203.0.113.7" });
    let (media_type, body) = told(&without);
    assert_eq!((media_type, &body["status"]), (json!("application/json"), &json!(429)));
}

#[test]
fn a_longer_wait_is_in_the_fields_and_the_body_and_the_exact_one_beside_them() {
    let options = Options::default().set("store.url", "memory:");
    let stand = Stand::of(options.set("headers.retry_jitter", "100%"));
    let question = json!({ "path": "/api/data", "method": "POST", "ip": "203.0.113.7" });
    assert_eq!(stand.check(&question)["allowed"], true);
    let mut told = Vec::new();
    for _ in 0..10 {
        let answer = stand.check(&question);
        let exact = answer["policies"][0]["retry_after_ms"].as_u64().expect("a wait");
        let wait = answer["headers"]["retry-after"].as_str().expect("a field").to_owned();
        let seconds: u64 = wait.parse().expect("seconds");
        assert!((exact.div_ceil(1_000)..=2 * exact / 1_000 + 1).contains(&seconds), "{answer}");
        let detail = answer["refusal"]["body"]["detail"].as_str().expect("a text");
        assert!(detail.ends_with(&format!("Retry in {wait} s.")), "{detail}");
        told.push(wait);
    }
    assert!(told.iter().any(|wait| *wait != told[0]), "{told:?}");
}
