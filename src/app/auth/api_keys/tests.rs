use super::*;

/// The SHA-256 of nothing, as everybody knows it.
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_digest_is_the_one_that_other_tools_compute() {
    assert_eq!(KeyDigest::of(b"").to_string(), OF_NOTHING);
    assert_eq!(OF_NOTHING.parse(), Ok(KeyDigest::of(b"")));
    assert_eq!(OF_NOTHING.to_uppercase().parse(), Ok(KeyDigest::of(b"")));
}

#[test]
fn what_is_no_digest_is_refused_and_not_repeated() {
    let long = format!("{OF_NOTHING}00");
    let sign = format!("+{}", &OF_NOTHING[1..]);
    for text in ["", "tg_hunter2", &OF_NOTHING[1..], &OF_NOTHING[2..], &long, &sign, "g", "é"] {
        let refused = text.parse::<KeyDigest>().expect_err(text);
        assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    }
}

#[test]
fn a_new_key_is_like_no_other_and_is_found_by_its_digest() {
    let (one, other) = (NewKey::generate().unwrap(), NewKey::generate().unwrap());
    assert_ne!(one.to_string(), other.to_string());
    let text = one.to_string();
    assert!(text.strip_prefix("tg_").is_some_and(|digits| digits.len() == 64), "{text}");

    let mut keys = ApiKeys::default();
    assert!(keys.insert(one.digest(), User::new("1042")));
    assert!(!keys.insert(one.digest(), User::new("another")), "the first holds");
    assert_eq!(keys.user_of(text.as_bytes()), Some(&User::new("1042")));
    assert_eq!(keys.user_of(other.to_string().as_bytes()), None);
    // The digest is no key.
    assert_eq!(keys.user_of(one.digest().to_string().as_bytes()), None);
}

#[test]
fn keys_print_no_more_than_how_many_they_are() {
    let mut keys = ApiKeys::default();
    keys.insert(KeyDigest::of(b"key"), User::new("1042"));
    assert_eq!(format!("{keys:?}"), "ApiKeys(1 keys)");
}
