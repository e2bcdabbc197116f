use super::*;
use crate::domain::key::Ipv6Prefix;
use crate::domain::policy::KeyPartsError;

fn key(text: &str) -> KeySource {
    text.parse().expect(text)
}

#[test]
fn the_order_of_parts_makes_no_difference() {
    let orders =
        ["ip,header:x-tenant,route", "route,ip,header:X-Tenant", "header:x-tenant , route,ip"];
    for text in orders {
        assert_eq!(key(text), key(orders[0]));
        assert_eq!(key(text).to_string(), orders[0]);
    }
    assert_eq!(key("claim:b,claim:a").to_string(), "claim:a,claim:b");
    assert_ne!(key("claim:b,claim:a"), key("claim:a,claim:c"));
}

#[test]
fn one_part_is_that_key_itself() {
    assert_eq!(KeySource::all_of([KeySource::Ip]), Ok(KeySource::Ip));
    let upper = KeySource::Header("X-Tenant".into());
    assert_eq!(KeySource::all_of([upper]), Ok(key("header:x-tenant")));
    assert_eq!(key("user").parts(), [KeySource::User]);
    assert_eq!(key("user,host").parts(), [KeySource::User, KeySource::Host]);
}

#[test]
fn parts_that_add_nothing_are_refused_with_what_would_be_right() {
    for (text, error) in [
        ("ip,ip", KeyPartsError::Twice("ip".to_owned())),
        ("header:X-A,header:x-a", KeyPartsError::Twice("header:x-a".to_owned())),
        ("ip,global", KeyPartsError::Alone("global".to_owned())),
        ("descriptor,ip", KeyPartsError::Alone("descriptor".to_owned())),
        ("user-or-ip,user", KeyPartsError::UserOrIp),
        ("ip,user-or-ip", KeyPartsError::UserOrIp),
        ("ip,host,route,user,claim:a", KeyPartsError::TooMany(5)),
    ] {
        assert!(error.to_string().contains("expected"), "{error}");
        assert_eq!(text.parse::<KeySource>(), Err(PolicyError::KeyParts(error)));
    }
    assert_eq!(KeySource::all_of([]), Err(PolicyError::KeyParts(KeyPartsError::Empty)));
    let nested = KeySource::all_of([key("ip,host"), KeySource::Ip]);
    assert_eq!(nested, Err(PolicyError::KeyParts(KeyPartsError::Twice("ip".to_owned()))));
}

#[test]
fn a_key_may_count_the_identities_of_its_kind_and_no_others() {
    // Each key, with identities that it may count.
    let cases: [(&str, &[&str]); 11] = [
        ("ip", &["ip:203.0.113.7", "ip"]),
        ("user", &["user:1042", "user"]),
        ("header:x-a", &["header:x-a:1", "header:x-a"]),
        ("claim:https://a.example/org", &["claim:https%3A%2F%2Fa.example%2Forg:1"]),
        ("cookie:s", &["cookie:s:1", "cookie:s"]),
        ("query:s", &["query:s:1"]),
        ("host", &["host:a.example", "host"]),
        ("segment:s", &["segment:s:1", "segment:s"]),
        ("route", &["route:GET /a", "route"]),
        ("ip,header:x-a", &["ip:203.0.113.7,header:x-a:1", "ip,header:x-a"]),
        ("global", &["global"]),
    ];
    let named = |text: &str| Identity::named(text, Ipv6Prefix::default()).expect(text);
    for (of, texts) in cases {
        for (source, _) in cases {
            for text in texts {
                assert_eq!(key(source).may_count(&named(text)), source == of, "{source}: {text}");
            }
        }
    }
    let either = key("user-or-ip,host");
    assert!(either.may_count(&named("user:1,host")) && either.may_count(&named("ip,host:a")));
    assert!(!either.may_count(&named("user,host")) && !either.may_count(&named("user:1")));
    assert!(key("user-or-ip").may_count_kind("user") && key("ip,host").may_count_kind("parts"));
    assert!(!key("ip").may_count_kind("parts"));
}
