use super::*;

fn list(texts: &[&str]) -> AccessList {
    AccessList::new(texts.iter().map(|text| text.parse().expect(text)))
}

fn at(address: &str) -> Client<'static> {
    Client::at(address.parse().expect(address))
}

#[test]
fn a_list_has_whom_its_networks_and_users_name() {
    let list =
        list(&["10.0.0.0/8", "203.0.113.7", "2001:db8::/32", "::1", "user:42", "user:a b@c"]);
    let has = [
        at("10.0.0.0"),
        at("10.255.255.255"),
        at("203.0.113.7"),
        at("2001:db8:ffff::1"),
        at("::1"),
        Client::user("42"),
        Client::user("a b@c"),
        at("192.0.2.1").with_user("42"),
        at("10.0.0.1").with_user("43"),
    ];
    let has_not = [
        at("9.255.255.255"),
        at("11.0.0.0"),
        at("203.0.113.6"),
        at("203.0.113.8"),
        at("2001:db9::"),
        at("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"),
        at("::2"),
        Client::user("4"),
        Client::user("420"),
        Client::user(""),
        Client::unknown(),
    ];
    for client in &has {
        assert!(list.has(client), "{client:?}");
    }
    for client in &has_not {
        assert!(!list.has(client), "{client:?}");
    }
}

#[test]
fn what_is_no_entry_says_what_would_be_one() {
    for (text, reason) in [
        ("", "neither a network nor a user"),
        ("office", "neither a network nor a user"),
        ("User:42", "neither a network nor a user"),
        ("user", "neither a network nor a user"),
        (" 10.0.0.1", "neither a network nor a user"),
        ("*", "neither a network nor a user"),
        ("user:", "names no user"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("10.1.2.3/8", "in the network 10.0.0.0/8"),
    ] {
        let error = text.parse::<AccessEntry>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
    }
}
