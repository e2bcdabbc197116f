//! Attempts to be counted as another client, or as no known client, against the running app.

use std::net::{Ipv4Addr, TcpListener};

use crate::support::http::Response;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::raw::{connect_from, get};
use crate::support::redis::Server;

mod forged;
mod unix_socket;
mod warnings;

/// A proxy that is listed, and a client that is not.
const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// The app over a Redis of its own, in which one can see who was counted.
struct Stand {
    redis: Server,
    port: u16,
    tollgate: Tollgate,
}

impl Stand {
    fn of(options: Options) -> Self {
        let port = port::free();
        Self::on(&format!("127.0.0.1:{port}"), port, options)
    }

    fn on(listen: &str, port: u16, options: Options) -> Self {
        let redis = Server::start();
        // In a window whose edge no test lives to see; a busy machine is no dead store.
        let options = options
            .env("TOLLGATE_POLICIES__DEFAULT__QUOTA", "1000/52 weeks")
            .set("store.url", &redis.url())
            .set("store.timeout_ms", "10000");
        let mut tollgate = options.serve_on(listen, port);
        tollgate.wait_for_line("answers: counting there");
        Self { redis, port, tollgate }
    }

    fn get(&self, source: Ipv4Addr, lines: &[(&str, &str)]) -> Response {
        get(connect_from(source, self.port), "/api/data", lines)
    }

    /// Who was counted for a request from `source` with these lines.
    fn counted(&self, source: Ipv4Addr, lines: &[(&str, &str)]) -> Vec<String> {
        self.forget();
        let response = self.get(source, lines);
        assert_eq!(response.status, 200, "{response:?}");
        self.everyone_counted()
    }

    fn forget(&self) {
        let () = redis::cmd("FLUSHALL").query(&mut self.redis.connection()).expect("it forgets");
    }

    /// Who was counted: the parts of keys in braces.
    fn everyone_counted(&self) -> Vec<String> {
        let keys = self.redis.dump().into_keys().map(|key| String::from_utf8(key).expect("text"));
        keys.filter_map(|key| Some(key.split_once('{')?.1.split_once('}')?.0.to_owned())).collect()
    }
}

/// Behind [`PROXY`] and another, with `header`.
fn behind(header: &str) -> Options {
    Options::default()
        .set("client_ip.trusted_proxies", "127.0.0.2, 127.0.0.3, 10.0.0.0/8, fd00::/8")
        .set("client_ip.header", header)
}

#[test]
fn a_client_behind_a_proxy_is_counted_by_its_own_address() {
    let stand = Stand::of(behind("x-forwarded-for"));
    for (line, expected) in [
        ("203.0.113.7", "ip:203.0.113.7"),
        ("203.0.113.7:5000", "ip:203.0.113.7"),
        ("::ffff:203.0.113.7", "ip:203.0.113.7"),
        ("[::FFFF:cb00:7107]:80", "ip:203.0.113.7"),
        ("64:ff9b::203.0.113.7", "ip:203.0.113.7"),
        ("203.0.113.7, 10.0.0.1, fd00::2", "ip:203.0.113.7"),
        ("2001:db8:0:1::1", "ip:2001:db8:0:1::/64"),
        ("[2001:DB8:0:1:ffff:ffff:ffff:ffff]:443", "ip:2001:db8:0:1::/64"),
        ("2001:0db8:0000:0001:0:0:0:1", "ip:2001:db8:0:1::/64"),
    ] {
        assert_eq!(stand.counted(PROXY, &[("X-Forwarded-For", line)]), [expected], "{line}");
    }
}

#[test]
fn an_address_of_a_socket_for_both_families_is_the_one_of_its_client() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // A machine without IPv6 has no such socket.
    }
    let port = port::free();
    let stand = Stand::on(&format!("[::]:{port}"), port, behind("x-forwarded-for"));
    // The listener sees ::ffff:127.0.0.9 and ::ffff:127.0.0.2.
    assert_eq!(stand.counted(CLIENT, &[("x-forwarded-for", "203.0.113.7")]), ["ip:127.0.0.9"]);
    assert_eq!(stand.counted(PROXY, &[("x-forwarded-for", "203.0.113.7")]), ["ip:203.0.113.7"]);
}

#[test]
fn hops_count_from_the_end() {
    let options = Options::default().set("client_ip.hops", "2");
    let stand = Stand::of(options);
    let counted = |lines: &[(&str, &str)]| stand.counted(CLIENT, lines);
    let told = |line| counted(&[("x-forwarded-for", line)]);
    assert_eq!(told("6.6.6.6, 203.0.113.7, 198.51.100.1"), ["ip:203.0.113.7"]);
    assert_eq!(told("6.6.6.6, oops, 198.51.100.1"), ["ip:198.51.100.1"]);
    assert_eq!(told("198.51.100.1"), ["ip:198.51.100.1"]);
    assert_eq!(counted(&[]), ["ip:127.0.0.9"]);
    let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.7,198.51.100.1")];
    assert_eq!(counted(&lines), ["ip:203.0.113.7"]);
}

#[test]
fn a_network_and_the_site_that_it_is_in_are_counted_in_one_decision() {
    let stand = Stand::of(behind("x-forwarded-for").config(
        "[policies.default]\nkey = \"ip\"\n\
         [policies.site]\nquota = \"3/52 weeks\"\nkey = \"ip\"\nipv6_prefix = 48\n\
         [routes.\"/api/data\"]\npolicies = [\"default\", \"site\"]",
    ));
    let lines = [("x-forwarded-for", "2001:db8:5:1::7")];
    assert_eq!(stand.counted(PROXY, &lines), ["ip:2001:db8:5:1::/64", "ip:2001:db8:5::/48"]);
    // Whoever has the /48 takes a new /64 each time, and is stopped.
    let statuses: Vec<u16> = (0..6)
        .map(|network| {
            let address = format!("2001:db8:5:{network:x}::{network:x}");
            stand.get(PROXY, &[("x-forwarded-for", &address)]).status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 429, 429, 429, 429]);
    assert_eq!(stand.get(PROXY, &[("x-forwarded-for", "2001:db8:6::1")]).status, 200);
}

#[test]
fn rotated_addresses_of_one_network_share_its_quota() {
    let stand = Stand::of(behind("x-forwarded-for").set("policies.default.quota", "5/52 weeks"));
    let statuses: Vec<u16> = (1..=10_u32)
        .map(|host| {
            let address = format!("2001:db8::{:x}:{host:x}", host * 0x1357);
            stand.get(PROXY, &[("x-forwarded-for", &address)]).status
        })
        .collect();
    assert_eq!(statuses, [[200; 5], [429; 5]].concat());
}
