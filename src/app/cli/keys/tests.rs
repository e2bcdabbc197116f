use super::*;
use crate::app::auth::{ApiKeys, KeyDigest};
use crate::app::config::{Sources, load};
use crate::http::identity::User;

/// The lines that making a key prints: the key, and what to store.
fn lines(user: &str, plan: Option<&str>) -> (String, String) {
    let options = NewKeyOptions { user: user.to_owned(), plan: plan.map(str::to_owned) };
    let (mut output, mut hints) = (Vec::new(), Vec::new());
    new(&options, &mut output, &mut hints).unwrap();
    let output = String::from_utf8(output).unwrap();
    let (key, stored) = output.split_once('\n').unwrap();
    let hints = String::from_utf8(hints).unwrap();
    assert!(!stored.contains(key) && !hints.contains(key), "it is shown once");
    (key.to_owned(), stored.trim_end().to_owned())
}

#[test]
fn the_line_to_store_is_read_back_as_the_user_and_the_plan_of_the_key() {
    let cases = [
        ("1042", None),
        ("1042", Some("pro")),
        ("a\"b\\c", Some("a_b-C.9")),
        ("ann@example.org", None),
        ("} = { user:1, # ø \u{1f511}", None),
    ];
    for (user, plan) in cases {
        let (key, stored) = lines(user, plan);
        let file = tempfile::NamedTempFile::new().unwrap();
        let plans = "[policies.default.plans]\npro = \"20/minute\"\n\"a_b-C.9\" = \"30/minute\"";
        std::fs::write(file.path(), format!("[auth.keys]\n{stored}\n{plans}\n")).unwrap();
        let config = load(&Sources { files: vec![file.path().into()], ..Sources::default() });
        let mut expected = ApiKeys::default();
        let known = User::new(user);
        let known = match plan {
            Some(plan) => known.with_plan(plan),
            None => known,
        };
        expected.insert(KeyDigest::of(key.as_bytes()), known);
        assert_eq!(config.unwrap().auth.api_keys, Some(expected), "{stored}");
    }
}

#[test]
fn a_user_is_text_that_can_be_stored_and_read() {
    for text in ["", "a\nb", "\u{7f}", "\u{1b}[31m"] {
        assert!(plain_text(text).is_err(), "{text:?}");
    }
    assert_eq!(plain_text("ann b").as_deref(), Ok("ann b"));
}

#[test]
fn a_plan_is_what_a_policy_can_name() {
    for text in ["", "a b", "\"", "ø"] {
        assert!(plan_name(text).is_err(), "{text:?}");
    }
    assert_eq!(plan_name("pro").as_deref(), Ok("pro"));
}

#[test]
fn a_closed_output_is_an_error_and_a_closed_stream_of_hints_is_none() {
    let options = NewKeyOptions { user: "1042".to_owned(), plan: None };
    let closed = || [0_u8; 0];
    assert!(new(&options, &mut &mut closed()[..], &mut Vec::new()).is_err());
    assert!(new(&options, &mut Vec::new(), &mut &mut closed()[..]).is_ok());
}
