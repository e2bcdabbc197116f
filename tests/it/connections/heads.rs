//! The head of a request must come in time, and has a size limit.

use super::*;

const PART: &str = "GET /api/data HTTP/1.1\r\nhost: t\r\nx-slow: ";

#[test]
fn one_that_never_ends_is_refused_on_each_request_of_a_connection() {
    let stand = Stand::with(&[("header_timeout_ms", "200")]);
    let began: [(&str, usize); 4] = [
        (PART, 0),
        // Later on a connection, alone or with the request before.
        (&format!("{GET}{PART}"), 1),
        (&format!("{GET}{GET}{GET}G"), 3),
        ("G", 0),
    ];
    for (count, (begin, answers)) in (1..).zip(began) {
        let mut client = stand.dial();
        client.say(begin);
        for _ in 0..answers {
            assert_eq!(client.answer().status, 200);
        }
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
        client.ends();
        assert_eq!(stand.acted("header_timeout_ms"), count, "{begin:?}");
    }
    let mut client = stand.dial_admin();
    client.say("GET /ready HTTP/1.1\r\n");
    assert_eq!(client.answer().status, 408);
    assert_eq!(stand.acted_on_admin("header_timeout_ms"), 1);
}

#[test]
fn one_that_drips_gets_no_more_time() {
    let stand = Stand::with(&[("header_timeout_ms", "300")]);
    for answered in [false, true] {
        let mut client = stand.dial();
        if answered {
            client.ask(GET);
        }
        client.say(PART);
        // Each comes well within the time limit.
        let drip = client.drip("x", usize::MAX);
        assert_eq!(client.answer().status, 408);
        client.ends();
        drip.join().expect("no panic");
    }
    assert_eq!(stand.acted("header_timeout_ms"), 2);
}

#[test]
fn who_sends_nothing_is_closed() {
    let stand = Stand::with(&[("header_timeout_ms", "100")]);
    stand.dial().ends();
    assert_eq!(stand.acted("header_timeout_ms"), 1);
    stand.dial_admin().ends();
    assert_eq!(stand.acted_on_admin("header_timeout_ms"), 1);
}

#[test]
fn empty_lines_between_requests_begin_none() {
    let settings = [("header_timeout_ms", "100"), ("keep_alive_ms", "700")];
    let stand = Stand::with(&settings);
    let mut client = stand.dial();
    assert_eq!(client.ask(format!("\r\n\r\n{GET}\r\n")).status, 200);
    client.say("\r\n");
    // Nothing under way, it idles: there is no answer to that.
    client.ends();
    assert_eq!(stand.acted("keep_alive_ms"), 1);
    assert_eq!(stand.acted("header_timeout_ms"), 0);
}

/// A head of so many bytes.
fn head_of(length: usize) -> String {
    let rest = length - (PART.len() + "\r\n\r\n".len());
    format!("{PART}{}\r\n\r\n", "x".repeat(rest))
}

#[test]
fn one_that_is_too_long_is_refused() {
    let stand = Stand::with(&[("max_head_bytes", "1024")]);
    let line = format!("GET /{} HTTP/1.1\r\nhost: t\r\n\r\n", "x".repeat(1_024));
    let refused = [head_of(1_025), head_of(5_000), head_of(60_000), head_of(200_000), line];
    let open = [PART.to_owned() + &"x".repeat(1_024), "x".repeat(1_025)];
    for (count, head) in (1..).zip(refused.iter().chain(&open)) {
        let mut client = stand.dial();
        assert_eq!(client.ask(head_of(1_024)).status, 200);
        // It may close before all of it is written.
        let _ = client.try_say(head);
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (431, Some("close")));
        client.ends();
        assert_eq!(stand.acted("max_head_bytes"), count, "{} bytes", head.len());
    }
}

#[test]
fn one_with_too_many_fields_is_refused() {
    let with = |fields: usize| {
        format!("GET /api/data HTTP/1.1\r\nhost: t\r\n{}\r\n", "x: y\r\n".repeat(fields - 1))
    };
    for most in [1, 3, 96] {
        let stand = Stand::with(&[("max_headers", &most.to_string())]);
        for (count, fields) in (1..).zip([most + 1, 97, 200]) {
            let mut client = stand.dial();
            assert_eq!(client.ask(with(most)).status, 200);
            let answer = client.ask(with(fields));
            assert_eq!((answer.status, answer.header("connection")), (431, Some("close")));
            client.ends();
            assert_eq!(stand.acted("max_headers"), count, "{fields} over {most}");
        }
        assert_eq!(stand.acted("max_head_bytes"), 0);
    }
}
