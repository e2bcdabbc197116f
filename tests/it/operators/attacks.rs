//! Who must not be able to ask the operators' listener.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

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

/// The status of the answer to a request that is written as it is.
fn raw(served: &Served, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(&served.listen).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream.write_all(request.as_bytes()).expect("it takes a request");
    let mut answer = String::new();
    // It may close the connection with bytes unread.
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or(0), answer)
}

/// A request for a ban with these header fields, of this body.
fn post(served: &Served, fields: &str, body: &str) -> (u16, String) {
    let host = &served.listen;
    raw(
        served,
        &format!(
            "POST /v1/bans HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n{fields}\r\n{body}",
            body.len()
        ),
    )
}

const JSON: &str = "content-type: application/json\r\n";
const BAN: &str = r#"{"key":"user:1","for":"1h","by":"eve"}"#;

#[test]
fn a_token_is_needed_where_one_is_set_and_the_reading_one_changes_nothing() {
    let ((full, full_digest), (read, read_digest)) = (token(), token());
    let served = Served::by(
        Options::default()
            .set("store.url", "memory:")
            .set("admin.token_sha256", &full_digest)
            .set("admin.read_token_sha256", &read_digest)
            .set("auth.failures", "1000/day"),
    );
    let with = |token: &str, path: &str| {
        let value = format!("Bearer {token}");
        served.operator.get(path, &[("authorization", value.as_bytes())]).status
    };
    for path in ["/v1/overrides", "/v1/audit", "/v1/overview", "/v1/keys?key=user:1", "/metrics"] {
        assert_eq!(served.operator.get(path, &[]).status, 401, "{path}");
        for wrong in ["", "wrong", &full_digest, &full[..full.len() - 1], &format!("{full}x")] {
            assert_eq!(with(wrong, path), 401, "{path} with {wrong}");
        }
        assert_eq!((with(&read, path), with(&full, path)), (200, 200), "{path}");
    }
    for path in ["/ready", "/healthz"] {
        assert_eq!(served.operator.get(path, &[]).status, 200, "probes have no token");
    }
    let bearer = |token: &str| format!("{JSON}authorization: Bearer {token}\r\n");
    assert_eq!(post(&served, JSON, BAN).0, 401);
    assert_eq!(post(&served, &bearer(&read), BAN).0, 403);
    assert_eq!(post(&served, &bearer(&full), BAN).0, 200);

    // The commands take the token from the environment or from a file.
    let options = || Options::default().set("admin.listen", &served.listen);
    let finished = options().run(&["list"]);
    assert!(
        finished.stderr.contains("wants a token: set TOLLGATE_ADMIN_TOKEN"),
        "{}",
        finished.stderr
    );
    let finished = options().env("TOLLGATE_ADMIN_TOKEN", &full).run(&["unban", "user:1"]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{read}\n")).expect("a file");
    let path = file.path().to_str().expect("a path of text");
    let finished = options().run(&["list", "--token-file", path]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let finished = options().run(&["ban", "user:1", "--for", "1h", "--token-file", path]);
    assert!(finished.stderr.contains("This token may only read."), "{}", finished.stderr);

    // No token and no digest is anywhere.
    let metrics = with_body(&served, &full, "/metrics");
    let audit = with_body(&served, &full, "/v1/audit");
    let mut served = served;
    let log = served.tollgate.stderr().join("\n");
    for text in [&metrics, &audit, &log] {
        for secret in [&full, &read, &full_digest, &read_digest] {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
    }
}

fn with_body(served: &Served, token: &str, path: &str) -> String {
    let value = format!("Bearer {token}");
    served.operator.get(path, &[("authorization", value.as_bytes())]).body
}

#[test]
fn wrong_tokens_are_limited_by_the_policy_of_wrong_credentials() {
    let (full, digest) = token();
    let served = Served::by(
        Options::default()
            .set("store.url", "memory:")
            .set("admin.token_sha256", &digest)
            .set("auth.failures", "3/day"),
    );
    let status = |token: &str| {
        let value = format!("Bearer {token}");
        served.operator.get("/v1/overrides", &[("authorization", value.as_bytes())]).status
    };
    assert_eq!([(); 5].map(|()| status("guess")), [401, 401, 401, 429, 429]);
    assert_eq!(status(&full), 429, "nor is the right one looked at");
    assert_eq!(served.operator.get("/ready", &[]).status, 200);
}

#[test]
fn a_web_page_of_another_origin_may_not_ask() {
    let served = Served::by(Options::default().set("store.url", "memory:"));
    let origin = |origin: &str| post(&served, &format!("{JSON}origin: {origin}\r\n"), BAN).0;
    for foreign in
        ["null", "http://evil.example", "https://127.0.0.1", "http://127.0.0.1:1", "file://"]
    {
        assert_eq!(origin(foreign), 403, "{foreign}");
    }
    assert_eq!(origin(&format!("http://{}", served.listen)), 200);
    // A form or a script without a preflight cannot send JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        assert_eq!(post(&served, &format!("content-type: {kind}\r\n"), BAN).0, 415, "{kind}");
    }
    assert_eq!(post(&served, "", BAN).0, 415);
    // A name that resolves to this address is not its own.
    let rebound = "GET /v1/overrides HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(raw(&served, rebound).0, 421);
    let (_, answer) = raw(
        &served,
        &format!(
            "OPTIONS /v1/bans HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            served.listen
        ),
    );
    assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
}

#[test]
fn a_body_that_is_too_large_or_no_change_is_refused_and_answers_are_not_stored() {
    let served = Served::by(Options::default().set("store.url", "memory:"));
    let large = format!(r#"{{"key":"user:{}","for":"1h","by":"eve"}}"#, "1".repeat(70_000));
    assert_eq!(post(&served, JSON, &large).0, 413);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for body in [
        "",
        "{",
        "[]",
        "1",
        &deep,
        r#"{"key":"user:1","for":"1h","by":"eve","admin":true}"#,
        r#"{"key":"user:1","for":"1h","by":""}"#,
        r#"{"key":7,"for":"1h","by":"eve"}"#,
        r#"{"key":"user:1","for":"1h","by":"e\r\nve"}"#,
        r#"{"key":"","for":"1h","by":"eve"}"#,
    ] {
        let (status, answer) = post(&served, JSON, body);
        assert_eq!(status, 400, "{body:.60}: {answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    let (status, answer) = post(&served, JSON, BAN);
    assert!(status == 200 && answer.contains("cache-control: no-store"), "{answer}");
    for path in [
        "/v1/keys?key=..%2F..%2Fetc",
        "/v1/keys?key=%0d%0aip:::1",
        "/v1/keys",
        "/v1/keys?key=a&x=1",
    ] {
        assert_eq!(served.operator.get(path, &[]).status, 400, "{path}");
    }
    assert_eq!(served.operator.get("/v1/../v1/overrides", &[]).status, 404);
}

/// The limits of the operators' listener hold, even where those of clients are longer.
#[test]
fn a_request_that_does_not_arrive_is_not_waited_for() {
    let served = Served::by(
        Options::default()
            .set("store.url", "memory:")
            .set("server.header_timeout_ms", "3600000")
            .set("server.body_timeout_ms", "3600000"),
    );
    let head = format!("POST /v1/bans HTTP/1.1\r\nhost: {}\r\n", served.listen);
    let whole_head = format!("{head}{JSON}content-length: 30\r\n\r\n{{");
    for started in [&*head, &whole_head] {
        let mut slow = TcpStream::connect(&served.listen).expect("a connection");
        slow.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        slow.write_all(started.as_bytes()).expect("it takes the beginning");
        assert_eq!(served.operator.get("/v1/overrides", &[]).status, 200, "others are answered");
        let mut answer = String::new();
        slow.read_to_string(&mut answer).expect("the connection ends by itself");
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[test]
fn a_listener_that_others_reach_needs_a_token() {
    for listen in ["0.0.0.0:8081", "[::]:8081", "192.0.2.1:8081", "gate.example:8081"] {
        let finished = Options::default().set("admin.listen", listen).run(&["doctor"]);
        assert_eq!(finished.status.code(), Some(78), "{listen}");
        assert!(finished.stderr.contains("it needs a token"), "{}", finished.stderr);
    }
    for listen in ["127.0.0.1:8081", "[::1]:8081", "localhost:8081", "127.9.9.9:8081"] {
        let finished = Options::default()
            .set("admin.listen", listen)
            .set("store.url", "memory:")
            .run(&["doctor"]);
        assert_eq!(finished.status.code(), Some(0), "{listen}: {}", finished.stderr);
    }
    let finished = Options::default().set("admin.token_sha256", "hunter2").run(&["doctor"]);
    assert_eq!(finished.status.code(), Some(78));
    assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
}
