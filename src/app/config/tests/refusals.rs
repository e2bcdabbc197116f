//! Own bodies of denials: `[refusals]`, and `refusal` of policies.

use tempfile::TempDir;

use super::*;
use crate::http::{RefusalBodies, Refusals};

#[test]
fn a_body_is_a_text_or_a_file_beside_the_configuration() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("page.html"), "<p>{policy}</p>").unwrap();
    let path = directory.path().join("config.toml");
    let text = "[refusals]\nhtml_file = \"page.html\"\ntext = \"Wait {retry_after} s.\"\n\
                [policies.default.refusal]\njson = '{\"error\":\"{policy}\"}'";
    fs::write(&path, text).unwrap();
    let sources = Sources { files: vec![path], ..Sources::default() };
    let general = RefusalBodies::new().html("<p>{policy}</p>").unwrap();
    let general = general.text("Wait {retry_after} s.").unwrap();
    let own = RefusalBodies::new().json(r#"{"error":"{policy}"}"#).unwrap();
    let expected = Refusals::new(general).policy("default", own);
    assert_eq!(load(&sources).unwrap().refusals, expected);
    assert_eq!(
        load_text("[policies.default]\nrefusal = {}").unwrap().refusals,
        Refusals::default()
    );
}

#[test]
fn the_files_of_bodies_are_watched() {
    let text = "[refusals]\nhtml_file = \"a.html\"\n[policies.p]\nquota = \"1/day\"\n\
                refusal = { json_file = \"b.json\", text_file = \"/c.txt\" }";
    let file = Scratch::new(text);
    let raw = RawConfig::read(&Sources { files: vec![file.0.clone()], ..Sources::default() });
    let directory = file.0.parent().unwrap();
    let expected = [
        ("refusals.html_file", directory.join("a.html")),
        ("policies.p.refusal.text_file", "/c.txt".into()),
        ("policies.p.refusal.json_file", directory.join("b.json")),
    ];
    assert_eq!(raw.named_files(), expected.map(|(key, path)| (key.to_owned(), path)));
}

#[test]
fn what_is_wrong_with_a_body_is_said() {
    let long = Scratch::new("x".repeat(65_537));
    let no_text = Scratch::new([0xff]);
    let variables = "expected {policy}, {quota}, {limit}, {window}, {retry_after}, {request_id}, or {{user}} for the text {user}";
    for (text, expected) in [
        (
            "refusals.text = \"{user}\"".to_owned(),
            format!("refusals.text: {{user}} is not a variable: {variables}"),
        ),
        (
            "policies.default.refusal = { html = \"{user}\" }".to_owned(),
            format!("policies.default.refusal.html: {{user}} is not a variable: {variables}"),
        ),
        (
            "refusals = { text = \"a\", text_file = \"b\" }".to_owned(),
            "refusals.text_file: text is set as well: expected one of the two".to_owned(),
        ),
        (
            "refusals.xml = \"<a/>\"".to_owned(),
            "refusals.xml: unknown key, expected text, text_file, html, html_file, json or json_file".to_owned(),
        ),
        ("refusals.json = 7".to_owned(), "refusals.json: expected text in quotes, got 7".to_owned()),
        (
            "refusals.html_file = \"/no/such\"".to_owned(),
            "refusals.html_file: /no/such cannot be read: No such file or directory (os error 2)".to_owned(),
        ),
        (
            format!("refusals.html_file = {:?}", long.name()),
            "refusals.html_file: FILE cannot be read: it is larger than 65536 bytes".to_owned(),
        ),
        (
            format!("refusals.html_file = {:?}", no_text.name()),
            "refusals.html_file: FILE cannot be read: it is not UTF-8 text".to_owned(),
        ),
    ] {
        let error = error_of_text(&text);
        let error = error.replace(long.name(), "FILE").replace(no_text.name(), "FILE");
        assert_eq!(error, expected);
    }
}

#[test]
fn a_body_of_json_is_json_whatever_its_variables_are() {
    for (json, is_fine) in [
        (r#"{"error":"{policy}","wait":{retry_after},"id":"{request_id}","of":"{quota}"}"#, true),
        (r#"[{limit}, {window}, "{{policy}}"]"#, true),
        (r#""{request_id}""#, true),
        (r#"{"error":{policy}}"#, false),
        (r#"{"id":{request_id}}"#, false),
        (r#"{"error":"x""#, false),
        ("", false),
        ("too many", false),
    ] {
        let loaded = load_text(&format!("refusals.json = '{json}'"));
        assert_eq!(loaded.is_ok(), is_fine, "{json}");
    }
    let error = error_of_text("refusals.json = '{\"error\":{policy}}'");
    let begin = "refusals.json: with values for its variables the body is no JSON: ";
    assert!(error.starts_with(begin) && error.contains("Expected quotes around texts"), "{error}");
}
