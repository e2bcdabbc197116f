//! Whose quota an address is: on connections of their own, behind proxies, and in IPv6 networks.

use std::net::Ipv4Addr;

use tollgate::{AccessEntry, ClientIp, Ipv6Prefix, KeySource};

use super::{
    Counts, Door, Limit, Served, behind_a_proxy, on_each_store, policy, through_each_door,
};
use crate::support::raw::{connect_from, get};

through_each_door! {
    each_address_has_its_own_quota,
    behind_a_proxy_each_client_has_its_own_quota,
    without_a_proxy_nobody_chooses_the_own_address,
    hops_are_counted_from_the_end,
    lists_go_by_the_address_that_quotas_go_by,
    a_site_that_rotates_its_networks_is_stopped_by_the_larger_quota,
}

/// Proxies at `127.0.0.16` to `127.0.0.31`.
fn some_proxies() -> ClientIp {
    let networks = ["127.0.0.16/28".parse().expect("a network")];
    ClientIp::behind(networks, "x-real-ip".parse().expect("a header field"))
}

/// The status of a request on a connection from `127.0.0.peer`, with these header fields.
fn from(served: &Served, peer: u8, lines: &[(&str, &str)]) -> u16 {
    get(connect_from(Ipv4Addr::new(127, 0, 0, peer), served.port), "/", lines).status
}

fn each_address_has_its_own_quota(door: Door) {
    on_each_store(|counts| {
        let served = counts.default_of("2/minute").serve(door);
        let seen = [2, 2, 3, 2, 3, 3].map(|peer| from(&served, peer, &[]));
        assert_eq!(seen, [200, 200, 200, 429, 200, 429]);
    });
}

fn behind_a_proxy_each_client_has_its_own_quota(door: Door) {
    on_each_store(|counts| {
        let served =
            Limit { client_ip: some_proxies(), ..counts.default_of("1/minute") }.serve(door);
        for (peer, told, expected) in [
            (16, "127.0.0.7", 200),
            (16, "127.0.0.8", 200),
            (17, "127.0.0.7", 429),
            // The client itself, past the proxy.
            (7, "127.0.0.9", 429),
            (9, "127.0.0.7", 200),
            (9, "127.0.0.10", 429),
        ] {
            let status = from(&served, peer, &[("x-real-ip", told)]);
            assert_eq!(status, expected, "{told} by {peer}");
        }
    });
}

fn lists_go_by_the_address_that_quotas_go_by(door: Door) {
    let entries = |texts: &[&str]| -> Vec<AccessEntry> {
        texts.iter().map(|text| text.parse().expect("an entry")).collect()
    };
    let limiter = Counts::in_memory()
        .limiter([policy("default", "1/minute").with_key(KeySource::Ip)])
        .allow(entries(&["127.0.0.16/28", "64:ff9b::203.0.113.7"]))
        .block(entries(&["192.0.2.0/24", "127.0.0.66"]));
    let limit = Limit { client_ip: some_proxies(), ..Limit::by(limiter, ["default"]) };
    let served = limit.serve(door);
    for (peer, told, expected) in [
        (16, "192.0.2.1", 403),
        (16, "::ffff:192.0.2.1", 403),
        (16, "203.0.113.7", 200),
        (16, "203.0.113.7", 200),
        (16, "::ffff:203.0.113.7", 200),
        // That the proxy is allowed is nothing to its clients.
        (16, "203.0.113.8", 200),
        (16, "203.0.113.8", 429),
        // Whoever is no proxy neither frees nor blocks itself, or others.
        (9, "203.0.113.7", 200),
        (9, "203.0.113.7", 429),
        (9, "192.0.2.1", 429),
        (66, "203.0.113.7", 403),
    ] {
        let status = from(&served, peer, &[("x-real-ip", told)]);
        assert_eq!(status, expected, "{told} by {peer}");
    }
}

fn without_a_proxy_nobody_chooses_the_own_address(door: Door) {
    let served = Counts::in_memory().default_of("1/minute").serve(door);
    for (told, expected) in [("1.1.1.1", 200), ("1.1.1.2", 429), ("1.1.1.3", 429)] {
        for field in ["x-real-ip", "x-forwarded-for"] {
            let status = from(&served, 2, &[(field, told)]);
            assert!([expected, 429].contains(&status), "{field}: {told}");
        }
    }
    // A trusted proxy is believed from the end, and no further than it wrote.
    let networks = ["127.0.0.0/8".parse().expect("a network")];
    let client_ip = ClientIp::behind(networks, "x-forwarded-for".parse().expect("a field"));
    let limit = Limit { client_ip, ..Counts::in_memory().default_of("1/minute") };
    let served = limit.serve(door);
    for (told, expected) in [
        ("203.0.113.7", 200),
        ("1.1.1.1, 203.0.113.7", 429),
        ("203.0.113.8, 203.0.113.7, 127.0.0.9", 429),
        ("203.0.113.8, nonsense, 203.0.113.7", 429),
        ("203.0.113.7, 203.0.113.8", 200),
    ] {
        assert_eq!(from(&served, 2, &[("x-forwarded-for", told)]), expected, "{told}");
    }
}

fn hops_are_counted_from_the_end(door: Door) {
    let hops = 2.try_into().expect("not zero");
    let client_ip = ClientIp::hops(hops, "x-forwarded-for".parse().expect("a field"));
    let limit = Limit { client_ip, ..Counts::in_memory().default_of("1/minute") };
    let served = limit.serve(door);
    let first = ("x-forwarded-for", "203.0.113.7");
    let second = ("x-forwarded-for", "203.0.113.8");
    // Lines are one list, in their order.
    for (lines, expected) in
        [(&[first, second], 200), (&[first, first], 429), (&[second, first], 200)]
    {
        assert_eq!(from(&served, 2, lines), expected, "{lines:?}");
    }
}

fn a_site_that_rotates_its_networks_is_stopped_by_the_larger_quota(door: Door) {
    on_each_store(|counts| {
        let by_ip = |name, quota| policy(name, quota).with_key(KeySource::Ip);
        let site = by_ip("site", "3/minute").with_ipv6_prefix(Ipv6Prefix::new(48).expect("48"));
        let limit = Limit::by(counts.limiter([by_ip("each", "2/minute"), site]), ["each", "site"]);
        let served = Limit { client_ip: behind_a_proxy(), ..limit }.serve(door);
        for (address, expected) in [
            ("2001:db8:1:1::1", r#""each";r=1;t=42, "site";r=2;t=42"#),
            ("2001:db8:1:1::2", r#""each";r=0;t=42, "site";r=1;t=42"#),
            ("2001:db8:1:1::3", r#""each";r=0;t=42"#),
            ("2001:db8:1:2::1", r#""each";r=1;t=42, "site";r=0;t=42"#),
            // Denied by the one, and not charged by the other.
            ("2001:db8:1:3::1", r#""site";r=0;t=42"#),
            ("2001:db8:1:2::1", r#""site";r=0;t=42"#),
            ("2001:db8:2:1::1", r#""each";r=1;t=42, "site";r=2;t=42"#),
            // IPv4 has one address for one client, however large the networks are.
            ("203.0.113.7", r#""each";r=1;t=42, "site";r=2;t=42"#),
            ("203.0.113.8", r#""each";r=1;t=42, "site";r=2;t=42"#),
        ] {
            let seen = served.ask("GET", "/", &[("x-real-ip", address)]);
            assert_eq!(seen.header("ratelimit"), Some(expected), "{address}");
        }
    });
}
