use proptest::prelude::*;

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
fn an_ipv4_address_is_one_however_either_side_writes_it() {
    for text in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:a00:0/104"] {
        let list = list(&[text]);
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203"] {
            assert!(list.has(&at(address)), "{address} in {text}");
        }
        assert!(!list.has(&at("::ffff:11.1.2.3")), "{text}");
    }
    assert!(list(&["::ffff:0:0/96"]).has(&at("198.51.100.1")));
    // All of IPv6 is not all of IPv4.
    let all = list(&["::/0"]);
    assert!(all.has(&at("2001:db8::1")) && !all.has(&at("198.51.100.1")));
    assert!(!all.has(&at("::ffff:198.51.100.1")));
}

#[test]
fn what_is_no_entry_says_what_would_be_one() {
    for (text, reason) in [
        ("", "neither a network nor a user"),
        ("office", "neither a network nor a user"),
        ("User:42", "neither a network nor a user"),
        ("user", "neither a network nor a user"),
        (" 10.0.0.1", "neither a network nor a user"),
        ("10.0.0", "neither a network nor a user"),
        ("010.0.0.1", "neither a network nor a user"),
        ("10.0.0.1:80", "neither a network nor a user"),
        ("[::1]", "neither a network nor a user"),
        ("fe80::1%eth0", "neither a network nor a user"),
        ("*", "neither a network nor a user"),
        ("user:", "names no user"),
        ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("10.0.0.0/+8", "from 0 to 32"),
        ("10.0.0.0/8/8", "from 0 to 32"),
        ("10.0.0.0/255.0.0.0", "from 0 to 32"),
        ("2001:db8::/129", "from 0 to 128"),
        ("2001:db8::/999", "from 0 to 128"),
        ("10.1.2.3/8", "expected 10.0.0.0/8"),
        ("2001:db8::1/64", "expected 2001:db8::/64"),
        ("::ffff:10.1.2.3/104", "expected 10.0.0.0/8"),
    ] {
        let error = text.parse::<AccessEntry>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
    }
}

#[test]
fn thousands_of_networks_are_a_few_comparisons() {
    let networks = (0..=u16::MAX).step_by(2).map(|n| Entry::Network(IpNet::V4(net(n))));
    let list = AccessList::new(networks.map(AccessEntry));
    assert_eq!(list.v4.len(), 32_768);
    for number in 0..=u16::MAX {
        let address = IpAddr::V4(net(number).addr());
        assert_eq!(list.has(&Client::at(address)), number % 2 == 0, "{address}");
    }
    // Neighbours become one.
    let networks = (0..=u16::MAX).map(|n| AccessEntry(Entry::Network(IpNet::V4(net(n)))));
    assert_eq!(
        AccessList::new(networks).v4,
        [Ipv4Net::new(Ipv4Addr::new(10, 0, 0, 0), 8).unwrap()]
    );
}

/// One of the 65536 networks of 256 addresses in 10.0.0.0/8.
fn net(number: u16) -> Ipv4Net {
    let [high, low] = number.to_be_bytes();
    Ipv4Net::new(Ipv4Addr::new(10, high, low, 0), 24).unwrap()
}

proptest! {
    #[test]
    fn a_list_has_an_address_if_any_of_its_networks_does(
        networks in prop::collection::vec((0..32_u32, 0..=32_u8), 0..20),
        address in 0..40_u32,
    ) {
        // Few and close, so that they overlap, touch and miss.
        let networks: Vec<Ipv4Net> = networks
            .into_iter()
            .map(|(bits, prefix)| Ipv4Net::new(Ipv4Addr::from_bits(bits), prefix).unwrap().trunc())
            .collect();
        let address = Ipv4Addr::from_bits(address);
        let expected = networks.iter().any(|network| network.contains(&address));
        let entries = networks.into_iter().map(|it| AccessEntry(Entry::Network(IpNet::V4(it))));
        prop_assert_eq!(AccessList::new(entries).has(&Client::at(address.into())), expected);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), near in "(user:|::ffff:)?[0-9a-f.:]{0,12}/?[0-9]{0,4}") {
        let _ = text.parse::<AccessEntry>();
        let _ = near.parse::<AccessEntry>();
    }
}
