//! The body of a refused request is read only a little, or not at all.

use super::*;

const MIB: usize = 1_024 * 1_024;

const GIGABYTE: &str = "content-length: 1000000000";

/// Clients that are denied and blocked, on paths that take no body or are not there.
fn stand() -> (Stand, [(Ipv4Addr, &'static str, u16); 4]) {
    let options =
        memory().set("policies.default.quota", "1/52 weeks").set("access.block", "127.0.0.9");
    let stand = Stand::of(options, &[]);
    assert_eq!(stand.dial().ask(GET).status, 200);
    let refused = [
        (Ipv4Addr::LOCALHOST, "/api/data", 429),
        (Ipv4Addr::LOCALHOST, "/api/status", 405),
        (Ipv4Addr::LOCALHOST, "/nowhere", 404),
        (Ipv4Addr::new(127, 0, 0, 9), "/api/data", 403),
    ];
    (stand, refused)
}

/// What those get whose body is too large for anybody: who is let in hears of that first.
fn of_large(status: u16) -> u16 {
    if matches!(status, 404 | 405) { 413 } else { status }
}

fn post(path: &str, field: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: t\r\n{field}\r\n\r\n{body}")
}

#[test]
fn a_small_body_keeps_the_connection() {
    let (stand, refused) = stand();
    for (source, path, status) in refused {
        let mut client = stand.dial_from(source);
        let large = "x".repeat(16_384);
        for (field, body) in [
            ("content-length: 5", "12345"),
            ("content-length: 16384", &large),
            ("transfer-encoding: chunked", "5\r\n12345\r\n0\r\n\r\n"),
        ] {
            let answer = client.ask(post(path, field, body));
            assert_eq!((answer.status, answer.header("connection")), (status, None), "{field}");
        }
        // Also where it comes after the answer.
        assert_eq!(client.ask(post(path, "content-length: 5", "")).status, status);
        assert_eq!(client.ask(format!("12345{}", post(path, "x: y", ""))).status, status);
    }
}

#[test]
fn a_large_one_ends_it() {
    let (stand, refused) = stand();
    for (source, path, status) in refused {
        for (field, body) in [
            ("content-length: 16385", ""),
            (GIGABYTE, "12345"),
            ("transfer-encoding: chunked", ""),
            ("transfer-encoding: chunked", "5\r\n12345\r\n"),
        ] {
            let mut client = stand.dial_from(source);
            let answer = client.ask(post(path, field, body));
            let expected = if field == GIGABYTE { of_large(status) } else { status };
            assert_eq!((answer.status, answer.header("connection")), (expected, Some("close")));
            client.ends();
        }
    }
}

#[test]
fn who_goes_on_sending_is_cut() {
    let (stand, refused) = stand();
    for (source, path, status) in refused {
        for (field, part) in [
            (GIGABYTE, "x".repeat(65_536)),
            ("transfer-encoding: chunked", format!("10000\r\n{}\r\n", "x".repeat(65_536))),
        ] {
            let mut client = stand.dial_from(source);
            client.say(post(path, field, ""));
            let mut sent = 0;
            while sent < 1_000 * MIB && client.try_say(&part).is_ok() {
                sent += part.len();
            }
            // What the system holds between them is the most of it.
            assert!(sent < 20 * MIB, "{status} {field}: it took {sent} bytes");
        }
        // Who stops to read the answer gets it.
        let mut client = stand.dial_from(source);
        client.say(post(path, GIGABYTE, &"x".repeat(100_000)));
        assert_eq!(client.answer().status, of_large(status));
    }
    assert_eq!(stand.dial().ask("GET /api/status HTTP/1.1\r\nhost: t\r\n\r\n").status, 200);
}

#[test]
fn a_request_in_a_body_is_none() {
    let (stand, refused) = stand();
    let inner = "GET /api/status HTTP/1.1\r\nhost: t\r\n\r\n";
    for (source, path, status) in refused {
        for field in [
            "content-length: 1000000",
            "content-length: 5000",
            "transfer-encoding: chunked",
            "expect: 100-continue\r\ncontent-length: 5000",
        ] {
            let mut client = stand.dial_from(source);
            client.say(post(path, field, &inner.repeat(20)));
            client.half_close();
            assert_eq!(client.answer().status, status, "{field}");
            client.ends();
        }
        let mut client = stand.dial_from(source);
        let length = format!("content-length: {}", inner.len());
        client.say(post(path, &length, inner) + &post(path, "x: y", "") + "X");
        client.half_close();
        assert_eq!([client.answer().status, client.answer().status], [status; 2]);
        client.ends();
    }
}
