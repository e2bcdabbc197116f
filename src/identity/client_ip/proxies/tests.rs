use proptest::prelude::*;

use super::*;

fn proxies(texts: &[&str]) -> Proxies {
    Proxies::new(texts.iter().map(|text| text.parse::<TrustedProxy>().expect(text)))
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
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("64:ff9b::203.0.113.0/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ] {
        assert_eq!(text.parse::<TrustedProxy>().unwrap().to_string(), read, "{text}");
    }
}

#[test]
fn what_is_no_network_is_refused_with_what_would_be_one() {
    for text in [
        "",
        "nginx",
        "10.0.0.0/33",
        "10/8",
        "010.0.0.0/8",
        "10.0.0.0/",
        "10.0.0.0/255.0.0.0",
        "::/129",
        "[::1]",
        "127.0.0.1:80",
        "10.0.0.0/8/8",
        "10.*",
    ] {
        let problem = text.parse::<TrustedProxy>().unwrap_err().to_string();
        assert!(problem.contains("is not a network: expected one as in "), "{problem}");
    }
    assert_eq!(
        "10.0.0.1/8".parse::<TrustedProxy>().unwrap_err().to_string(),
        "10.0.0.1 is an address in the network 10.0.0.0/8: expected one or the other"
    );
}

#[test]
fn all_of_a_network_is_in_it_and_nothing_beside_it() {
    let proxies = proxies(&["10.0.0.0/30", "10.0.1.7", "fd00::/126", "203.0.113.0/24"]);
    let contain = |text: &str| proxies.contain(text.parse().unwrap());
    for text in ["10.0.0.0", "10.0.0.3", "10.0.1.7", "fd00::", "fd00::3", "203.0.113.255"] {
        assert!(contain(text), "{text}");
    }
    for text in ["9.255.255.255", "10.0.0.4", "10.0.1.6", "10.0.1.8", "fd00::4", "::", "::1"] {
        assert!(!contain(text), "{text}");
    }
    assert!(!Proxies::new([]).contain([10, 0, 0, 1].into()));
}

#[test]
fn everyone_is_noticed_also_in_parts() {
    let everyone = |texts: &[&str]| proxies(texts).everyone().map(|network| network.to_string());
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

fn any_network() -> impl Strategy<Value = IpNet> {
    // Close together, so that they meet.
    let v4 = (0..64_u8, 26..=32_u8).prop_map(|(last, length)| ([10, 0, 0, last].into(), length));
    let v6 = (0..64_u16, 122..=128_u8)
        .prop_map(|(last, length)| ([0xfd00, 0, 0, 0, 0, 0, 0, last].into(), length));
    prop_oneof![v4, v6]
        .prop_map(|(address, length): (IpAddr, u8)| IpNet::new(address, length).unwrap().trunc())
}

proptest! {
    #[test]
    fn an_address_is_in_them_if_it_is_in_any(
        networks in prop::collection::vec(any_network(), 0..8),
        last in 0..80_u8,
        is_v6: bool,
    ) {
        let address: IpAddr = match is_v6 {
            true => [0xfd00, 0, 0, 0, 0, 0, 0, last.into()].into(),
            false => [10, 0, 0, last].into(),
        };
        let proxies = Proxies::new(networks.iter().map(|network| TrustedProxy(*network)));
        let expected = networks.iter().any(|network| network.contains(&address));
        prop_assert_eq!(proxies.contain(address), expected);
    }
}
