//! Each part of a key that a described request may have, through `POST /v1/check`, and how operators name it.

use super::*;

const KEYED: &str = r#"
[policies.default]
quota = "1/52 weeks"

[policies.org]
quota = "1/52 weeks"
key = "claim:org"
[policies.query]
quota = "1/52 weeks"
key = "query:key"
[policies.cookie]
quota = "1/52 weeks"
key = "cookie:session"
[policies.host]
quota = "1/52 weeks"
key = "host"
[policies.parts]
quota = "1/52 weeks"
key = ["ip", "header:x-tenant", "route"]
[policies.segment]
quota = "1/52 weeks"
key = "segment:id"

[routes."/org"]
policies = ["org"]
[routes."/query"]
policies = ["query"]
[routes."/cookie"]
policies = ["cookie"]
[routes."/host"]
policies = ["host"]
[routes."/parts/*"]
policies = ["parts"]
[routes."/parts/{name}"]
policies = ["parts"]
[routes."GET /items/{id}"]
policies = ["segment"]
"#;

#[test]
fn each_part_is_a_member_of_the_question_and_operators_name_it_as_it_is_typed() {
    let stand = Stand::with(Options::default().set("store.url", "memory:"), KEYED);
    for (question, another, key) in [
        (
            json!({ "path": "/org", "claims": { "org": "acme", "level": 7 } }),
            json!({ "path": "/org", "claims": { "org": 7 } }),
            "claim:org:acme",
        ),
        (
            json!({ "path": "/query?key=a%20b&x=1" }),
            json!({ "path": "/query?key=a+c" }),
            "query:key:a b",
        ),
        (
            json!({ "path": "/cookie", "headers": { "Cookie": "x=1; session=s1" } }),
            json!({ "path": "/cookie", "headers": { "cookie": "session=s2" } }),
            "cookie:session:s1",
        ),
        (
            json!({ "path": "/host", "headers": { "host": "API.example:443" } }),
            json!({ "path": "/host", "headers": { "host": "b.example" } }),
            "host:api.example",
        ),
        (
            json!({ "path": "/parts/1", "ip": "203.0.113.7", "headers": { "x-tenant": "acme" } }),
            json!({ "path": "/parts/1/2", "ip": "203.0.113.7", "headers": { "x-tenant": "acme" } }),
            "route:/parts/{name},header:x-tenant:acme,ip:203.0.113.7",
        ),
        (json!({ "path": "/items/a%2Fb" }), json!({ "path": "/items/7" }), "segment:id:a/b"),
        // A request that brings its own policies has its route all the same.
        (
            json!({ "path": "/items/9", "policies": ["segment"] }),
            json!({ "path": "/items/8", "policies": ["segment"] }),
            "segment:id:9",
        ),
        (
            json!({ "policies": ["segment"] }),
            json!({ "path": "/items/5", "policies": ["segment"] }),
            "segment:id",
        ),
    ] {
        assert_eq!(stand.allowed(&question, 2), 1, "{question}");
        assert_eq!(stand.allowed(&another, 1), 1, "{another}");
        let key = key.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D");
        let key = key.replace('%', "%25");
        let standing = parsed(&stand.admin.get(&format!("/v1/keys?key={key}"), &[]));
        assert_eq!(standing["policies"][0]["used"], 1, "{key}: {standing}");
    }
}

#[test]
fn claims_that_no_policy_counts_by_are_refused() {
    let stand = Stand::with(Options::default().set("store.url", "memory:"), KEYED);
    let question = json!({ "path": "/org", "claims": { "org": ["acme"] } });
    let response = stand.post("/v1/check", &question);
    assert_eq!(response.status, 400);
    assert!(
        response.body.contains("expected a text, a number, true or false"),
        "{}",
        response.body
    );
}

#[test]
fn an_explanation_says_where_each_part_comes_from() {
    let stand = Stand::with(Options::default().set("store.url", "memory:"), KEYED);
    let explained = |query: &str| {
        let told = parsed(&stand.admin.get(&format!("/v1/explain?{query}"), &[]));
        let met = told["policies"][0].clone();
        (met["key"].clone(), met["key_from"].clone())
    };
    assert_eq!(
        explained("path=/parts/1&ip=203.0.113.7&header=x-tenant:acme"),
        (
            json!("ip:203.0.113.7,header:x-tenant:acme,route:%2Fparts%2F%7Bname%7D"),
            json!(["the address", "the header field x-tenant", "the pattern of the route"])
        )
    );
    for (query, key) in [
        ("path=/org&claim=org:acme", "claim:org:acme"),
        ("path=/host&header=host:b.example", "host:b.example"),
        ("path=/items/7", "segment:id:7"),
    ] {
        assert_eq!(explained(query).0, key, "{query}");
    }
    // What may be a credential is shown as its hash.
    for (query, kind) in [
        ("path=/query?key=hunter2", "query:#"),
        ("path=/cookie&header=cookie:session=hunter2", "cookie:#"),
    ] {
        let (key, from) = explained(query);
        assert!(key.as_str().is_some_and(|key| key.starts_with(kind)), "{key}");
        assert!(
            from[0].as_str().is_some_and(|it| it.contains("key") || it.contains("session")),
            "{from}"
        );
    }
}
