use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> String {
    Identity::ip(text.parse().expect(text), Ipv6Prefix::default()).to_string()
}

#[test]
fn one_client_is_one_identity_however_its_address_is_written() {
    assert_eq!(ip("203.0.113.7"), "ip:203.0.113.7");
    assert_eq!(ip("::ffff:203.0.113.7"), "ip:203.0.113.7");
    assert_eq!(ip("2001:db8::1"), ip("2001:0db8:0:0:ffff:ffff:ffff:ffff"));
    assert_eq!(ip("2001:db8::1"), "ip:2001:db8::/64");
    assert_ne!(ip("2001:db8::1"), ip("2001:db8:0:1::1"));
    // A translator between IPv6 and IPv4, whose every client would be in one /64.
    assert_eq!(ip("64:ff9b::203.0.113.7"), "ip:203.0.113.7");
}

#[test]
fn whoever_has_an_ipv4_address_has_no_more_counts_in_the_networks_that_are_made_of_it() {
    for carrying in [
        // A translator of one's own, at any of its /96 (RFC 8215).
        "64:ff9b:1::203.0.113.7",
        "64:ff9b:1:fffe::203.0.113.7",
        // 6to4 (RFC 3056): 65,536 networks of each address.
        "2002:cb00:7107::1",
        "2002:cb00:7107:ffff:1:2:3:4",
        // Teredo (RFC 4380): any server, flags and port; the client's address is inverted.
        "2001:0:4136:e378:8000:63bf:34ff:8ef8",
        "2001::34ff:8ef8",
    ] {
        assert_eq!(ip(carrying), "ip:203.0.113.7", "{carrying}");
    }
    // A translator whose prefix has another length says too little: all it has is one client.
    for unclear in
        ["64:ff9b:1:cb00:71:700::", "64:ff9b:1:7:cb:71:700:0", "64:ff9b:1:1:0:1:cb00:7107"]
    {
        assert_eq!(ip(unclear), "ip:64:ff9b:1::/48", "{unclear}");
    }
    let wide = Ipv6Prefix::new(40).unwrap();
    let unclear = Identity::ip("64:ff9b:1:cb00:71:700::".parse().unwrap(), wide);
    assert_eq!(unclear.to_string(), "ip:64:ff9b::/40", "a wider network holds it, too");
}

#[test]
fn an_ipv4_address_that_anyone_can_write_into_an_ipv6_address_is_not_believed() {
    for (text, network) in [
        // ISATAP: the holder of the network makes up its interface identifiers.
        ("2001:db8::5efe:203.0.113.7", "ip:2001:db8::/64"),
        ("2001:db8::200:5efe:203.0.113.7", "ip:2001:db8::/64"),
        // IPv4-compatible, and of an old translator: not routed, and all of them one client.
        ("::203.0.113.7", "ip:::/64"),
        ("::ffff:0:203.0.113.7", "ip:::/64"),
        // Neighbours of the forms that are folded.
        ("2001:1::34ff:8ef8", "ip:2001:1::/64"),
        ("2003:cb00:7107::1", "ip:2003:cb00:7107::/64"),
        ("64:ff9b:2::203.0.113.7", "ip:64:ff9b:2::/64"),
        ("64:ff9b:0:1::203.0.113.7", "ip:64:ff9b:0:1::/64"),
    ] {
        assert_eq!(ip(text), network, "{text}");
    }
}

#[test]
fn an_ipv4_address_is_written_as_everywhere() {
    for octet in 0..=255 {
        let text = Ipv4Addr::new(octet, 255 - octet, octet / 10, octet % 10).to_string();
        assert_eq!(ip(&text), format!("ip:{text}"));
    }
}

#[test]
fn networks_of_other_sizes_are_other_clients() {
    let ip = |text: &str, length| {
        Identity::ip(text.parse().unwrap(), Ipv6Prefix::new(length).unwrap()).to_string()
    };
    let address = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff";
    for (length, expected) in [
        (1, "ip:::/1"),
        (32, "ip:2001:db8::/32"),
        (48, "ip:2001:db8:ffff::/48"),
        (56, "ip:2001:db8:ffff:ff00::/56"),
        (127, "ip:2001:db8:ffff:ffff:ffff:ffff:ffff:fffe/127"),
        (128, "ip:2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128"),
    ] {
        assert_eq!(ip(address, length), expected);
    }
    assert_ne!(ip("2001:db8::1", 48), ip("2001:db8::1", 64), "with the same first address");
    assert_eq!(ip("203.0.113.7", 48), ip("203.0.113.7", 64), "IPv4 has no such networks");
    assert_eq!([0, 129, 255].map(Ipv6Prefix::new), [None; 3]);
}

#[test]
fn separators_in_an_id_cannot_leave_it() {
    for id in ["}", "{", ":", "a b", "%7D", "\n", "\u{e9}", "user:1", ""] {
        let text = Identity::user(id).to_string();
        let id = text.strip_prefix("user:").expect("the type comes first");
        assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~@%".contains(&b)), "{text}");
    }
}

#[test]
fn the_absent_are_not_the_empty() {
    assert_ne!(Identity::NoUser.to_string(), Identity::user("").to_string());
    assert_ne!(
        Identity::NoHeader("x-tenant".into()).to_string(),
        Identity::header("x-tenant", "").to_string()
    );
    assert_ne!(
        Identity::NoClaim("org".into()).to_string(),
        Identity::Claim("org".into(), b""[..].into()).to_string()
    );
}

const FORBIDDEN: [char; 4] = ['{', '}', ' ', '\n'];

/// Any identity, of parts or not.
fn any_identity() -> impl Strategy<Value = Identity<'static>> {
    let parts = proptest::collection::vec(any_single(), 2..=MAX_PARTS);
    let parts = parts
        .prop_filter_map("parts of a key", |parts| IdentityParts::of(parts).map(Identity::Parts));
    prop_oneof![3 => any_single(), 1 => parts]
}

fn any_single() -> impl Strategy<Value = Identity<'static>> {
    // Of few letters, so that they meet, and of every separator that a text has.
    let name = || "[ab:,{}%-]{1,3}".prop_map(Cow::from);
    let value = || {
        let few = "[ab:,+={}%-]{0,4}".prop_map(String::into_bytes);
        prop_oneof![few, proptest::collection::vec(any::<u8>(), 0..4)].prop_map(Cow::from)
    };
    let text = "(GET )?/[ab,:{}*]{0,4}".prop_map(Cow::from);
    prop_oneof![
        3 => any_older(),
        1 => (name(), value()).prop_map(|(name, value)| Identity::Claim(name, value)),
        1 => (name(), value()).prop_map(|(name, value)| Identity::Cookie(name, value)),
        1 => (name(), value()).prop_map(|(name, value)| Identity::Query(name, value)),
        1 => (name(), value()).prop_map(|(name, value)| Identity::Segment(name, value)),
        1 => name().prop_map(Identity::NoClaim),
        1 => name().prop_map(Identity::NoCookie),
        1 => name().prop_map(Identity::NoQuery),
        1 => name().prop_map(Identity::NoSegment),
        1 => "[a-c]{1,2}(\\.[a-c]{1,2})?".prop_map(|host| Identity::Host(host.into())),
        1 => text.prop_map(Identity::Route),
        1 => Just(Identity::NoHost),
        1 => Just(Identity::NoRoute),
    ]
}

fn any_older() -> impl Strategy<Value = Identity<'static>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..6);
    prop_oneof![
        (any::<IpAddr>(), any_prefix()).prop_map(|(address, prefix)| Identity::ip(address, prefix)),
        bytes().prop_map(Identity::user),
        ("[a-z:{}%-]{0,4}", bytes()).prop_map(|(name, value)| Identity::header(&name, value)),
        Just(Identity::Global),
        Just(Identity::NoIp),
        Just(Identity::NoUser),
        Just(Identity::NoDescriptor),
        any_descriptor().prop_map(|it| Identity::Descriptor(Cow::Owned(it))),
        "[a-z:{}%-]{0,4}".prop_map(|name| Identity::NoHeader(name.into())),
    ]
}

proptest! {
    #[test]
    fn no_two_identities_share_a_name(identities in proptest::collection::vec(any_identity(), 0..64)) {
        let mut seen = HashMap::new();
        for identity in identities {
            let name = identity.to_string();
            prop_assert!(!name.contains(FORBIDDEN));
            let first = seen.entry(name).or_insert_with(|| identity.clone());
            prop_assert_eq!(first, &identity);
        }
    }

    #[test]
    fn the_text_of_an_identity_of_any_kind_names_it(identity in any_single(), parts in any_identity()) {
        for identity in [identity, parts] {
            // What nobody has: names and IDs are never empty.
            let has_empty = |it: &Identity<'_>| {
                it.name() == Some("") || matches!(it, Identity::User(id) if id.is_empty())
            };
            let is_unreal = match &identity {
                Identity::Parts(parts) => parts.as_slice().iter().any(has_empty),
                one => has_empty(one),
            };
            if !is_unreal {
                let read = Identity::named(&identity.to_string(), Ipv6Prefix::default());
                prop_assert_eq!(read, Ok(identity));
            }
        }
    }
}

#[test]
fn a_value_imitates_neither_another_type_nor_a_further_part() {
    let joined = |parts: &[Identity<'static>]| {
        Identity::Parts(IdentityParts::of(parts.to_vec()).expect("parts")).to_string()
    };
    let header = |value: &str| Identity::header("x-a", value);
    let texts = [
        joined(&[Identity::NoIp, header("1")]),
        joined(&[Identity::NoIp, header("1,user:7")]),
        joined(&[Identity::NoIp, Identity::user("7"), header("1")]),
        joined(&[Identity::NoIp, Identity::NoUser, header("1")]),
        joined(&[Identity::NoIp, header("1%2Cuser:7")]),
        header("1,ip").to_string(),
        Identity::Cookie("x-a".into(), b"1"[..].into()).to_string(),
        Identity::Query("x-a".into(), b"1"[..].into()).to_string(),
        Identity::Query("x".into(), b"a:1"[..].into()).to_string(),
        Identity::Query("x:a".into(), b"1"[..].into()).to_string(),
        Identity::Segment("x-a".into(), b"1\0}"[..].into()).to_string(),
        Identity::Route("x-a:1".into()).to_string(),
        Identity::Host("x-a".into()).to_string(),
    ];
    let seen: HashSet<_> = texts.iter().collect();
    assert_eq!(seen.len(), texts.len(), "{texts:#?}");
    assert!(texts.iter().all(|text| !text.contains(['{', '}', '\0', '#'])), "{texts:#?}");
}

fn any_descriptor() -> impl Strategy<Value = Descriptor> {
    // Of few letters, so that they meet, and of every separator that a text has.
    let text = || "[ab:,=*_%]{0,3}";
    let entries = proptest::collection::vec((text(), text(), any::<bool>()), 0..3);
    (text(), entries).prop_map(|(domain, entries)| {
        entries.iter().fold(Descriptor::new(&domain), |it, (key, value, is_pattern)| {
            // A pattern without a star is a value.
            if *is_pattern && value.contains('*') {
                it.with_any_of(key, value.split('*'))
            } else {
                it.with(key, value)
            }
        })
    })
}

#[test]
fn keys_and_values_that_are_alike_when_joined_are_different_descriptors() {
    let edge = || Descriptor::new("edge");
    let descriptors = [
        edge().with("a", "b").with("c", "d"),
        edge().with("a", "b,c=d"),
        edge().with("a", "b").with("c=d", ""),
        edge().with("a_b", "c"),
        edge().with("a", "b_c"),
        edge().with("a", "*"),
        edge().with_any_of("a", ["", ""]),
        edge(),
        edge().with("", ""),
        Descriptor::new("edge:a=b"),
    ];
    let texts: HashSet<_> = descriptors.iter().map(Descriptor::to_string).collect();
    assert_eq!(texts.len(), descriptors.len(), "{texts:#?}");
}

fn any_prefix() -> impl Strategy<Value = Ipv6Prefix> {
    (1..=128_u8).prop_map(|length| Ipv6Prefix::new(length).unwrap())
}
