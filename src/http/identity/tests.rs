use std::net::SocketAddr;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::test::TestRequest;

use super::*;
use crate::domain::client::Client;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::http::ClientIp;

/// A request from `peer` whose lines of `x-key` are these.
fn request(peer: Option<&str>, lines: &[&[u8]]) -> ServiceRequest {
    let peer = peer.map(|peer| peer.parse::<SocketAddr>().unwrap());
    let request = match peer {
        Some(peer) => TestRequest::default().peer_addr(peer),
        None => TestRequest::default(),
    };
    lines
        .iter()
        .fold(request, |request, line| {
            let value = HeaderValue::from_bytes(line).unwrap();
            request.append_header((HeaderName::from_static("x-key"), value))
        })
        .to_srv_request()
}

/// What a key says, in the words of the configuration and of the keyspace.
fn name(request: &ServiceRequest, user: Option<&User>, key: &str) -> String {
    let headers = |name: &str| header(request, name);
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

#[test]
fn an_address_is_its_client_however_it_is_written_and_whatever_the_port() {
    for (peer, expected) in [
        ("203.0.113.7:1", "ip:203.0.113.7"),
        ("203.0.113.7:65535", "ip:203.0.113.7"),
        // A socket that takes both families sees IPv4 clients so.
        ("[::ffff:203.0.113.7]:1", "ip:203.0.113.7"),
        ("[2001:db8:1:2::1]:1", "ip:2001:db8:1:2::/64"),
        // One customer's network, whose addresses are all its own.
        ("[2001:db8:1:2:ffff:ffff:ffff:ffff]:1", "ip:2001:db8:1:2::/64"),
        ("[2001:db8:1:3::1]:1", "ip:2001:db8:1:3::/64"),
    ] {
        assert_eq!(name(&request(Some(peer), &[]), None, "ip"), expected, "{peer}");
    }
}

#[test]
fn what_a_client_writes_into_forwarding_fields_is_not_its_address() {
    let request = TestRequest::default()
        .peer_addr("203.0.113.7:1".parse().unwrap())
        .insert_header(("x-forwarded-for", "198.51.100.1"))
        .insert_header(("forwarded", "for=198.51.100.2"))
        .insert_header(("x-real-ip", "198.51.100.3"))
        .to_srv_request();
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
        assert_eq!(name(&request(None, lines), None, "header:x-key"), expected);
    }
}

#[test]
fn a_header_of_8_kilobytes_is_taken_as_it_is() {
    let (mut one, mut other) = (vec![b'k'; 8_192], vec![b'k'; 8_192]);
    (one[8_191], other[8_191]) = (b'1', b'2');
    let identity = |value: &[u8]| {
        let request = request(None, &[value]);
        let value = header(&request, "x-key").map(Cow::into_owned);
        Identity::header("x-key", value.unwrap())
    };
    assert_eq!(identity(&one), Identity::header("x-key", &one));
    assert_ne!(identity(&one), identity(&other), "no end is cut off");
}

#[test]
fn the_user_is_what_the_host_application_said() {
    let request = request(None, &[]);
    assert_eq!(user_of(&request), None);
    let said = User::new(b"\xff\x00{}:").with_plan("pro");
    request.extensions_mut().insert(said.clone());
    let user = user_of(&request);
    assert_eq!(user, Some(said));
    assert_eq!(user.as_ref().and_then(User::plan), Some("pro"));
    assert_eq!(name(&request, user.as_ref(), "user"), "user:%FF%00%7B%7D%3A");
}

#[test]
fn a_plan_says_nothing_of_who_the_user_is() {
    let (free, pro) = (User::new("1042"), User::new("1042").with_plan("pro"));
    assert_eq!((free.plan(), pro.plan()), (None, Some("pro")));
    let request = request(None, &[]);
    assert_eq!(name(&request, Some(&free), "user"), name(&request, Some(&pro), "user"));
}
