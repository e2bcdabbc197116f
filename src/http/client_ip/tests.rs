use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::domain::key::{Identity, Ipv6Prefix};
use crate::http::request::tests::PlainRequest;

mod forged;

fn proxies(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

fn behind(texts: &[&str], header: &str) -> ClientIp {
    ClientIp::behind(proxies(texts), header.parse().expect(header))
}

fn over_unix_socket(texts: &[&str]) -> ClientIp {
    ClientIp::over_unix_socket(proxies(texts), ForwardingHeader::default())
}

fn hops(hops: u8, header: &str) -> ClientIp {
    ClientIp::hops(NonZeroU8::new(hops).unwrap(), header.parse().expect(header))
}

/// A request from `peer`, with these lines of header fields; from nowhere where that is empty.
fn request(peer: &str, lines: &[(&str, &str)]) -> PlainRequest {
    lines
        .iter()
        .fold(PlainRequest::from(peer), |request, (name, value)| request.with_line(name, value))
}

/// The client's address, or nothing.
fn found(client_ip: &ClientIp, peer: &str, lines: &[(&str, &str)]) -> String {
    let address = client_ip.address(&request(peer, lines));
    address.map_or_else(String::new, |address| address.to_string())
}

#[test]
fn the_walk_ends_at_the_first_who_is_not_trusted() {
    let client_ip = behind(&["10.0.0.0/8", "fd00::/8", "192.0.2.1"], "x-forwarded-for");
    let cases: [(&str, &[&str], &str); 13] = [
        // One proxy, which appends to what the client sent.
        ("10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", &["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        // Further proxies of ours in between.
        ("10.0.0.1", &["6.6.6.6, 203.0.113.7, 192.0.2.1, fd00::1, 10.9.9.9"], "203.0.113.7"),
        // Lines of the same name are one list, in order.
        ("10.0.0.1", &["6.6.6.6", "203.0.113.7", "10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", &["6.6.6.6,7.7.7.7", "203.0.113.7,10.0.0.3", "10.0.0.2"], "203.0.113.7"),
        // The client is one of us: nobody else is named.
        ("10.0.0.1", &["10.0.0.5"], "10.0.0.5"),
        ("10.0.0.1", &["10.0.0.6, 10.0.0.5"], "10.0.0.6"),
        // Nothing is said.
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &[""], "10.0.0.1"),
        // Not from a proxy of ours.
        ("203.0.113.9", &["203.0.113.7"], "203.0.113.9"),
        ("192.0.2.2", &["203.0.113.7"], "192.0.2.2"),
        ("2001:db8::1", &["203.0.113.7"], "2001:db8::1"),
        // Nobody knows from where: a connection that was reset.
        ("", &["203.0.113.7"], ""),
    ];
    for (peer, lines, expected) in cases {
        let lines: Vec<_> = lines.iter().map(|line| ("X-Forwarded-For", *line)).collect();
        assert_eq!(found(&client_ip, peer, &lines), expected, "{peer:?} {lines:?}");
    }
}

#[test]
fn on_a_unix_socket_whoever_connects_is_a_proxy() {
    for (listed, line, expected) in [
        (&[][..], "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (&["10.0.0.0/8"], "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (&["10.0.0.0/8"], "10.0.0.2", "10.0.0.2"),
        (&[], "hidden", ""),
        (&[], "", ""),
    ] {
        let lines = [("x-forwarded-for", line)];
        assert_eq!(found(&over_unix_socket(listed), "", &lines), expected, "{line}");
        assert_eq!(found(&over_unix_socket(listed), "192.0.2.1", &lines), "192.0.2.1", "{line}");
    }
}

#[test]
fn what_cannot_be_read_ends_the_walk_and_is_never_an_address() {
    let client_ip = behind(&["10.0.0.0/8"], "x-forwarded-for");
    let unreadable = [
        "unknown",
        "_hidden",
        "localhost",
        "203.0.113",
        "203.0.113.256",
        "203.0.113.07",
        "0xcb.0.113.7",
        "3405803783",
        "203.0.113.7/32",
        "203.0.113.7 203.0.113.8",
        "203.0.113.7:",
        "203.0.113.7:port",
        "203.0.113.7:123456",
        "[203.0.113.7]",
        "[2001:db8::1",
        "[2001:db8::1]80",
        "[2001:db8::1]:",
        "2001:db8::1]",
        "fe80::1%eth0",
        "\"203.0.113.7\"",
        "for=203.0.113.7",
        "\u{661}.1.1.1",
        "café",
    ];
    for text in unreadable {
        let lines = [("x-forwarded-for", &*format!("6.6.6.6, {text}"))];
        assert_eq!(found(&client_ip, "10.0.0.1", &lines), "10.0.0.1", "{text}");
        let lines = [("x-forwarded-for", &*format!("6.6.6.6, {text}, 10.0.0.2"))];
        assert_eq!(found(&client_ip, "10.0.0.1", &lines), "10.0.0.2", "{text}");
    }
}

#[test]
fn no_other_field_is_read_than_the_one_that_is_configured() {
    let all = [
        ("x-forwarded-for", "203.0.113.1"),
        ("forwarded", "for=203.0.113.2"),
        ("x-real-ip", "203.0.113.3"),
        ("cf-connecting-ip", "203.0.113.4"),
    ];
    for (header, expected) in [
        ("X-Forwarded-For", "203.0.113.1"),
        ("Forwarded", "203.0.113.2"),
        ("X-Real-IP", "203.0.113.3"),
        ("CF-Connecting-IP", "203.0.113.4"),
        ("true-client-ip", "10.0.0.1"),
    ] {
        assert_eq!(found(&behind(&["10.0.0.1"], header), "10.0.0.1", &all), expected, "{header}");
        assert_eq!(found(&behind(&["10.0.0.1"], header), "10.0.0.2", &all), "10.0.0.2", "{header}");
    }
    assert_eq!(found(&ClientIp::peer(), "10.0.0.1", &all), "10.0.0.1");
    assert_eq!(found(&ClientIp::peer(), "", &all), "");
}

#[test]
fn hops_count_from_the_end_whatever_the_addresses() {
    let cases: [(u8, &str, &str, &str); 8] = [
        (1, "198.51.100.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1", "6.6.6.6, 203.0.113.7, 198.51.100.2", "203.0.113.7"),
        (3, "198.51.100.1", "203.0.113.7, 198.51.100.3, 198.51.100.2", "203.0.113.7"),
        // Fewer than there should be: the furthest that was told.
        (3, "198.51.100.1", "203.0.113.7", "203.0.113.7"),
        (3, "198.51.100.1", "", "198.51.100.1"),
        (3, "198.51.100.1", "6.6.6.6, oops, 203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1", "6.6.6.6, oops", "198.51.100.1"),
        (1, "", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
    ];
    for (count, peer, line, expected) in cases {
        let lines = [("x-forwarded-for", line)];
        let client_ip = hops(count, "x-forwarded-for");
        assert_eq!(found(&client_ip, peer, &lines), expected, "{count} hops: {line}");
    }
}

#[test]
fn whom_to_believe_is_a_matter_of_the_connection_alone() {
    let forged = [("x-forwarded-for", "10.0.0.1")];
    let is_trusted = |it: &ClientIp, peer| it.is_from_trusted_proxy(&request(peer, &forged));
    let listed = behind(&["10.0.0.0/8"], "x-forwarded-for");
    for (peer, expected) in [("10.0.0.1", true), ("::ffff:10.0.0.1", true), ("11.0.0.1", false)] {
        assert_eq!(is_trusted(&listed, peer), expected, "{peer}");
        assert!(!is_trusted(&ClientIp::peer(), peer), "{peer}");
        assert!(is_trusted(&hops(1, "x-forwarded-for"), peer), "{peer}");
    }
    for (client_ip, expected) in
        [(&listed, false), (&ClientIp::peer(), false), (&over_unix_socket(&[]), true)]
    {
        assert_eq!(is_trusted(client_ip, ""), expected, "{client_ip:?}");
    }
}

#[test]
fn a_silence_is_too_long_once_and_never_after_a_word() {
    let too_long = |silence: &Silence| (0..1_000).filter(|_| silence.goes_on_too_long()).count();
    let (never, once) = (Silence::default(), Silence::default());
    assert_eq!([too_long(&never), too_long(&never)], [1, 0]);
    once.end();
    assert_eq!(too_long(&once), 0);
}

/// A spelling of an IPv4 address.
fn spelled_v4(address: Ipv4Addr) -> impl Strategy<Value = String> {
    let [a, b, c, d] = address.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    prop::sample::select(vec![
        format!("{address}"),
        format!("::ffff:{address}"),
        format!("::FFFF:{high:x}:{low:x}"),
        format!("0:0:0:0:0:ffff:{high:04X}:{low:04x}"),
        format!("64:ff9b::{high:x}:{low:x}"),
        format!("0064:FF9B::{address}"),
    ])
}

/// A spelling of an IPv6 address.
fn spelled_v6(address: Ipv6Addr) -> impl Strategy<Value = String> {
    let groups = address.segments().map(|group| format!("{group:04x}")).join(":");
    prop::sample::select(vec![address.to_string(), groups.clone(), groups.to_uppercase()])
}

/// An address as a client has one, and two spellings of it.
fn spelled_twice() -> impl Strategy<Value = (String, String)> {
    let v4 = any::<Ipv4Addr>().prop_flat_map(|it| (spelled_v4(it), spelled_v4(it)));
    let v6 = any::<Ipv6Addr>().prop_flat_map(|it| (spelled_v6(it), spelled_v6(it)));
    prop_oneof![v4, v6]
}

/// How an entry of a field may write an address, by its field.
fn entry(header: &str, address: &str, form: usize) -> String {
    let is_v6 = address.contains(':');
    let (bare, bracketed) = (address.to_owned(), format!("[{address}]"));
    let host = if is_v6 { bracketed } else { bare.clone() };
    match (header, form % 4) {
        ("forwarded", 0) if !is_v6 => format!("for={bare}"),
        ("forwarded", 1) => format!("proto=https;FOR=\"{host}:_gw\""),
        ("forwarded", 2) => format!("For=\"{host}:443\"; by=_edge;host=\"a,b;c\\\"\""),
        ("forwarded", _) => format!("for=\"{host}\""),
        (_, 0) => bare,
        (_, 1) => host,
        (_, 2) => format!("{host}:65535"),
        (_, _) => format!(" \t{host}:1 "),
    }
}

proptest! {
    #[test]
    fn one_client_is_one_however_its_address_is_spelled_and_told(
        (one, other) in spelled_twice(),
        header in prop::sample::select(vec!["x-forwarded-for", "forwarded", "x-real-ip"]),
        forms: (usize, usize),
        length in 1..=128_u8,
    ) {
        let prefix = Ipv6Prefix::new(length).unwrap();
        let client_ip = hops(1, header);
        let told = |address: &str, form| {
            let line = entry(header, address, form);
            let found = client_ip.address(&request("192.0.2.1", &[(header, &line)]));
            found.map(|it| Identity::ip(it, prefix).to_string())
        };
        let connected = Identity::ip(one.parse().unwrap(), prefix).to_string();
        prop_assert_eq!(told(&one, forms.0), Some(connected.clone()));
        prop_assert_eq!(told(&other, forms.1), Some(connected));
        let peer = ClientIp::peer().address(&request(&other, &[])).unwrap();
        prop_assert_eq!(Identity::ip(peer, prefix).to_string(), told(&one, 0).unwrap());
    }
}

#[cfg(feature = "server")]
#[test]
fn a_trusted_proxy_alone_tells_of_a_client() {
    let listed = behind(&["10.0.0.0/8"], "x-forwarded-for");
    let told = |client_ip: &ClientIp, peer: &str, line: &str| {
        client_ip.is_told(&request(peer, &[("x-forwarded-for", line)]))
    };
    assert!(told(&listed, "10.0.0.1", "203.0.113.7"));
    assert!(told(&listed, "10.0.0.1", "10.0.0.1"), "a client on the proxy's own machine");
    assert!(told(&over_unix_socket(&[]), "", "203.0.113.7"));
    assert!(told(&hops(1, "x-forwarded-for"), "192.0.2.1", "203.0.113.7"));
    for line in ["", "unknown", "203.0.113.7, unknown"] {
        assert!(!told(&listed, "10.0.0.1", line), "{line}");
    }
    assert!(!told(&listed, "192.0.2.1", "203.0.113.7"));
    assert!(!told(&ClientIp::peer(), "192.0.2.1", "203.0.113.7"));
    assert!(!listed.is_told(&request("10.0.0.1", &[])));
}
