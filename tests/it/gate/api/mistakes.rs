//! Bodies that are no questions: the answer says which member of which item is wrong.

use super::*;

/// The problem that this body is answered.
fn problem(stand: &Stand, path: &str, status: u16, body: &str) -> Value {
    let response = stand.gate.post(path, &[JSON], body);
    assert_eq!(response.status, status, "{body}: {}", response.body);
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{body}");
    assert_eq!(response.header("cache-control"), Some("no-store"), "{body}");
    let problem = parsed(&response);
    assert_eq!((&problem["type"], &problem["status"]), (&json!("about:blank"), &json!(status)));
    problem
}

#[test]
fn each_wrong_member_is_named_with_what_was_expected() {
    let stand = Stand::new();
    let units = "expected a whole number from 1 to 9007199254740991";
    let path = "expected a path as it is sent, percent-encoded and of at most 8192 bytes, such as /api/data";
    let members = "expected one of `method`, `path`, `ip`, `user`, `plan`, `headers`, `claims`, `cost`, `policies`, `uses_reserve`, `dry_run`";
    let long = format!(r#"{{"path":"/{}"}}"#, "a".repeat(8_192));
    for (body, pointer, detail) in [
        ("{}", "#", "expected path or policies"),
        (r#"{"ip":"192.0.2.1"}"#, "#", "expected path or policies"),
        ("7", "#", "expected an object, or a list of at most 100 objects"),
        ("null", "#", "expected an object, or a list of at most 100 objects"),
        (r#"[{"path":"/"},[]]"#, "#/1", "expected an object"),
        (r#"{"path":"/","pathh":1}"#, "#/pathh", members),
        (r#"{"path":"/","path":"/"}"#, "#", "duplicate field `path`"),
        (r#"{"path":null}"#, "#/path", path),
        (r#"{"path":"api"}"#, "#/path", path),
        (r#"{"path":""}"#, "#/path", path),
        (r#"{"path":"/caf\u00e9"}"#, "#/path", path),
        (r#"{"path":"/a b"}"#, "#/path", path),
        (r#"{"path":"http://h/api/data"}"#, "#/path", path),
        (&long, "#/path", path),
        (r#"{"path":"/","method":""}"#, "#/method", "expected a method, such as GET, got \"\""),
        (
            r#"{"path":"/","method":"GET /"}"#,
            "#/method",
            "expected a method, such as GET, got \"GET /\"",
        ),
        (
            r#"{"path":"/","ip":"localhost"}"#,
            "#/ip",
            "expected an IPv4 or IPv6 address, such as 203.0.113.7, got \"localhost\"",
        ),
        (r#"{"path":"/","ip":"10.0.0.0/8"}"#, "#/ip", "expected an IPv4 or IPv6 address"),
        (r#"{"path":"/","ip":7}"#, "#/ip", "expected an IPv4 or IPv6 address"),
        (r#"{"path":"/","user":""}"#, "#/user", "expected a text that is not empty"),
        (r#"{"path":"/","user":1042}"#, "#/user", "expected a text that is not empty"),
        (r#"{"path":"/","plan":"pro"}"#, "#/plan", "expected a user beside it"),
        (r#"{"path":"/","user":"1","plan":""}"#, "#/plan", "expected a text that is not empty"),
        (r#"{"path":"/","headers":[]}"#, "#/headers", "expected an object of texts"),
        (r#"{"path":"/","headers":{"a":1}}"#, "#/headers/a", "expected a string"),
        (
            r#"{"path":"/","headers":{"a b/~":"1"}}"#,
            "#/headers/a%20b~1~0",
            "expected the name of a header field",
        ),
        (r#"{"path":"/","cost":0}"#, "#/cost", units),
        (r#"{"path":"/","cost":-1}"#, "#/cost", units),
        (r#"{"path":"/","cost":1.5}"#, "#/cost", units),
        (r#"{"path":"/","cost":9007199254740992}"#, "#/cost", units),
        (r#"{"path":"/","cost":1e300}"#, "#/cost", units),
        (r#"{"path":"/","cost":"1"}"#, "#/cost", units),
        (r#"{"policies":[]}"#, "#/policies", "expected at least one name of a policy"),
        (r#"{"policies":"default"}"#, "#/policies", "expected a sequence"),
        (r#"{"policies":[1]}"#, "#/policies/0", "expected a string"),
        (
            r#"{"policies":["default","default"]}"#,
            "#/policies",
            "policy \"default\" is named twice",
        ),
        (r#"{"path":"/","dry_run":"yes"}"#, "#/dry_run", "expected a boolean"),
        (r#"[{"path":"/"},{"path":"/"},{"path":"/","cost":-5}]"#, "#/2/cost", units),
    ] {
        let problem = problem(&stand, "/v1/check", 400, body);
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], pointer, "{body}: {problem}");
        let told = error["detail"].as_str().expect("a text");
        assert!(told.contains(detail), "{body}: {told}");
        assert_eq!(problem["detail"], format!("{pointer}: {told}."), "{body}");
    }
    let errors = r#"tollgate_gate_errors_total{door="check",kind="body"}"#;
    assert_eq!(stand.metric(errors), 38);
}

#[test]
fn a_policy_that_there_is_not_is_not_found() {
    let stand = Stand::new();
    let problem = problem(&stand, "/v1/check", 404, r#"[{"policies":["none"]}]"#);
    let expected = json!([{ "pointer": "#/0/policies", "detail": "there is no policy \"none\"" }]);
    assert_eq!(problem["errors"], expected);
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let stand = Stand::new();
    let deep = "[".repeat(50_000);
    let nested = format!(r#"{{"path":"/","headers":{}"#, "{\"a\":".repeat(10_000));
    for (body, detail) in [
        ("", "The body is no JSON: EOF while parsing a value at line 1 column 0."),
        ("{", "The body is no JSON: EOF while parsing an object at line 1 column 1."),
        (r#"{"path":"/"} x"#, "The body is no JSON: trailing characters at line 1 column 14."),
        (
            r#"{"path":"/"}{"path":"/"}"#,
            "The body is no JSON: trailing characters at line 1 column 13.",
        ),
        ("path=/", "The body is no JSON: expected value at line 1 column 1."),
    ] {
        assert_eq!(problem(&stand, "/v1/check", 400, body)["detail"], detail, "{body}");
    }
    for body in [&deep, &nested] {
        problem(&stand, "/v1/check", 400, body);
    }
    let bytes = b"POST /v1/check HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{\"path\":\"/\xff\"}";
    let mut client = stand.dial();
    assert_eq!(client.ask(bytes).status, 400, "no UTF-8");
}

#[test]
fn a_list_has_its_most() {
    let options = Options::default().set("store.url", "memory:");
    let stand = Stand::of(options.set("gate.max_batch", "3"));
    let list = |length| json!(vec![json!({ "path": "/api/data", "user": "ann" }); length]);
    assert_eq!(stand.check(&list(3)).as_array().map(Vec::len), Some(3));
    let problem = problem(&stand, "/v1/check", 400, &list(4).to_string());
    assert_eq!(problem["detail"], "#: expected a list of at most 3 objects.");
    let document = parsed(&stand.gate.get("/openapi.json", &[]));
    assert_eq!(document["components"]["schemas"]["OneOrMany_Check"]["oneOf"][1]["maxItems"], 3);
}

#[test]
fn a_body_is_sent_as_json_and_is_not_too_large() {
    let options = Options::default().set("store.url", "memory:");
    let stand = Stand::of(options.set("gate.max_body_bytes", "1000"));
    let body = r#"{"path":"/api/data"}"#;
    let with =
        |media_type: &str| stand.gate.post("/v1/check", &[("content-type", media_type)], body);
    for media_type in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(with(media_type).status, 200, "{media_type}");
    }
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "json",
        "application/problem+json",
    ] {
        assert_eq!(with(media_type).status, 415, "{media_type}");
    }
    assert_eq!(stand.gate.post("/v1/check", &[], body).status, 415);
    let large = format!(r#"{{"path":"/{}"}}"#, "a".repeat(1_000));
    let problem = problem(&stand, "/v1/check", 413, &large);
    assert_eq!(problem["detail"], "The body is larger than 1000 bytes.");
    // One that does not tell its length.
    let mut client = stand.dial();
    let chunk = format!("200\r\n{}\r\n", " ".repeat(512));
    let head = "POST /v1/check HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(client.ask(format!("{head}{chunk}{chunk}{chunk}0\r\n\r\n")).status, 413);
    let acted = r#"tollgate_connection_limits_total{listener="gate",setting="max_body_bytes"}"#;
    assert_eq!(stand.metric(acted), 2);
}

#[test]
fn other_paths_and_methods_are_told_as_json() {
    let stand = Stand::new();
    for path in ["/v1/check", "/v1/refund", "/v1/report"] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let response = stand.gate.request(method, path, &[]);
            assert_eq!((response.status, response.header("allow")), (405, Some("POST")), "{path}");
            assert_eq!(parsed(&response)["status"], 405);
        }
    }
    for path in ["/healthz", "/openapi.json"] {
        assert_eq!(stand.gate.get(path, &[]).status, 200);
        assert_eq!(stand.gate.request("HEAD", path, &[]).status, 200);
        let response = stand.gate.request("POST", path, &[]);
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
    for path in ["/", "/v1", "/v1/check/", "/v2/check", "/api/data", "/metrics"] {
        let response = stand.gate.get(path, &[]);
        assert_eq!((response.status, &parsed(&response)["status"]), (404, &json!(404)), "{path}");
    }
}
