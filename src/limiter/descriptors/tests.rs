use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> DescriptorPattern {
    text.parse().expect(text)
}

/// Rules of the domain `edge`, each of which is its own pattern.
fn rules(patterns: &[&'static str]) -> DescriptorRules<&'static str> {
    let mut rules = DescriptorRules::new();
    for text in patterns {
        rules.add("edge", &pattern(text), *text);
    }
    rules
}

/// An entry with this key and any value.
fn any(key: &str) -> EntryPattern {
    EntryPattern::new(key, None::<[&str; 0]>)
}

/// The rule for a descriptor that is written `a=1,b=2`.
fn found(rules: &DescriptorRules<&'static str>, descriptor: &'static str) -> Option<&'static str> {
    let entries = descriptor.split(',').map(|entry| entry.split_once('=').expect(entry));
    rules.find("edge", entries).copied()
}

#[test]
fn all_entries_match_in_order_and_number() {
    let rules = rules(&["a=1", "a=1, b=2", "c"]);
    for (descriptor, rule) in [
        ("a=1", Some("a=1")),
        ("a=1,b=2", Some("a=1, b=2")),
        ("b=2,a=1", None),
        ("a=1,b=2,c=3", None),
        ("a=1,c=3", None),
        ("a=2", None),
        ("b=2", None),
        ("c=anything", Some("c")),
        ("c=", Some("c")),
    ] {
        assert_eq!(found(&rules, descriptor), rule, "{descriptor}");
    }
    assert_eq!(rules.find("other", [("a", "1")]), None);
    assert_eq!(rules.find("edge", []), None);
}

#[test]
fn a_value_comes_before_wildcards_and_these_before_every_value() {
    let rules = rules(&["path", "path=*", "path=/api/*", "path=/api/*/items", "path=/api/7"]);
    for (descriptor, rule) in [
        ("path=/api/7", "path=/api/7"),
        ("path=/api/7/items", "path=/api/*/items"),
        ("path=/api/8", "path=/api/*"),
        ("path=/", "path=*"),
    ] {
        assert_eq!(found(&rules, descriptor), Some(rule), "{descriptor}");
    }
}

#[test]
fn what_a_level_has_chosen_holds_even_if_a_later_one_finds_nothing() {
    let rules = rules(&["a=1, b", "a, c", "a=2*, d"]);
    assert_eq!(found(&rules, "a=1,c=x"), None, "a=1 was chosen before a");
    assert_eq!(found(&rules, "a=2x,c=x"), None, "a=2* was chosen before a");
    assert_eq!(found(&rules, "a=3,c=x"), Some("a, c"));
}

#[test]
fn entries_may_have_the_same_key() {
    let rules = rules(&["generic_key=a, generic_key=b", "generic_key=a, generic_key"]);
    let rule = found(&rules, "generic_key=a,generic_key=b");
    assert_eq!(rule, Some("generic_key=a, generic_key=b"));
    let rule = found(&rules, "generic_key=a,generic_key=c");
    assert_eq!(rule, Some("generic_key=a, generic_key"));
}

#[test]
fn stars_stand_for_any_text_and_what_is_around_them_does_not_overlap() {
    for (text, matches, others) in [
        ("k=*", &["", "a", "a*b"][..], &[][..]),
        ("k=a*", &["a", "ab"], &["", "ba"]),
        ("k=*a", &["a", "ba"], &["", "ab"]),
        ("k=a*a", &["aa", "aba"], &["a", "ab"]),
        ("k=a*b*c", &["abc", "axbxc", "abbcc"], &["ac", "acb", "bac"]),
        ("k=*b*b*", &["bb", "abab", "bbb"], &["b", "ab"]),
        ("k=a**b", &["ab", "axb"], &["a", "b"]),
        (r"k=a\*", &["a*"], &["a", "ab"]),
    ] {
        let pattern = pattern(text);
        let value = pattern.entries()[0].value.as_ref().expect("a value");
        for it in matches {
            assert!(value.matches(it), "{text} for {it:?}");
        }
        for it in others {
            assert!(!value.matches(it), "{text} not for {it:?}");
        }
    }
}

#[test]
fn a_pattern_is_read_as_it_is_written() {
    let entries = |text: &str| pattern(text).entries().to_vec();
    assert_eq!(
        entries("generic_key=login, remote_address"),
        [EntryPattern::new("generic_key", Some(["login"])), any("remote_address")]
    );
    assert_eq!(entries(" a b = c d , e "), [EntryPattern::new("a b", Some(["c d"])), any("e")]);
    assert_eq!(entries(r"a\=\,=b\*\\\ *"), [EntryPattern::new("a=,", Some([r"b*\ ", ""]))]);
    assert_eq!(entries("a="), [EntryPattern::new("a", Some([""]))]);
}

#[test]
fn what_is_no_pattern_is_an_error_that_says_what_would_be() {
    for (text, expected) in [
        ("", "an entry has no key: expected keys"),
        ("a, ", "an entry has no key: expected keys"),
        ("=a", "an entry has no key: expected keys"),
        ("a*=b", r#""a*" is not a key: a star stands for any text in values alone"#),
        ("a=b=c", r#"the value of "a" has an equals sign: expected "\=""#),
        (r"a\b", "a backslash stands before 'b': expected a comma"),
        ("a\\", "a backslash stands at the end: expected a comma"),
    ] {
        let error = text.parse::<DescriptorPattern>().expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}

proptest! {
    #[test]
    fn a_pattern_reads_back_what_it_shows(
        entries in prop::collection::vec(("[a,=*\\\\ ]{1,4}", prop::option::of(prop::collection::vec("[a,=*\\\\ ]{0,3}", 1..4))), 1..4)
    ) {
        let entries = entries.iter().map(|(key, parts)| {
            let parts: Option<Vec<&str>> = parts.as_ref().map(|it| it.iter().map(String::as_str).collect());
            EntryPattern::new(key, parts)
        });
        let entries: Vec<_> = entries.collect();
        let shown: Vec<_> = entries.iter().map(EntryPattern::to_string).collect();
        let shown = shown.join(", ");
        let read: DescriptorPattern = shown.parse().map_err(|error| TestCaseError::fail(format!("{shown}: {error}")))?;
        prop_assert_eq!(read.entries(), &entries[..]);
        prop_assert_eq!(read.to_string(), shown);
    }
}
