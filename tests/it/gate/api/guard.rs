//! Who may ask the gate.

use super::*;

/// A token, and the digest to store.
fn token() -> (String, String) {
    let made = Options::default().run(&["keys", "token"]);
    let mut lines = made.stdout.lines();
    let token = lines.next().expect("a token").to_owned();
    let line = lines.next().expect("a line");
    let digest = line.strip_prefix("token_sha256 = \"").and_then(|it| it.strip_suffix('"'));
    (token, digest.expect("a digest").to_owned())
}

/// A process whose gate needs this token.
fn guarded(digest: &str, failures: &str) -> Stand {
    let options = Options::default().set("store.url", "memory:");
    Stand::of(options.set("gate.token_sha256", digest).set("auth.failures", failures))
}

const CHECK: &str = r#"{"path":"/api/data","user":"ann"}"#;

/// The status of a check with these fields.
fn check(stand: &Stand, fields: &[(&str, &str)]) -> u16 {
    stand.gate.post("/v1/check", &[&[JSON], fields].concat(), CHECK).status
}

#[test]
fn a_token_is_needed_where_one_is_set() {
    let (token, digest) = token();
    let stand = guarded(&digest, "1000/day");
    let bearer = format!("Bearer {token}");
    let wrong = format!("Bearer {token}x");
    for (fields, status) in [
        (&[][..], 401),
        (&[("authorization", &*bearer)], 200),
        (&[("authorization", &*format!("bearer {token}"))], 200),
        (&[("authorization", &*token)], 401),
        (&[("authorization", &*wrong)], 401),
        (&[("authorization", "Bearer ")], 401),
        (&[("authorization", &*format!("Bearer {digest}"))], 401),
        (&[("x-tollgate-token", &*token)], 200),
        (&[("x-tollgate-token", "x")], 401),
        // It stands in the place of the other field.
        (&[("x-tollgate-token", "x"), ("authorization", &*bearer)], 401),
        (&[("x-tollgate-token", &*token), ("authorization", "Bearer x")], 200),
        // Nothing says which one is meant.
        (&[("x-tollgate-token", &*token), ("x-tollgate-token", &*token)], 401),
    ] {
        assert_eq!(check(&stand, fields), status, "{fields:?}");
    }
    let response = stand.gate.post("/v1/check", &[JSON], CHECK);
    assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"tollgate-gate\""));
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    for path in ["/v1/refund", "/v1/report", "/nowhere"] {
        assert_eq!(stand.gate.post(path, &[JSON], "{}").status, 401, "{path}");
    }
    for path in ["/healthz", "/openapi.json"] {
        assert_eq!(stand.gate.get(path, &[]).status, 200, "{path}");
        assert_eq!(stand.gate.post(path, &[JSON], "{}").status, 401, "{path}");
    }
    let document = parsed(&stand.gate.get("/openapi.json", &[]));
    assert_eq!(document["security"], json!([{ "bearer": [] }, { "field": [] }]));
}

#[test]
fn the_token_of_a_proxy_is_not_its_clients_own() {
    let (token, digest) = token();
    let stand = guarded(&digest, "1000/day");
    let bearer = format!("Bearer {token}");
    for path in ["/v1/auth?proxy=nginx", "/v1/%61uth?proxy=nginx", "/v1/auth/api/data?proxy=envoy"]
    {
        let status = |fields: &[(&str, &[u8])]| stand.gate.get(path, fields).status;
        assert_eq!(status(&[("authorization", bearer.as_bytes())]), 401, "{path}");
        // It may ask, and then asks too little.
        let page = ("origin", &b"https://page.example"[..]);
        let known = ("x-tollgate-token", token.as_bytes());
        assert!(![401, 429].contains(&status(&[known, page])), "{path}");
    }
}

#[test]
fn past_the_limit_of_wrong_tokens_none_is_looked_at() {
    let (token, digest) = token();
    let stand = guarded(&digest, "3/52 weeks");
    let right = format!("Bearer {token}");
    let with = |value: &str| check(&stand, &[("authorization", value)]);
    assert_eq!(with(&right), 200);
    assert_eq!([(); 3].map(|()| check(&stand, &[])), [401; 3], "none is no wrong one");
    assert_eq!([(); 5].map(|()| with("Bearer x")), [401, 401, 401, 429, 429]);
    assert_eq!(with(&right), 429, "even the right one");
    assert_eq!(stand.gate.get("/healthz", &[]).status, 200);
}

#[test]
fn web_pages_may_not_ask() {
    let stand = Stand::new();
    let own = format!("http://127.0.0.1:{}", stand.port);
    for origin in ["https://page.example", "null", &own] {
        assert_eq!(check(&stand, &[("origin", origin)]), 403, "{origin}");
    }
    assert_eq!(stand.gate.get("/healthz", &[("origin", b"null")]).status, 200);
}

#[test]
fn a_changed_token_holds_from_the_reload_on() {
    let ((old, old_digest), (new, new_digest)) = (token(), token());
    let config = |rest: &str| format!("{LIMITS}\n[gate]\n{rest}\n[store]\nurl = \"memory:\"\n");
    let first = config(&format!("token_sha256 = \"{old_digest}\""));
    let stand = Stand::with(Options::default(), &first);
    let with = |token: &str| check(&stand, &[("x-tollgate-token", token)]);
    assert_eq!((with(&old), with(&new)), (200, 401));
    let second = config(&format!("token_sha256 = \"{new_digest}\""));
    stand.tollgate.rewrite_config(&second);
    assert_eq!(stand.admin.post("/v1/reload", &[JSON], r#"{"by":"test"}"#).status, 200);
    assert_eq!((with(&old), with(&new)), (401, 200));
}
