//! The body of a request must come in time, and has a size limit.

use super::*;

fn head(method: &str, field: &str) -> String {
    format!("{method} /api/data HTTP/1.1\r\nhost: t\r\n{field}\r\n\r\n")
}

#[test]
fn one_that_drips_is_cut() {
    let stand = Stand::with(&[("body_timeout_ms", "300")]);
    let (chunked, length) = ("transfer-encoding: chunked\r\n\r\n", "content-length: 10000\r\n\r\n");
    let cases = [
        ("GET", chunked, "1\r\nx\r\n", 200),
        ("GET", length, "x", 200),
        ("POST", length, "x", 405),
        // What is said about a chunk, and after the last, are parts of a body as well.
        ("GET", chunked, "1;x=y\r\nx\r\n", 200),
        ("GET", "transfer-encoding: chunked\r\n\r\n1;x", "x", 200),
        ("GET", "transfer-encoding: chunked\r\n\r\n0\r\nx: ", "x", 200),
    ];
    for (count, (method, field, drop, status)) in (1..).zip(cases) {
        let mut client = stand.dial();
        client.say(format!("{method} /api/data HTTP/1.1\r\nhost: t\r\n{field}"));
        let drip = client.drip(drop, usize::MAX);
        // The answer does not wait for it.
        assert_eq!(client.answer().status, status);
        client.ends();
        drip.join().expect("no panic");
        assert_eq!(stand.acted("body_timeout_ms"), count, "{method} {field}");
    }
}

#[test]
fn one_that_does_not_come_is_cut() {
    let stand = Stand::with(&[("body_timeout_ms", "100")]);
    for (count, method) in [(1, "GET"), (2, "POST")] {
        let mut client = stand.dial();
        client.say(head(method, "content-length: 5") + "1234");
        client.answer();
        client.ends();
        assert_eq!(stand.acted("body_timeout_ms"), count);
    }
    let mut client = stand.dial_admin();
    client.say("GET /ready HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    client.ends();
    assert_eq!(stand.acted_on_admin("body_timeout_ms"), 1);
}

#[test]
fn one_that_keeps_the_least_rate_may_take_longer() {
    let stand = Stand::with(&[("body_timeout_ms", "1000")]);
    let mut client = stand.dial();
    // Each part gives it two seconds more.
    let (parts, part) = (70, "x".repeat(1_000));
    assert_eq!(client.ask(head("GET", &format!("content-length: {}", 1_000 * parts))).status, 200);
    client.drip(&part, parts).join().expect("no panic");
    assert_eq!(client.ask(GET).status, 200);
    assert_eq!(stand.acted("body_timeout_ms"), 0);
}

#[test]
fn one_that_is_said_to_be_too_large_is_413_and_charged() {
    let options = memory().set("policies.default.quota", "4/52 weeks");
    let stand = Stand::of(options, &[("max_body_bytes", "10")]);
    let large = head("GET", "content-length: 11") + "12345678901";
    for (count, left) in [(1, 3), (2, 2)] {
        let mut client = stand.dial();
        let answer = client.ask(&large);
        assert_eq!((answer.status, answer.header("content-type")), (413, Some("application/json")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("connection"), Some("close"));
        client.ends();
        let standing = answer.header("ratelimit").expect("it is charged");
        assert!(standing.contains(&format!(";r={left};")), "{standing}");
        assert_eq!(stand.acted("max_body_bytes"), count);
    }
    let mut client = stand.dial();
    for _ in 0..2 {
        let most = head("GET", "content-length: 10") + "1234567890";
        assert_eq!(client.ask(most).status, 200);
    }
    // Who is denied hears that, whatever he sends.
    assert_eq!(client.ask(&large).status, 429);
    assert_eq!(stand.acted("max_body_bytes"), 2);
    let mut client = stand.dial();
    let gigabyte = head("POST", "content-length: 1000000000");
    assert_eq!(client.ask(gigabyte).status, 429);
}

#[test]
fn one_that_becomes_too_large_is_cut() {
    let stand = Stand::with(&[("max_body_bytes", "10")]);
    let chunked = head("GET", "transfer-encoding: chunked");
    let mut client = stand.dial();
    for _ in 0..2 {
        assert_eq!(
            client.ask(format!("{chunked}5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n")).status,
            200
        );
    }
    assert_eq!(
        client.ask(format!("{chunked}5\r\n12345\r\n6\r\n123456\r\n0\r\n\r\n{GET}")).status,
        200
    );
    client.ends();
    assert_eq!(stand.acted("max_body_bytes"), 1);
}

#[test]
fn what_is_said_about_chunks_has_a_bound() {
    let stand = Stand::with(&[]);
    let mut client = stand.dial();
    client.say(head("GET", "transfer-encoding: chunked"));
    assert_eq!(client.answer().status, 200);
    let mut sent = 0_usize;
    let part = "1;".to_owned() + &"x".repeat(10_000) + "\r\ny\r\n";
    while sent < 64 * 1_024 * 1_024 && client.try_say(&part).is_ok() {
        sent += part.len();
    }
    assert!(sent < 20 * 1_024 * 1_024, "it took {sent} bytes");
    client.ends();
    assert_eq!(stand.acted("max_body_bytes"), 1);
}
