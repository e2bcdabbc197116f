//! Whose quota an address is, behind proxies and in IPv6 networks.

use super::*;
use crate::domain::key::Ipv6Prefix;

fn from(address: &str) -> TestRequest {
    TestRequest::get().peer_addr(std::net::SocketAddr::new(address.parse().unwrap(), 1))
}

#[test]
fn a_site_that_rotates_its_networks_is_stopped_by_the_larger_quota() {
    run(async {
        let by_ip = |name, quota| policy(name, quota).with_key(KeySource::Ip);
        let site = by_ip("site", "3/minute").with_ipv6_prefix(Ipv6Prefix::new(48).unwrap());
        let limiter = in_memory([by_ip("each", "2/minute"), site]).build().unwrap();
        let rate_limit = RateLimit::new(limiter).policies(["each", "site"]).unwrap();
        let app = App::new().wrap(rate_limit).route("/", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
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
            let seen = send(&app, from(address).to_request()).await;
            assert_eq!(seen.field("ratelimit"), Some(expected), "{address}");
        }
    });
}

#[test]
fn behind_a_proxy_each_client_has_its_own_quota() {
    run(async {
        let client_ip =
            ClientIp::behind(["10.0.0.0/8".parse().unwrap()], "x-real-ip".parse().unwrap());
        let rate_limit = default_of("1/minute").client_ip(client_ip);
        let app = App::new().wrap(rate_limit).route("/", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        for (peer, told, expected) in [
            ("10.0.0.1", "203.0.113.7", 200),
            ("10.0.0.1", "203.0.113.8", 200),
            ("10.0.0.2", "203.0.113.7", 429),
            // The client itself, past the proxy.
            ("203.0.113.7", "203.0.113.9", 429),
            ("203.0.113.9", "203.0.113.7", 200),
            ("203.0.113.9", "203.0.113.10", 429),
        ] {
            let request = from(peer).insert_header(("x-real-ip", told)).to_request();
            assert_eq!(send(&app, request).await.status, expected, "{told} by {peer}");
        }
    });
}

#[test]
fn lists_go_by_the_address_that_quotas_go_by() {
    run(async {
        let entries =
            |texts: &[&str]| texts.iter().map(|it| it.parse().unwrap()).collect::<Vec<_>>();
        let limiter = in_memory([policy("default", "1/minute").with_key(KeySource::Ip)])
            .allow(entries(&["10.0.0.0/8", "64:ff9b::203.0.113.7"]))
            .block(entries(&["192.0.2.0/24"]))
            .build()
            .unwrap();
        let client_ip =
            ClientIp::behind(["10.0.0.0/8".parse().unwrap()], "x-real-ip".parse().unwrap());
        let rate_limit = RateLimit::new(limiter).policies(["default"]).unwrap();
        let rate_limit = rate_limit.client_ip(client_ip);
        let app = App::new().wrap(rate_limit).route("/", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        for (peer, told, expected) in [
            ("10.0.0.1", "192.0.2.1", 403),
            ("::ffff:10.0.0.1", "::ffff:192.0.2.1", 403),
            ("10.0.0.1", "203.0.113.7", 200),
            ("10.0.0.1", "::ffff:203.0.113.7", 200),
            // That the proxy is allowed is nothing to its clients.
            ("10.0.0.1", "203.0.113.8", 200),
            ("10.0.0.1", "203.0.113.8", 429),
            // Whoever is no proxy neither frees nor blocks itself, or others.
            ("203.0.113.9", "203.0.113.7", 200),
            ("203.0.113.9", "203.0.113.7", 429),
            ("192.0.2.1", "203.0.113.7", 403),
        ] {
            let request = from(peer).insert_header(("x-real-ip", told)).to_request();
            assert_eq!(send(&app, request).await.status, expected, "{told} by {peer}");
        }
    });
}
