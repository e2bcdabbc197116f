use super::*;
use crate::domain::client::Client;
use crate::domain::policy::Policy;
use crate::http::ClientIp;
use crate::http::request::tests::PlainRequest;
use crate::http::request::{RequestHead as _, whole_value};

/// What a key says, in the words of the configuration and of the keyspace.
fn name(request: &PlainRequest, user: Option<&User>, key: &str) -> String {
    let headers = |name: &str| whole_value(name, request.lines(name));
    let mut client = Client::unknown().with_headers(&headers);
    if let Some(address) = ClientIp::peer().address(request) {
        client = client.with_address(address);
    }
    if let Some(user) = user {
        client = client.with_user(user.id());
    }
    let policy = Policy::new("p", "1/minute".parse().unwrap()).unwrap();
    client.identity(&policy.with_key(key.parse().unwrap())).to_string()
}

/// A request whose lines of `x-key` are these.
fn with_keys(lines: &[&[u8]]) -> PlainRequest {
    lines.iter().fold(PlainRequest::default(), |request, line| request.with_line("x-key", line))
}

#[test]
fn an_address_is_its_client_however_it_is_written() {
    for (peer, expected) in [
        ("203.0.113.7", "ip:203.0.113.7"),
        // A socket that takes both families sees IPv4 clients so.
        ("::ffff:203.0.113.7", "ip:203.0.113.7"),
        ("2001:db8:1:2::1", "ip:2001:db8:1:2::/64"),
        // One customer's network, whose addresses are all its own.
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "ip:2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "ip:2001:db8:1:3::/64"),
    ] {
        assert_eq!(name(&PlainRequest::from(peer), None, "ip"), expected, "{peer}");
    }
}

#[test]
fn what_a_client_writes_into_forwarding_fields_is_not_its_address() {
    let request = PlainRequest::from("203.0.113.7")
        .with_line("x-forwarded-for", "198.51.100.1")
        .with_line("forwarded", "for=198.51.100.2")
        .with_line("x-real-ip", "198.51.100.3");
    assert_eq!(name(&request, None, "ip"), "ip:203.0.113.7");
}

#[test]
fn a_header_is_its_whole_value_with_whatever_bytes() {
    let cases: [(&[&[u8]], &str); 8] = [
        (&[b"abc"], "header:x-key:abc"),
        (&[b"ABC"], "header:x-key:ABC"),
        // An empty value is not an absent one.
        (&[b""], "header:x-key:"),
        // Repeated lines are one list, so that neither line alone names someone else.
        (&[b"a", b"b"], "header:x-key:a%2C%20b"),
        (&[b"a, b"], "header:x-key:a%2C%20b"),
        (&[b"b", b"a"], "header:x-key:b%2C%20a"),
        // Nothing in it can end the key's tag or look like another type.
        (&[b"}:{user:1}"], "header:x-key:%7D%3A%7Buser%3A1%7D"),
        (&[b"caf\xe9\xff\t\x80"], "header:x-key:caf%E9%FF%09%80"),
    ];
    for (lines, expected) in cases {
        assert_eq!(name(&with_keys(lines), None, "header:x-key"), expected);
    }
}

#[test]
fn a_plan_says_nothing_of_who_the_user_is() {
    let (free, pro) = (User::new("1042"), User::new("1042").with_plan("pro"));
    assert_eq!((free.plan(), pro.plan()), (None, Some("pro")));
    let request = PlainRequest::default();
    assert_eq!(name(&request, Some(&free), "user"), name(&request, Some(&pro), "user"));
}
