use super::*;
use crate::app::access_log::request::LoggedRequest;

fn read(schema: Schema, fields: &[&str], line: &str) -> Result<LoggedRequest, &'static str> {
    let fields: Vec<FieldPath> = fields.iter().map(|field| field.parse().unwrap()).collect();
    let mut draft = Draft::default();
    Json::new(schema, &fields).read(line.as_bytes(), &mut draft)?;
    draft.finish().ok_or("it has no time")?;
    let request = draft.take().map(|(request, _)| request).next();
    request.ok_or("no request was drafted")
}

#[test]
fn the_name_that_says_most_is_taken_wherever_it_stands() {
    for line in [
        r#"{"t":1,"time":"2024-05-01T12:00:00Z","uri":"/b","request_uri":"/a"}"#,
        r#"{"request_uri":"/a","uri":"/b","time":"2024-05-01T12:00:00Z","t":1}"#,
        r#"{"request_uri":"/a","time":"soon","ts":1714564800,"uri":"/b"}"#,
    ] {
        let request = read(Schema::Any, &[], line).unwrap();
        assert_eq!(request.began_at(), 1_714_564_800_000, "{line}");
        assert_eq!(request.target(), b"/a", "{line}");
    }
}

#[test]
fn a_field_that_is_named_comes_before_all_others() {
    let line =
        r#"{"ts":1714564801,"at":{"start":1714564800.25},"ip":"203.0.113.7","peer":"203.0.113.8"}"#;
    let request = read(Schema::Any, &["time=at.start", "ip=peer"], line).unwrap();
    assert_eq!(request.began_at(), 1_714_564_800_250);
    assert_eq!(request.peer().unwrap().to_string(), "203.0.113.8");
}

#[test]
fn lines_of_one_field_are_one_list() {
    let line = r#"{"ts":1714564801,"request":{"uri":"/","headers":{"Accept":["*/*"],"X-Forwarded-For":["198.51.100.1","203.0.113.9"],"A":["b\"\\"]}}}"#;
    let request = read(Schema::Caddy, &[], line).unwrap();
    assert_eq!(request.field("x-forwarded-for"), Some(b"198.51.100.1, 203.0.113.9".as_slice()));
    assert_eq!(request.field("accept"), Some(b"*/*".as_slice()));
    assert_eq!(request.field("a"), Some(b"b\"\\".as_slice()));
    assert_eq!(request.field("b"), None);
}

#[test]
fn a_list_of_addresses_is_the_forwarding_field() {
    let line = r#"{"ts":1714564801,"ip":"198.51.100.1, 203.0.113.7"}"#;
    let request = read(Schema::Any, &[], line).unwrap();
    assert_eq!(request.peer().unwrap().to_string(), "203.0.113.7");
    assert_eq!(request.field("x-forwarded-for"), Some(b"198.51.100.1, 203.0.113.7".as_slice()));
}

#[test]
fn a_line_that_tells_of_no_request_is_refused() {
    for line in [
        "",
        "{",
        "[]",
        r#"{"ts":1714564801,"msg":"started"}"#,
        r#"{"path":"/","ip":"203.0.113.7"}"#,
        r#"{"ts":-5,"path":"/"}"#,
        r#"{"ts":1714564801,"path":"/"} {}"#,
    ] {
        assert!(read(Schema::Any, &[], line).is_err(), "{line}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(Schema::Any, &[], &deep).is_err());
}

#[test]
fn a_url_is_reduced_to_its_path_and_query() {
    for (url, target) in [
        ("https://example.com/a?b=c", "/a?b=c"),
        ("https://example.com:443", "/"),
        ("wss://example.com/chat", "/chat"),
        ("/a?u=http://example.com/", "/a?u=http://example.com/"),
        ("http", "http"),
    ] {
        assert_eq!(origin_form(url.as_bytes()), target.as_bytes(), "{url}");
    }
}
