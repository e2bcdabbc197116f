use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;
use crate::app::auth::{ApiKeys, Proofs};
use crate::http::ClientIp;

/// Keys as `Authorization: Bearer`, or in the field `x-api-key`.
fn proofs(api_key_header: Option<&'static str>) -> Proofs {
    Proofs {
        api_keys: Some(ApiKeys::default()),
        api_key_header: api_key_header.map(HeaderName::from_static),
        jwt: None,
        user_header: None,
        client_ip: ClientIp::peer(),
    }
}

fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

#[test]
fn a_bearer_is_what_follows_the_scheme_however_that_is_written() {
    for line in ["Bearer abc", "bearer abc", "BEARER   abc", "Bearer abc  "] {
        let headers = headers(&[("authorization", line.as_bytes())]);
        assert_eq!(proofs(None).credential(&headers), Some(Credential::Bearer(b"abc")), "{line}");
    }
}

#[test]
fn what_is_no_bearer_is_wrong_rather_than_nothing() {
    let long = [b"Bearer ".to_vec(), vec![b'a'; LONGEST + 1]].concat();
    let lines: [&[u8]; 10] = [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearerabc",
        b"Bearer\tabc",
        b"Basic YTpi",
        b"abc",
        b"\xff\xfe\xfd\xfc\xfb\xfa \xff",
        b"Beare\xc3\xa9 abc",
        &long,
    ];
    for line in lines {
        let headers = headers(&[("authorization", line)]);
        let found = proofs(None).credential(&headers);
        assert!(matches!(found, Some(Credential::Unreadable(_))), "{}", line.escape_ascii());
    }
    let longest = [b"Bearer ".to_vec(), vec![b'a'; LONGEST]].concat();
    let found = headers(&[("authorization", &longest)]);
    assert!(matches!(proofs(None).credential(&found), Some(Credential::Bearer(_))));
}

#[test]
fn where_keys_have_a_field_of_their_own_no_other_is_read() {
    let both = headers(&[("authorization", b"Basic of-the-app"), ("x-api-key", b"abc")]);
    let in_field = proofs(Some("x-api-key"));
    assert_eq!(in_field.credential(&both), Some(Credential::Key(b"abc")));
    assert_eq!(in_field.credential(&headers(&[("authorization", b"Bearer abc")])), None);
    assert_eq!(proofs(None).credential(&headers(&[("x-api-key", b"abc")])), None);
}

#[test]
fn of_several_credentials_none_is_chosen() {
    let twice = headers(&[("x-api-key", b"abc"), ("x-api-key", b"abc")]);
    let found = proofs(Some("x-api-key")).credential(&twice);
    assert!(matches!(found, Some(Credential::Unreadable(_))));
    assert_eq!(proofs(Some("x-api-key")).credential(&headers(&[])), None);
}
