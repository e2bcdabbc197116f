use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::domain::calendar::Weekday;
use crate::domain::key::{Descriptor, IdentityParts, Ipv6Prefix};

fn policy(name: &str) -> Policy {
    Policy::new(name, "10/minute".parse().unwrap()).unwrap()
}

#[test]
fn a_key_names_its_prefix_identity_policy_and_layout() {
    let keyspace = Keyspace::new("tollgate");
    let identity = Identity::ip([203, 0, 113, 7].into(), Ipv6Prefix::default());
    let key = keyspace.key(&identity, &policy("default"));
    assert_eq!(key.as_str(), "tollgate:{ip:203.0.113.7}:default:f1m");
    assert_eq!(key.hash_tag(), "ip:203.0.113.7");
}

#[test]
fn every_algorithm_has_a_layout_of_its_own() {
    let keyspace = Keyspace::new("t");
    let mut seen = std::collections::HashSet::new();
    for name in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
        let algorithm = Algorithm::named(name, policy("p").quota()).unwrap();
        let policy = policy("p").with_algorithm(algorithm).unwrap();
        assert!(seen.insert(keyspace.key(&Identity::Global, &policy)), "{name}");
    }
}

#[test]
fn a_window_by_the_calendar_is_named_by_its_unit_and_zone() {
    let keyspace = Keyspace::new("t");
    for (quota, zone, week_begins, layout) in [
        ("9/month", "Europe/Berlin", Weekday::Monday, "cmEurope/Berlin"),
        ("9/day", "UTC", Weekday::Monday, "cdUTC"),
        ("9/week", "UTC", Weekday::Monday, "cw1UTC"),
        ("9/week", "UTC", Weekday::Sunday, "cw7UTC"),
        ("9/year", "Etc/GMT+5", Weekday::Monday, "cyEtc/GMT+5"),
        ("9/hour", "Europe/Berlin", Weekday::Monday, "f1h"),
    ] {
        let policy = Policy::new("p", quota.parse().unwrap()).unwrap();
        let policy = policy.with_timezone(zone.parse().unwrap(), week_begins).unwrap();
        let key = keyspace.key(&Identity::Global, &policy);
        assert_eq!(key.as_str(), format!("t:{{global}}:p:{layout}"));
    }
    let month = Policy::new("p", "9/month".parse().unwrap()).unwrap();
    assert_eq!(keyspace.key(&Identity::Global, &month).as_str(), "t:{global}:p:cmUTC");
}

#[test]
fn every_window_has_a_key_of_its_own_and_units_and_burst_have_none() {
    let keyspace = Keyspace::new("t");
    let key = |quota: &str, burst| {
        let policy = Policy::new("p", quota.parse().unwrap()).unwrap();
        let policy = policy.with_algorithm(Algorithm::TokenBucket { burst }).unwrap();
        keyspace.key(&Identity::Global, &policy)
    };
    assert_eq!(key("10/minute", 10), key("20/60 seconds", 5));
    assert_ne!(key("10/minute", 10), key("600/hour", 10));
}

#[test]
fn a_window_is_named_in_the_largest_unit_that_divides_it() {
    let keyspace = Keyspace::new("t");
    for (quota, layout) in [
        ("1/second", "f1s"),
        ("1/90 seconds", "f90s"),
        ("1/60 seconds", "f1m"),
        ("1/60 minutes", "f1h"),
        ("1/36 hours", "f36h"),
        ("1/8 days", "f8d"),
        ("1/14 days", "f2w"),
    ] {
        let policy = Policy::new("p", quota.parse().unwrap()).unwrap();
        let key = keyspace.key(&Identity::Global, &policy);
        assert_eq!(key.as_str(), format!("t:{{global}}:p:{layout}"), "{quota}");
    }
}

#[test]
fn no_id_can_cut_the_hash_tag_short() {
    let keyspace = Keyspace::new("t");
    for id in ["}", "a}:b", "{", "}{", "a:b"] {
        let key = keyspace.key(&Identity::user(id), &policy("p"));
        assert_eq!(key.hash_tag(), Identity::user(id).to_string());
        assert_eq!(key.as_str().matches(['{', '}']).count(), 2, "{key}");
    }
}

#[test]
fn a_long_id_is_named_by_its_hash_and_stays_apart_from_every_other() {
    let keyspace = Keyspace::new("t");
    let long = |last: &str| keyspace.key(&Identity::user("x".repeat(10_000) + last), &policy("p"));
    assert!(long("a").as_str().len() < 100);
    assert_eq!(long("a"), long("a"));
    assert_ne!(long("a"), long("b"));
    // An ID that looks like a hash is escaped, and so is none.
    let hashed = long("a").hash_tag().strip_prefix("user:").unwrap().to_owned();
    assert_ne!(keyspace.key(&Identity::user(&hashed), &policy("p")), long("a"));
    let descriptor = Descriptor::new("edge").with("path", &"z".repeat(1_000));
    let descriptor = keyspace.key(&Identity::Descriptor(Cow::Owned(descriptor)), &policy("p"));
    assert!(descriptor.hash_tag().starts_with("descriptor:#"));
    let header = Identity::header("x-tenant", "y".repeat(1_000));
    assert!(keyspace.key(&header, &policy("p")).hash_tag().starts_with("header:#"));
    // Every kind that can be long is named by its hash, and its hash can be typed.
    let long = "z".repeat(200);
    for (kind, text) in [
        ("claim", format!("claim:org:{long}")),
        ("cookie", format!("cookie:session:{long}")),
        ("query", format!("query:{long}")),
        ("host", format!("host:{long}")),
        ("segment", format!("segment:id:{long}")),
        ("route", format!("route:/{long}")),
        ("parts", format!("ip:203.0.113.7,header:x-tenant:{long}")),
    ] {
        let tag = keyspace.tag_named(&text, Ipv6Prefix::default()).unwrap();
        assert!(tag.starts_with(&format!("{kind}:#")) && tag.len() < 80, "{tag}");
        assert_eq!(keyspace.tag_named(&tag, Ipv6Prefix::default()), Ok(tag));
    }
}

#[test]
fn what_may_be_a_credential_is_hashed_always() {
    let keyspace = Keyspace::new("t");
    let tag = |text: &str| keyspace.tag_named(text, Ipv6Prefix::default()).unwrap();
    for text in
        ["cookie:session:hunter2", "query:api_key:hunter2", "ip:203.0.113.7,query:api_key:hunter2"]
    {
        assert!(tag(text).contains(":#") && !tag(text).contains("hunter2"), "{text}");
    }
    assert_ne!(tag("cookie:a:1"), tag("cookie:b:1"));
    for text in
        ["cookie:session", "query:api_key", "ip:203.0.113.7,query:api_key", "claim:org:acme"]
    {
        assert_eq!(&*tag(text), text);
    }
}

#[test]
fn what_may_be_personal_is_hashed_where_that_is_set_and_nothing_else() {
    let keyspace = Keyspace::new("t").with_hashed_users(true);
    let tag = |text: &str| keyspace.tag_named(text, Ipv6Prefix::default()).unwrap();
    for text in [
        "claim:email:ann@example.com",
        "segment:user:ann@example.com",
        "ip:203.0.113.7,user:ann@example.com",
        "header:x-tenant:acme,segment:id:ann@example.com",
    ] {
        assert!(tag(text).contains(":#") && !tag(text).contains("ann"), "{text}");
    }
    for text in [
        "host:a.example",
        "route:%2Fa",
        "claim:email",
        "ip:203.0.113.7,header:x-tenant:acme",
        "ip,user",
    ] {
        assert_eq!(&*tag(text), text);
    }
}

#[test]
fn users_are_hashed_always_where_that_is_set() {
    let keyspace = Keyspace::new("t").with_hashed_users(true);
    let user = keyspace.key(&Identity::user("alice@example.com"), &policy("p"));
    assert!(!user.as_str().contains("alice"), "{user}");
    let descriptor = Descriptor::new("edge").with("user", "alice@example.com");
    let descriptor = keyspace.key(&Identity::Descriptor(Cow::Owned(descriptor)), &policy("p"));
    assert!(!descriptor.as_str().contains("alice"), "{descriptor}");
    let ip =
        keyspace.key(&Identity::ip([203, 0, 113, 7].into(), Ipv6Prefix::default()), &policy("p"));
    assert_eq!(ip.hash_tag(), "ip:203.0.113.7");
}

fn any_identity() -> impl Strategy<Value = Identity<'static>> {
    // Of few letters, so that they meet, and of every separator that a key has.
    let text =
        || prop_oneof!["[ab:{}%#/]{0,4}", "[ab:{}%#/]{126,131}", "ip:|user|1\\.1\\.1\\.1|::/64"];
    let address = prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        prop::collection::vec(prop::sample::select(vec![0_u16, 1, 0x64, 0xff9b, 0xffff]), 8)
            .prop_map(|it| <[u16; 8]>::try_from(it).unwrap().into()),
    ];
    let prefix = (1..=128_u8).prop_map(|length| Ipv6Prefix::new(length).unwrap());
    prop_oneof![
        (address, prefix).prop_map(|(address, prefix)| Identity::ip(address, prefix)),
        text().prop_map(Identity::user),
        (text(), text()).prop_map(|(name, value)| Identity::header(&name, value)),
        text().prop_map(|name| Identity::NoHeader(name.into())),
        Just(Identity::Global),
        Just(Identity::NoIp),
        Just(Identity::NoUser),
        Just(Identity::NoDescriptor),
        (text(), text())
            .prop_map(|(name, it)| Identity::Claim(name.into(), it.into_bytes().into())),
        (text(), text())
            .prop_map(|(name, it)| Identity::Query(name.into(), it.into_bytes().into())),
        text().prop_map(|pattern| Identity::Route(pattern.into())),
        (text(), text()).prop_map(|(claim, host)| {
            let parts = [
                Identity::Claim("a".into(), claim.into_bytes().into()),
                Identity::Host(host.into()),
            ];
            Identity::Parts(IdentityParts::in_order(parts.into_iter()))
        }),
        (text(), text(), text()).prop_map(|(domain, key, value)| {
            Identity::Descriptor(Cow::Owned(Descriptor::new(&domain).with(&key, &value)))
        }),
    ]
}

proptest! {
    #[test]
    fn no_two_identities_share_a_key_and_none_has_two(
        identities in prop::collection::vec(any_identity(), 2..32),
        names in prop::sample::subsequence(vec!["a", "b", "a.b"], 1..=3),
        hash_users: bool,
    ) {
        let keyspace = Keyspace::new("t").with_hashed_users(hash_users);
        let mut seen: HashMap<Key, (&Identity<'_>, &str)> = HashMap::new();
        for (identity, name) in identities.iter().flat_map(|it| names.iter().map(move |name| (it, *name))) {
            let key = keyspace.key(identity, &policy(name));
            prop_assert_eq!(&key, &keyspace.key(&identity.clone(), &policy(name)));
            let first = seen.entry(key).or_insert((identity, name));
            prop_assert_eq!(*first, (identity, name));
        }
    }
}
