use proptest::prelude::*;

use super::*;

fn networks(texts: &[&str]) -> Networks {
    texts.iter().map(|text| text.parse::<Network>().expect(text)).collect()
}

#[test]
fn networks_and_addresses_are_read_in_every_spelling() {
    for (text, read) in [
        ("203.0.113.7", "203.0.113.7/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("FD00::/8", "fd00::/8"),
        ("2001:db8::1", "2001:db8::1/128"),
        // IPv4 that IPv6 carries is compared as IPv4.
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:a00:0/104", "10.0.0.0/8"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("64:ff9b::203.0.113.0/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("64:ff9b::/96", "0.0.0.0/0"),
        ("64:ff9b:1:7::203.0.113.0/120", "203.0.113.0/24"),
        ("64:ff9b:1::/97", "0.0.0.0/1"),
        ("2002:cb00:7107::/48", "203.0.113.7/32"),
        ("2002:cb00:7100::/40", "203.0.113.0/24"),
        ("2002::/17", "0.0.0.0/1"),
        // A part of what one client has, and all clients of a form, stay what they are.
        ("2002:cb00:7107:1::/64", "2002:cb00:7107:1::/64"),
        ("2002::/16", "2002::/16"),
        ("64:ff9b:1::/96", "64:ff9b:1::/96"),
        ("64:ff9b:1::/48", "64:ff9b:1::/48"),
        ("2001::/32", "2001::/32"),
        ("2001::34ff:8ef8", "2001::34ff:8ef8/128"),
    ] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), read, "{text}");
    }
}

#[test]
fn what_is_no_network_says_what_would_be_one() {
    for (text, reason) in [
        ("", "expected one as in 203.0.113.7, "),
        ("nginx", "expected one as in 203.0.113.7, "),
        (" 10.0.0.1", "expected one as in 203.0.113.7, "),
        ("10/8", "expected one as in 203.0.113.7, "),
        ("10.*", "expected one as in 203.0.113.7, "),
        ("010.0.0.0/8", "expected one as in 203.0.113.7, "),
        ("127.0.0.1:80", "expected one as in 203.0.113.7, "),
        ("[::1]", "expected one as in 203.0.113.7, "),
        ("fe80::1%eth0", "expected one as in 203.0.113.7, "),
        ("10.0.0.0/", "from 0 to 32"),
        ("10.0.0.0/33", "from 0 to 32"),
        ("10.0.0.0/+8", "from 0 to 32"),
        ("10.0.0.0/8/8", "from 0 to 32"),
        ("10.0.0.0/255.0.0.0", "from 0 to 32"),
        ("2001:db8::/129", "from 0 to 128"),
        ("2001:db8::/999", "from 0 to 128"),
        ("10.0.0.1/8", "10.0.0.1 is an address in the network 10.0.0.0/8: expected one or"),
        ("2001:db8::1/64", "in the network 2001:db8::/64"),
        ("::ffff:10.1.2.3/104", "in the network 10.0.0.0/8"),
    ] {
        let problem = text.parse::<Network>().expect_err(text).to_string();
        assert!(problem.contains(reason), "{text:?}: {problem}");
    }
}

#[test]
fn all_of_a_network_is_in_it_and_nothing_beside_it() {
    let networks = networks(&["10.0.0.0/30", "10.0.1.7", "fd00::/126", "203.0.113.0/24"]);
    let contain = |text: &str| networks.contain(text.parse().unwrap());
    for text in ["10.0.0.0", "10.0.0.3", "10.0.1.7", "fd00::", "fd00::3", "203.0.113.255"] {
        assert!(contain(text), "{text}");
    }
    for text in ["9.255.255.255", "10.0.0.4", "10.0.1.6", "10.0.1.8", "fd00::4", "::", "::1"] {
        assert!(!contain(text), "{text}");
    }
    assert!(!self::networks(&[]).contain([10, 0, 0, 1].into()));
}

#[test]
fn an_ipv4_address_is_one_however_either_side_writes_it() {
    for text in ["10.0.0.0/8", "::ffff:10.0.0.0/104", "64:ff9b::10.0.0.0/104"] {
        let networks = networks(&[text]);
        let contain = |text: &str| networks.contain(text.parse().unwrap());
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203", "64:ff9b::10.1.2.3"] {
            assert!(contain(address), "{address} in {text}");
        }
        assert!(!contain("::ffff:11.1.2.3") && !contain("64:ff9b::11.1.2.3"), "{text}");
    }
    // All of IPv6 is not all of IPv4.
    let all = networks(&["::/0"]);
    let contain = |text: &str| all.contain(text.parse().unwrap());
    assert!(contain("2001:db8::1"));
    assert!(!contain("198.51.100.1") && !contain("::ffff:198.51.100.1"));
}

/// Counting takes each of these for the client 203.0.113.7.
const CARRYING: [&str; 3] =
    ["2002:cb00:7107:1::1", "2001:0:4136:e378:8000:63bf:34ff:8ef8", "64:ff9b:1:7::203.0.113.7"];

#[test]
fn a_client_that_is_counted_by_its_ipv4_address_is_on_a_list_by_it() {
    let networks = networks(&["203.0.113.0/24"]);
    for address in CARRYING {
        assert!(networks.contain(address.parse().unwrap()), "{address}");
    }
    let [six, teredo, local] = ["2002:cb00:7207::", "2001::34ff:8df8", "64:ff9b:1::203.0.114.7"];
    for address in [six, teredo, local] {
        assert!(!networks.contain(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn it_is_on_a_list_by_its_ipv6_address_too_and_nobody_else_is() {
    for (listed, of_them) in [
        ("2002::/16", [true, false, false]),
        ("2001::/32", [false, true, false]),
        ("64:ff9b:1::/48", [false, false, true]),
        ("64:ff9b:1:7::/96", [false, false, true]),
        ("2002:cb00:7107:1::/64", [true, false, false]),
        ("2002:cb00:7107:2::/64", [false; 3]),
        ("::/0", [true; 3]),
        ("2002:cb00:7107::/48", [true; 3]),
    ] {
        let networks = networks(&[listed]);
        let contain = |text: &str| networks.contain(text.parse().unwrap());
        assert_eq!(CARRYING.map(contain), of_them, "{listed}");
        let is_all_of_it = listed == "2002:cb00:7107::/48";
        assert_eq!(contain("203.0.113.7"), is_all_of_it, "{listed}");
        assert_eq!(contain("::ffff:203.0.113.7"), is_all_of_it, "{listed}");
        assert!(!contain("198.51.100.1") && !contain("64:ff9b::198.51.100.1"), "{listed}");
    }
}

#[test]
#[cfg(any(feature = "actix", feature = "tower"))]
fn everyone_is_noticed_also_in_parts() {
    let everyone = |texts: &[&str]| networks(texts).everyone().map(|network| network.to_string());
    for (texts, expected) in [
        (&["0.0.0.0/0"][..], Some("0.0.0.0/0")),
        (&["10.0.0.0/8", "::/0"], Some("::/0")),
        (&["0.0.0.0/1", "128.0.0.0/1"], Some("0.0.0.0/0")),
        (&["::ffff:0:0/96"], Some("0.0.0.0/0")),
        (&["10.0.0.0/8", "fd00::/8"], None),
    ] {
        assert_eq!(everyone(texts).as_deref(), expected, "{texts:?}");
    }
}

#[test]
fn an_address_is_found_among_thousands_and_neighbours_become_one() {
    let network =
        |[high, low]: [u8; 2]| format!("10.{high}.{low}.0/24").parse::<Network>().unwrap();
    let every_other = (0..=u16::MAX).step_by(2).map(|number| network(number.to_be_bytes()));
    let every_other: Networks = every_other.collect();
    assert_eq!(every_other.0.len(), 32_768);
    for number in 0..=u16::MAX {
        let [high, low] = number.to_be_bytes();
        let address = [10, high, low, 7].into();
        assert_eq!(every_other.contain(address), number % 2 == 0, "{address}");
    }
    let all: Networks = (0..=u16::MAX).map(|number| network(number.to_be_bytes())).collect();
    assert_eq!(*all.0, ["10.0.0.0/8".parse().map(|network| (network, ())).unwrap()]);
}

fn any_network() -> impl Strategy<Value = IpNet> {
    // Close together, so that they overlap, touch and miss.
    let v4 = (0..64_u8, 26..=32_u8).prop_map(|(last, length)| ([10, 0, 0, last].into(), length));
    let v6 = (0..64_u16, 122..=128_u8)
        .prop_map(|(last, length)| ([0xfd00, 0, 0, 0, 0, 0, 0, last].into(), length));
    prop_oneof![v4, v6]
        .prop_map(|(address, length): (IpAddr, u8)| IpNet::new(address, length).unwrap().trunc())
}

proptest! {
    #[test]
    fn an_address_is_in_them_if_it_is_in_any(
        list in prop::collection::vec(any_network(), 0..8),
        last in 0..80_u8,
        is_v6: bool,
    ) {
        let address: IpAddr = match is_v6 {
            true => [0xfd00, 0, 0, 0, 0, 0, 0, last.into()].into(),
            false => [10, 0, 0, last].into(),
        };
        let networks: Networks = list.iter().copied().map(Network).collect();
        let expected = list.iter().any(|network| network.contains(&address));
        prop_assert_eq!(networks.contain(address), expected);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), near in "(::ffff:)?[0-9a-f.:]{0,12}/?[0-9]{0,4}") {
        let _ = text.parse::<Network>();
        let _ = near.parse::<Network>();
    }
}
