//! All forms of HTTP/1 requests: pipelined, in pieces, and of an older version.

use super::*;

fn get(lines: &str) -> String {
    format!("GET /api/data HTTP/1.1\r\nhost: t\r\n{lines}\r\n")
}

#[test]
fn an_older_client_is_closed_unless_it_asks_to_be_kept() {
    let stand = Stand::with(&[]);
    let mut client = stand.dial();
    assert_eq!(client.ask("GET /api/data HTTP/1.0\r\n\r\n".repeat(2)).status, 200);
    client.ends();
    let mut client = stand.dial();
    for _ in 0..3 {
        let answer = client.ask("GET /api/data HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
        assert_eq!((answer.status, answer.header("connection")), (200, Some("keep-alive")));
    }
}

#[test]
fn who_says_that_nothing_more_will_come_is_answered() {
    let stand = Stand::with(&[]);
    for (requests, answers) in [
        (get(""), 1),
        (get("").repeat(200), 200),
        // What is no whole request is none.
        (get("") + &get("")[..30], 1),
        (get("content-length: 3\r\n") + "abc", 1),
        (get("transfer-encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n", 1),
        // A body that ends too soon.
        (get("content-length: 3\r\n") + "a", 1),
        (get("")[..30].to_owned(), 0),
        (String::new(), 0),
    ] {
        let mut client = stand.dial();
        client.say(&requests);
        client.half_close();
        for _ in 0..answers {
            assert_eq!(client.answer().status, 200);
        }
        client.ends();
    }
}

#[test]
fn a_connection_ends_where_a_request_says_so() {
    let stand = Stand::with(&[]);
    for last in ["connection: close\r\n", "connection: x, Close\r\n"] {
        let mut client = stand.dial();
        client.say(get("") + &get(last) + &get("") + "no HTTP");
        assert_eq!(client.answer().header("connection"), None);
        assert_eq!(client.answer().header("connection"), Some("close"));
        client.ends();
    }
}

#[test]
fn requests_after_bodies_are_answered() {
    let stand = Stand::with(&[]);
    let mut client = stand.dial();
    let chunked = get("transfer-encoding: chunked\r\n");
    let requests = [
        get(""),
        "\r\n\r\n".to_owned() + &get(""),
        get("content-length: 3\r\n") + "abc",
        get("content-length: 3\r\n") + "abc\r\n",
        get("content-length: 0\r\n"),
        format!("{chunked}3\r\nabc\r\n0\r\n\r\n"),
        format!("{chunked}3;a=b\r\nabc\r\n0\r\nx: y\r\nz: z\r\n\r\n"),
        "GET /api/data HTTP/1.1\nhost: t\n\n".to_owned(),
    ];
    // All at once.
    client.say(requests.concat());
    for request in &requests {
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (200, None), "{request:?}");
    }
    // One after the other, a byte at a time.
    for request in &requests {
        for byte in request.as_bytes() {
            client.say([*byte]);
        }
        assert_eq!(client.answer().status, 200, "{request:?}");
    }
}

#[test]
fn heads_alone_have_no_body() {
    let stand = Stand::with(&[]);
    let mut client = stand.dial();
    let head = get("").replacen("GET", "HEAD", 1);
    client.say(head.repeat(2) + GET);
    for _ in 0..2 {
        let answer = client.head();
        assert_eq!((answer.status, answer.header("content-length")), (200, Some("32")));
    }
    assert_eq!(client.answer().body, "{\"message\":\"Here is your data!\"}");
}

#[test]
fn what_asks_for_another_protocol_is_answered_once_and_closed() {
    let stand = Stand::with(&[]);
    for (request, status) in [
        (get("connection: upgrade\r\n"), 200),
        (get("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"), 200),
        (get("upgrade: websocket\r\n"), 200),
        (
            get("connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n"),
            200,
        ),
        ("CONNECT t:443 HTTP/1.1\r\nhost: t\r\n\r\n".to_owned(), 404),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        ("\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".to_owned(), 400),
    ] {
        let mut client = stand.dial();
        let answer = client.ask(format!("{request}{GET}"));
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")));
        client.ends();
    }
}

#[test]
fn what_is_no_http_ends_the_connection_after_the_answers_before() {
    let stand = Stand::with(&[]);
    for bad in [
        "G@T / HTTP/1.1\r\nhost: t\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: t\r\nx y: z\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: t\r\nhost: u\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: t\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: t\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: t\r\ntransfer-encoding: gzip\r\n\r\n",
        "POST / HTTP/1.0\r\n\r\n",
    ] {
        for before in 0..3 {
            let mut client = stand.dial();
            client.say(GET.repeat(before) + bad + GET);
            for _ in 0..before {
                assert_eq!(client.answer().status, 200);
            }
            let answer = client.answer();
            assert_eq!((answer.status, answer.header("connection")), (400, Some("close")), "{bad}");
            client.ends();
        }
    }
    // A body that is none ends it as well.
    let mut client = stand.dial();
    assert_eq!(client.ask(get("transfer-encoding: chunked\r\n") + "zz\r\n" + GET).status, 200);
    client.ends();
}

#[test]
fn empty_lines_are_skipped_but_not_without_end() {
    let stand = Stand::with(&[]);
    let mut client = stand.dial();
    assert_eq!(client.ask("\r\n\n\r\n".to_owned() + &get("")).status, 200);
    assert_eq!(client.ask("\r\n".repeat(40_000)).status, 400);
    client.ends();
}
