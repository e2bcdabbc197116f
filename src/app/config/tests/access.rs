//! Who is refused, and who passes unchecked.

use super::*;

fn entries(texts: &[&str]) -> Vec<AccessEntry> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

#[test]
fn lists_of_networks_and_users_are_read_from_every_layer() {
    let expected = AccessOptions {
        allow: entries(&["10.0.0.0/8", "user:ann@example.com"]),
        block: entries(&["2001:db8::/32"]),
    };
    let file = load_text(
        "[access]\nallow = [\"10.0.0.0/8\", \"user:ann@example.com\"]\nblock = [\"2001:db8::/32\"]",
    );
    assert_eq!(file.unwrap().access, expected);
    let variables = variables(&[
        ("TOLLGATE_ACCESS__ALLOW", "10.0.0.0/8, user:ann@example.com"),
        ("TOLLGATE_ACCESS__BLOCK", "2001:db8::/32"),
    ]);
    assert_eq!(load(&variables).unwrap().access, expected);
    let settings =
        settings(&["access.allow=10.0.0.0/8,user:ann@example.com", "access.block=2001:db8::/32"]);
    assert_eq!(load(&settings).unwrap().access, expected);
}

#[test]
fn every_bad_entry_is_an_error_of_its_own() {
    assert_eq!(
        errors_of_text("access.block = [\"10.0.0.1\", \"office\", \"10.1.2.3/8\", \"user:\"]"),
        [
            "access.block: \"office\" is neither a network nor a user: expected one as in 10.0.0.0/8, 2001:db8::/32, 203.0.113.7 or user:1042",
            "access.block: \"user:\" names no user: expected one as in user:1042",
            "access.block: 10.1.2.3 is an address in the network 10.0.0.0/8: expected one or the other",
        ]
    );
    for text in ["access.allow = \"10.0.0.0/8\"", "access.allow = [10]", "access.allow = 10"] {
        let error = error_of_text(text);
        let expected = "access.allow: expected a list of networks and users, as in [\"10.0.0.0/8\", \"user:1042\"], got ";
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(
        error_of_text("access.deny = []"),
        "access.deny: unknown key, expected allow or block"
    );
}

#[test]
fn an_entry_that_may_be_a_secret_is_not_repeated() {
    for option in ["allow", "block"] {
        let error = error_of_text(&format!("access.{option} = [\"redis://user:hunter2@h\"]"));
        assert!(!error.contains(SECRET), "{error}");
    }
}
