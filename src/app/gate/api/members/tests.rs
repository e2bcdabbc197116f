use serde::de::value::StrDeserializer;
use serde::de::{IntoDeserializer as _, value};

use super::*;

fn of(text: &str) -> StrDeserializer<'_, value::Error> {
    text.into_deserializer()
}

/// What the document says of a path, `^/[!-;=?-_a-~]*$`, and of a method, `^[0-9A-Za-z_-]+$`.
#[test]
fn each_character_is_taken_exactly_where_the_document_says_so() {
    for letter in (0..=0xff).map(char::from) {
        let in_path = matches!(letter, '!'..=';' | '=' | '?'..='_' | 'a'..='~');
        for target in [format!("/{letter}"), format!("/a{letter}b"), format!("/a?{letter}")] {
            assert_eq!(path(of(&target)).is_ok(), in_path, "{target:?}");
        }
        let in_method = letter.is_ascii_alphanumeric() || "_-".contains(letter);
        assert_eq!(method(of(&letter.to_string())).is_ok(), in_method, "{letter:?}");
    }
}

#[test]
fn a_path_is_decoded_and_its_query_stays_as_it_was_sent() {
    for (target, expected, query) in [
        ("/", "/", None),
        ("/api/%64ata?a=%zz#b", "/api/data", Some("a=%zz")),
        ("/a#?b", "/a", None),
        ("/a?b?c", "/a", Some("b?c")),
        ("/a%2Fb", "/a%2Fb", None),
        ("//h/a", "//h/a", None),
        ("/%zz", "/%zz", None),
    ] {
        let read = path(of(target)).unwrap().unwrap();
        assert_eq!((&*read.path, read.query.as_deref()), (expected, query), "{target}");
    }
    let longest = format!("/{}", "a".repeat(8_191));
    assert!(path(of(&longest)).is_ok());
    assert!(path(of(&format!("{longest}a"))).is_err());
}

#[test]
fn a_wrong_text_is_shown_in_part() {
    let error = ip(of(&"x".repeat(1_000))).unwrap_err().to_string();
    assert!(error.ends_with(&format!("got {:?}", "x".repeat(64))), "{error}");
}

#[test]
fn every_name_of_a_field_is_taken_that_the_document_takes() {
    let names = |name: &str| {
        let json = serde_json::json!({ name: "1" });
        headers(json).map(|fields| fields.into_keys().collect::<Vec<_>>())
    };
    for letter in (0..=0xff).map(char::from) {
        // ^[!#$%&'*+.^_`|~0-9A-Za-z-]+$
        let is_taken = letter.is_ascii_alphanumeric() || "!#$%&'*+.^_`|~-".contains(letter);
        assert_eq!(names(&letter.to_string()).is_ok(), is_taken, "{letter:?}");
    }
    assert_eq!(names("X-Tenant").unwrap(), ["x-tenant"]);
    assert!(names("").is_err());
}
