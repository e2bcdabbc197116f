use super::*;

/// What a key says of `client`, in the words of the configuration and of the keyspace.
fn name(client: &Client<'_>, key: &str) -> String {
    let policy = Policy::new("p", "1/minute".parse().unwrap()).unwrap();
    client.identity(&policy.with_key(key.parse().unwrap())).to_string()
}

#[test]
fn each_kind_of_key_has_its_identity() {
    let headers = |name: &str| (name == "x-key").then_some(Cow::Borrowed(&b"abc"[..]));
    let anonymous = Client::at([203, 0, 113, 7].into()).with_headers(&headers);
    let full = anonymous.with_user("1042").with_plan("pro");
    // (key, with everything, without a user, with nothing at all)
    for (key, with_all, without_user, with_nothing) in [
        ("ip", "ip:203.0.113.7", "ip:203.0.113.7", "ip"),
        ("user", "user:1042", "user", "user"),
        ("user-or-ip", "user:1042", "ip:203.0.113.7", "ip"),
        ("global", "global", "global", "global"),
        ("header:X-Key", "header:x-key:abc", "header:x-key:abc", "header:x-key"),
        ("header:x-other", "header:x-other", "header:x-other", "header:x-other"),
    ] {
        assert_eq!(name(&full, key), with_all, "{key}");
        assert_eq!(name(&anonymous, key), without_user, "{key}");
        assert_eq!(name(&Client::unknown(), key), with_nothing, "{key}");
    }
}

#[test]
fn a_plan_is_in_no_identity_and_means_nothing_without_a_user() {
    for key in ["ip", "user", "user-or-ip", "global", "header:x-key"] {
        let client = Client::user("1042");
        assert_eq!(name(&client, key), name(&client.with_plan("pro"), key), "{key}");
    }
    assert_eq!(Client::user("1042").with_plan("pro").plan(), Some("pro"));
    assert_eq!(Client::unknown().with_plan("pro").plan(), None);
}

#[test]
fn what_is_printed_has_no_header_field() {
    let headers = |_: &str| Some(Cow::Borrowed(&b"hunter2"[..]));
    let client = Client::user(b"1\n42").with_headers(&headers);
    let printed = format!("{client:?}");
    assert!(printed.contains(r"1\\n42") && !printed.contains("hunter2"), "{printed}");
}
