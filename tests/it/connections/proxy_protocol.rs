//! `server.proxy_protocol`: a trusted proxy says whose a connection is, and nobody else does.

use std::io::{Read, Write};

use tempfile::TempDir;

use super::*;
use crate::support::raw::connect_unix;
use crate::support::threads::until;

/// From 192.0.2.1, as text.
const V1: &[u8] = b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n";

/// From 192.0.2.1, binary, with a value that says nothing to us.
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x01\x0a\0\0\x01\x12\x67\0\x50\x04\0\x02ab";

/// From the proxy itself.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// The proxy is at 127.0.0.1, and another in front of it at 10.0.0.9.
fn stand(settings: &[(&str, &str)]) -> Stand {
    Stand::of(options(), &[&[("proxy_protocol", "required")], settings].concat())
}

fn options() -> Options {
    memory()
        .set("policies.default.quota", "100/52 weeks")
        .set("client_ip.trusted_proxies", "127.0.0.1, 10.0.0.9")
}

/// What the client of the next answer has left of its hundred.
fn left<S: Read + Write>(client: &mut Conversation<S>) -> u64 {
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    let field = answer.header("ratelimit").expect("the field");
    let (_, rest) = field.split_once(";r=").expect("what remains");
    rest.split(';').next().expect("a number").parse().expect("a number")
}

#[test]
fn both_versions_say_who_the_client_is_however_they_arrive() {
    let stand = stand(&[]);
    for (header, expected) in [(V1, [99, 98, 97, 96]), (V2, [95, 94, 93, 92])] {
        // With the first request in one packet, and a second one on the same connection.
        let mut client = stand.dial();
        client.say([header, GET.as_bytes(), GET.as_bytes()].concat());
        let mut seen = vec![left(&mut client), left(&mut client)];
        // By itself, long before any request.
        let mut alone = stand.dial();
        alone.say(header);
        // Byte by byte.
        let mut slow = stand.dial();
        for byte in [header, GET.as_bytes()].concat() {
            slow.say([byte]);
        }
        seen.push(left(&mut slow));
        alone.say(GET);
        seen.push(left(&mut alone));
        assert_eq!(seen, expected);
    }
    let mut other = stand.dial();
    other.say([b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 80\r\n", GET.as_bytes()].concat());
    assert_eq!(left(&mut other), 99, "another client");
    assert_eq!(stand.acted("proxy_protocol"), 0);
}

#[test]
fn a_forged_header_of_a_peer_that_is_no_proxy_is_not_read() {
    let stand = stand(&[]);
    for (count, bytes) in (1..).zip([V1, V2, LOCAL, GET.as_bytes()]) {
        let mut stranger = stand.dial_from(address(1));
        // It may be closed already.
        let _ = stranger.try_say([bytes, GET.as_bytes()].concat());
        stranger.ends();
        assert_eq!(stand.acted("proxy_protocol"), count);
    }
    stand.dial_from(address(2)).ends();
    let mut client = stand.dial();
    client.say([V1, GET.as_bytes()].concat());
    assert_eq!(left(&mut client), 99, "nothing was charged before");
}

#[test]
fn a_proxy_that_sends_no_header_is_closed() {
    let stand = stand(&[]);
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(200));
    let claims_much = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff";
    let wrong: [&[u8]; 8] = [
        GET.as_bytes(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"PROXY TCP4 192.0.2.1 10.0.0.1 4711\r\n",
        b"PROXY TCP4 not-an-address 10.0.0.1 4711 80\r\n",
        long.as_bytes(),
        claims_much,
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04\x01\x02\x03\x04",
    ];
    for (count, bytes) in (1..).zip(wrong) {
        let mut proxy = stand.dial();
        let _ = proxy.try_say(bytes);
        proxy.ends();
        assert_eq!(stand.acted("proxy_protocol"), count, "{}", bytes.escape_ascii());
    }
    // One that is cut off counts as well, and one that only looks whether the port is open does not.
    let mut cut_off = stand.dial();
    cut_off.say(&V2[..20]);
    cut_off.half_close();
    cut_off.ends();
    assert_eq!(stand.acted("proxy_protocol"), 9);
    let mut curious = stand.dial();
    curious.half_close();
    curious.ends();
    assert_eq!(stand.acted("proxy_protocol"), 9);
    until("all are gone", || stand.open() == 0);
}

#[test]
fn a_header_must_come_in_time() {
    let stand = stand(&[("header_timeout_ms", "300")]);
    for (count, begin) in (1..).zip([&b""[..], b"PROXY UNKNOWN ", &V2[..15]]) {
        let mut client = stand.dial();
        client.say(begin);
        client.ends();
        assert_eq!(stand.acted("header_timeout_ms"), count);
    }
    let client = stand.dial();
    let mut begun = stand.dial();
    begun.say(b"PROXY UNKNOWN ");
    // Each byte comes well within the time limit, and the header would be too long in the end.
    let drip = begun.drip("x", 60);
    begun.ends();
    drip.join().expect("no panic");
    client.ends();
    assert_eq!((stand.acted("header_timeout_ms"), stand.acted("proxy_protocol")), (5, 0));
}

#[test]
fn header_fields_are_read_from_the_proxy_itself_or_from_a_proxy_that_it_names() {
    let stand = stand(&[]);
    let forwarded = "GET /api/data HTTP/1.1\r\nhost: t\r\nx-forwarded-for: 198.51.100.7\r\n\r\n";
    let by_edge = b"PROXY TCP4 10.0.0.9 10.0.0.1 4711 80\r\n";
    let ask = |header: &[u8]| {
        let mut client = stand.dial();
        client.say([header, forwarded.as_bytes()].concat());
        left(&mut client)
    };
    assert_eq!(ask(V1), 99, "192.0.2.1, whatever it claims");
    assert_eq!(ask(V2), 98);
    // 198.51.100.7, in the words of three proxies.
    assert_eq!([ask(LOCAL), ask(b"PROXY UNKNOWN\r\n"), ask(by_edge)], [99, 98, 97]);
}

#[test]
fn the_client_that_is_named_has_its_most_connections_and_can_be_blocked() {
    let settings = [("max_connections_per_ip", "2"), ("proxy_protocol", "required")];
    let stand = Stand::of(options().set("access.block", "203.0.113.0/24"), &settings);
    let mut open: Vec<_> = (0..2).map(|_| stand.dial()).collect();
    for client in &mut open {
        client.say([V1, GET.as_bytes()].concat());
        left(client);
    }
    let mut third = stand.dial();
    let _ = third.try_say([V2, GET.as_bytes()].concat());
    third.ends();
    assert_eq!(stand.acted("max_connections_per_ip"), 1);
    let mut other = stand.dial();
    other.say([b"PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\n", GET.as_bytes()].concat());
    assert_eq!(other.answer().status, 403);
    open.pop();
    until("it is gone", || stand.open() == 2);
    let mut next = stand.dial();
    next.say([V2, GET.as_bytes()].concat());
    assert_eq!(left(&mut next), 97);
}

#[test]
fn every_peer_of_a_unix_socket_is_a_proxy() {
    let directory = TempDir::with_prefix("tollgate-socket-").expect("a temporary directory");
    let path = directory.path().join("socket");
    let listen = format!("unix:{}", path.display());
    let options = memory().set("policies.default.quota", "100/52 weeks");
    let stand = Stand::on(options, &[("proxy_protocol", "required")], &listen, port::free());
    for (header, expected) in [(V1, 99), (V2, 98), (b"PROXY TCP4 192.0.2.2 1.1.1.1 1 1\r\n", 99)] {
        let mut client = Conversation::over(connect_unix(&path));
        client.say([header, GET.as_bytes()].concat());
        assert_eq!(left(&mut client), expected);
    }
    let mut wrong = Conversation::over(connect_unix(&path));
    let _ = wrong.try_say(GET);
    wrong.ends();
    assert_eq!(stand.acted("proxy_protocol"), 1);
}

#[test]
fn where_it_is_off_a_header_is_a_bad_request() {
    let stand = Stand::of(options(), &[]);
    for header in [V1, V2] {
        let mut client = stand.dial();
        client.say([header, GET.as_bytes()].concat());
        assert_eq!(client.answer().status, 400);
    }
    assert_eq!(stand.acted("proxy_protocol"), 0);
}

#[test]
fn the_gate_takes_the_same_header() {
    let gate = port::free();
    let options = options().set("gate.listen", &format!("127.0.0.1:{gate}"));
    let stand = Stand::of(options.set("gate.proxy_protocol", "required"), &[]);
    let health = b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n";
    let dial = |source| Conversation::over(connect_from(source, gate));
    for header in [V1, V2, LOCAL] {
        let mut proxy = dial(Ipv4Addr::LOCALHOST);
        proxy.say([header, health].concat());
        assert_eq!(proxy.answer().status, 200);
    }
    // 10.0.0.9 asks as a proxy does, and 192.0.2.1 may not.
    let question = "GET /v1/auth?proxy=caddy HTTP/1.1\r\nhost: t\r\nx-forwarded-method: GET\r\n\
        x-forwarded-uri: /api/data\r\nx-forwarded-for: 198.51.100.7\r\n\r\n";
    for (header, expected) in [(V1, 403), (b"PROXY TCP4 10.0.0.9 10.0.0.1 1 1\r\n", 200)] {
        let mut proxy = dial(Ipv4Addr::LOCALHOST);
        proxy.say([header, question.as_bytes()].concat());
        assert_eq!(proxy.answer().status, expected);
    }
    let mut stranger = dial(address(1));
    let _ = stranger.try_say([LOCAL, health].concat());
    stranger.ends();
    assert_eq!(stand.metric(&limits("gate", "proxy_protocol")), 1);
    assert_eq!(stand.dial().ask(GET).status, 200, "the app does not ask for it");
}
