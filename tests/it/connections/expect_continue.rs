//! `100 Continue` is sent only for a body that the server wants.

use super::*;

fn request(method: &str, path: &str, length: u64) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    )
}

#[test]
fn a_body_that_is_not_wanted_is_not_asked_for() {
    let options =
        memory().set("policies.default.quota", "2/52 weeks").set("access.block", "127.0.0.9");
    let stand = Stand::of(options, &[("max_body_bytes", "1000")]);
    let (client, blocked) = (Ipv4Addr::new(127, 0, 0, 8), Ipv4Addr::new(127, 0, 0, 9));
    for (source, method, path, length, status) in [
        (blocked, "POST", "/api/data", 5, 403),
        (client, "POST", "/nowhere", 5, 404),
        (client, "POST", "/api/status", 5, 405),
        (client, "GET", "/api/data", 5, 200),
        (client, "GET", "/api/data", 1_001, 413),
        (client, "GET", "/api/data", 5, 429),
        (client, "GET", "/api/data", 1_000_000_000, 429),
    ] {
        for then in ["", "12345", "GET /api/status HTTP/1.1\r\nhost: t\r\n\r\n"] {
            // Of what is counted there is only so much.
            if status / 100 != 4 && !then.is_empty() {
                continue;
            }
            let mut peer = stand.dial_from(source);
            peer.say(request(method, path, length) + then);
            let answer = peer.answer();
            if status == 413 && answer.status == 429 {
                continue;
            }
            assert_eq!((answer.status, answer.header("connection")), (status, Some("close")));
            // The body may or may not come: nothing after that can be told from it.
            peer.ends();
        }
    }
    let mut operator = stand.dial_admin();
    let answer = operator.ask(request("GET", "/ready", 5));
    assert_eq!((answer.status, answer.header("connection")), (421, Some("close")));
    operator.ends();
}

#[test]
fn where_no_body_is_to_come_the_connection_goes_on() {
    let stand = Stand::with(&[]);
    let mut client = stand.dial();
    for _ in 0..2 {
        let answer =
            client.ask("GET /api/data HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\n\r\n");
        assert_eq!((answer.status, answer.header("connection")), (200, None));
        assert_eq!(client.ask(request("GET", "/api/data", 0)).header("connection"), None);
    }
}
