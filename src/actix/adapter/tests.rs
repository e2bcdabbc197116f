use std::net::SocketAddr;

use actix_web::body::MessageBody as _;
use actix_web::test::TestRequest;

use super::*;
use crate::domain::client::Client;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::http::answers::Answers;
use crate::http::fields::FieldOptions;
use crate::http::problem;
use crate::limiter::{Refused, Unavailable};
use crate::store::StoreErrorKind;

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

/// Who is counted by `key`, in the words of the keyspace.
fn name(client: Client<'_>, key: &str) -> String {
    let policy = Policy::new("p", "1/minute".parse().unwrap()).unwrap();
    client.identity(&policy.with_key(key.parse().unwrap())).to_string()
}

#[test]
fn the_address_of_a_connection_is_its_client_whatever_the_port() {
    for (peer, expected) in [
        ("203.0.113.7:1", "ip:203.0.113.7"),
        ("203.0.113.7:65535", "ip:203.0.113.7"),
        // A socket that takes both families sees IPv4 clients so.
        ("[::ffff:203.0.113.7]:1", "ip:203.0.113.7"),
        ("[2001:db8:1:2::1]:1", "ip:2001:db8:1:2::/64"),
    ] {
        let address = ClientIp::peer().address(&request(Some(peer), &[])).unwrap();
        assert_eq!(name(Client::at(address), "ip"), expected, "{peer}");
    }
    assert_eq!(ClientIp::peer().address(&request(None, &[])), None);
}

#[test]
fn the_lines_of_a_field_are_read_in_order_whatever_its_name() {
    let names = ["x-forwarded-for", "forwarded", "x-real-ip", "accept", "cf-connecting-ip"];
    for named in names {
        let request = TestRequest::default()
            .append_header((named.to_ascii_uppercase(), "1"))
            .append_header(("x-other", "3"))
            .append_header((named, "2"))
            .to_srv_request();
        for name in names {
            let lines: Vec<&[u8]> = request.lines(name).collect();
            let expected: &[&[u8]] = if name == named { &[b"1", b"2"] } else { &[] };
            assert_eq!(lines, expected, "{name} of {named}");
        }
    }
}

#[test]
fn the_address_is_found_once_a_request_by_each_who_looks_for_it() {
    let one = ClientIp::hops(1.try_into().unwrap(), "x-real-ip".parse().unwrap());
    let other = ClientIp::hops(1.try_into().unwrap(), "forwarded".parse().unwrap());
    let mut request = TestRequest::default()
        .append_header(("x-real-ip", "203.0.113.7"))
        .append_header(("forwarded", "for=203.0.113.8"))
        .to_srv_request();
    let found =
        |by: &ClientIp, request: &ServiceRequest| address_once(by, request.request()).unwrap();
    assert_eq!(found(&one, &request).to_string(), "203.0.113.7");
    // What it was found in is not read again.
    request.headers_mut().remove("x-real-ip");
    assert_eq!(found(&one.clone(), &request).to_string(), "203.0.113.7");
    assert_eq!(found(&other, &request).to_string(), "203.0.113.8");
    assert_eq!(address_once(&ClientIp::peer(), request.request()), None);
}

#[test]
fn a_header_is_its_whole_value_with_whatever_bytes() {
    let cases: [(&[&[u8]], &str); 4] = [
        (&[b""], "header:x-key:"),
        (&[b"a", b"b"], "header:x-key:a%2C%20b"),
        (&[b"b", b"a"], "header:x-key:b%2C%20a"),
        (&[b"caf\xe9\xff\t\x80"], "header:x-key:caf%E9%FF%09%80"),
    ];
    for (lines, expected) in cases {
        let request = request(None, lines);
        let headers = |name: &str| field(&request, &name.parse().unwrap());
        assert_eq!(name(Client::unknown().with_headers(&headers), "header:x-key"), expected);
    }
}

#[test]
fn a_header_of_8_kilobytes_is_taken_as_it_is() {
    let (mut one, mut other) = (vec![b'k'; 8_192], vec![b'k'; 8_192]);
    (one[8_191], other[8_191]) = (b'1', b'2');
    let identity = |value: &[u8]| {
        let request = request(None, &[value]);
        let value = field(&request, &"x-key".parse().unwrap()).map(Cow::into_owned);
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
    let client = Client::user(user.as_ref().unwrap().id());
    assert_eq!(name(client, "user"), "user:%FF%00%7B%7D%3A");
}

#[test]
fn each_field_has_its_name_and_its_lines_beside_those_of_others() {
    for field in [
        ResponseField::AccessControlExposeHeaders,
        #[cfg(feature = "server")]
        ResponseField::Allow,
        ResponseField::CacheControl,
        ResponseField::ContentType,
        ResponseField::RateLimit,
        ResponseField::RateLimitPolicy,
        ResponseField::RetryAfter,
        #[cfg(feature = "server")]
        ResponseField::WwwAuthenticate,
        ResponseField::XRateLimitLimit,
        ResponseField::XRateLimitRemaining,
        ResponseField::XRateLimitReset,
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("other"));
        for value in ["1", "2"] {
            ResponseFields::append(&mut headers, field, Bytes::from_static(value.as_bytes()));
        }
        assert_eq!(headers.get_all(field.name()).collect::<Vec<_>>(), ["1", "2"], "{field:?}");
        assert_eq!(headers.lines(field).collect::<Vec<_>>(), [b"1", b"2"], "{field:?}");
        headers.set(field, Bytes::from_static(b"3"));
        assert_eq!(headers.lines(field).collect::<Vec<_>>(), [b"3"], "{field:?}");
        assert_eq!(headers.len(), 2, "{field:?}");
        // No value of ours is like that, and none may end the line.
        headers.set(field, Bytes::from_static(b"4\r\nx: y"));
        assert_eq!(headers.lines(field).collect::<Vec<_>>(), [b"3"], "{field:?}");
    }
}

#[test]
fn a_refusal_is_sent_whole() {
    let request = TestRequest::default().append_header(("accept", "application/problem+json"));
    let fields = FieldOptions { cors_expose: true, ..FieldOptions::default() };
    let telling = Answers { fields, refusals: None }.to(|| None);
    let undecided = Refused::Undecided(Unavailable::new(StoreErrorKind::TimedOut));
    let refusal = problem::refusal(&request.to_srv_request(), &undecided, &telling);
    let body = refusal.body.clone();
    let response = HttpResponse::from(refusal);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-type", "application/problem+json"),
        ("retry-after", "1"),
        ("access-control-expose-headers", "RateLimit, RateLimit-Policy, Retry-After"),
    ] {
        assert_eq!(response.headers().get_all(name).collect::<Vec<_>>(), [value], "{name}");
    }
    assert_eq!(response.headers().len(), 4);
    assert_eq!(response.into_body().try_into_bytes().unwrap(), body);
}

#[cfg(feature = "server")]
#[test]
fn a_path_is_decoded_as_the_router_decodes_it() {
    for (target, expected) in [
        ("/api/data", Some("/api/data")),
        ("/api/d%61ta?x=%2F", Some("/api/data")),
        ("/a%2Fb%20c", Some("/a%2Fb c")),
        ("http://example.com/%61", Some("/a")),
        ("http://example.com", Some("/")),
        ("//example.com/a", Some("//example.com/a")),
        ("*", None),
        ("a/b", None),
        ("example.com:443", None),
        ("", None),
        ("/a b", None),
    ] {
        assert_eq!(decoded_path(target).as_deref(), expected, "{target}");
        if let Some(path) = expected.filter(|_| target.starts_with("/a")) {
            let request = TestRequest::with_uri(target).to_srv_request();
            assert_eq!(request.match_info().as_str(), path);
        }
    }
}
