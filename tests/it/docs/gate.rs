//! The gate answers what its page shows.

use serde_json::{Value, json};

use super::page::Page;
use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;

/// The value with one sign in place of what depends on the time and on chance.
fn timeless(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let is_aside = ["id", "reset_after_ms", "retry_after_ms", "retry-after"]
                    .contains(&name.as_str());
                let value = if is_aside && !value.is_null() { json!("#") } else { timeless(value) };
                (name.clone(), value)
            })
            .collect(),
        Value::String(text) => {
            let mut text = text.clone();
            for before in [";t=", "Retry in "] {
                if let Some((head, tail)) = text.split_once(before) {
                    let rest = tail.trim_start_matches(|sign: char| sign.is_ascii_digit());
                    text = format!("{head}{before}#{rest}");
                }
            }
            json!(text)
        }
        other => other.clone(),
    }
}

#[test]
fn questions_are_answered_as_shown() {
    let page = Page::named("docs/src/gate.md");
    let listen = format!("127.0.0.1:{}", port::free());
    let options = Options::default().set("store.url", "memory:").set("gate.listen", &listen);
    // So long that no window ends meanwhile, and shown as if it were a minute.
    let _tollgate = options.set("policies.default.quota", "10/52 weeks").serve();
    let gate = Client::of(format!("http://{listen}"));
    let (steps, answers) = (page.steps(), page.blocks("json"));
    assert_eq!((steps.len(), answers.len()), (5, 5));
    let mut id = String::new();
    for (step, shown) in steps.iter().zip(answers) {
        let body = step.command.split('\'').nth(3).expect("a body").replace("ID", &id);
        let path = step.command.rsplit_once(":8082").expect("a URL").1;
        let response = gate.post(path, &[("content-type", "application/json")], &body);
        let answer: Value = serde_json::from_str(&response.body).expect("JSON");
        if let Some(first) = answer["id"].as_str() {
            first.clone_into(&mut id);
        }
        let answer = response.body.replace("31449600", "60");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let shown: Value = serde_json::from_str(&shown.text).expect("JSON");
        assert_eq!(timeless(&answer), timeless(&shown), "{}", step.place);
    }
}
