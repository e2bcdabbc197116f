//! Several questions in one request.

use super::*;
use crate::support::threads::together;

#[test]
fn answers_come_in_the_order_of_the_questions() {
    let redis = Server::start();
    for stand in [Stand::new(), Stand::over(&redis)] {
        let users = ["ann", "bob", "ann", "eve", "ann"];
        let questions = users.map(|user| json!({ "path": "/api/data", "user": user, "cost": 5 }));
        let answers = stand.check(&json!(questions));
        let told = |member: fn(&Value) -> Value| -> Vec<Value> {
            answers.as_array().expect("a list").iter().map(member).collect()
        };
        assert_eq!(told(|it| it["allowed"].clone()), [true, true, true, true, false]);
        let remaining = told(|it| it["policies"][0]["remaining"].clone());
        assert_eq!(remaining, [5, 5, 0, 5, 0], "each is decided for itself");
        assert_eq!(stand.check(&json!([])), json!([]));
        assert!(stand.check(&json!([questions[1]])).is_array());
    }
}

#[test]
fn one_bad_question_charges_none() {
    let stand = Stand::new();
    let good = json!({ "path": "/api/data", "user": "ann" });
    for bad in [json!({ "path": "data" }), json!({ "policies": ["none"] }), json!(7)] {
        let response = stand.post("/v1/check", &json!([good, bad, good]));
        assert!([400, 404].contains(&response.status), "{}", response.body);
    }
    assert_eq!(stand.check(&good)["policies"][0]["remaining"], 9);
}

#[test]
fn a_list_goes_to_the_store_in_one_call() {
    let redis = Server::start();
    let stand = Stand::over(&redis);
    let questions: Vec<_> =
        (0..100).map(|number| json!({ "path": "/api/data", "user": number.to_string() })).collect();
    // A worker that was never asked begins to gather with its first question.
    for _ in 0..8 {
        stand.check(&questions[0]);
    }
    let before = redis.calls("evalsha");
    let answers = stand.check(&json!(questions));
    assert_eq!(redis.calls("evalsha") - before, 1);
    let allowed = answers.as_array().expect("a list").iter().filter(|it| it["allowed"] == true);
    assert_eq!(allowed.count(), 100);
}

#[test]
fn counts_are_exact_under_concurrent_load() {
    const CLIENTS: usize = 8;
    let redis = Server::start();
    for url in ["memory:", &redis.url()] {
        let options = Options::default().set("store.url", url).set("store.timeout_ms", "10000");
        let stand = Stand::of(options.set("policies.default.quota", "1000/52 weeks"));
        let url = stand.gate.url().to_owned();
        let allowed = together(CLIENTS, move |_| {
            let client = Client::of(url.clone());
            let question = json!({ "path": "/api/data", "user": "ann" });
            let list = json!(vec![question.clone(); 7]).to_string();
            let ask = |body: &str| {
                let answer = parsed(&client.post("/v1/check", &[JSON], body));
                let answers = answer.as_array().cloned().unwrap_or(vec![answer]);
                answers.iter().filter(|answer| answer["allowed"] == true).count()
            };
            (0..20).map(|_| ask(&list) + ask(&question.to_string())).sum::<usize>()
        });
        assert_eq!(allowed.into_iter().sum::<usize>(), 1_000, "of 1280");
    }
}
