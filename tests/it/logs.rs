//! What clients can have written into the log: a line a minute, whatever they send.

use std::thread;

use crate::support::http::raw;
use crate::support::port;
use crate::support::process::{Options, Tollgate};

/// What is no request: a greeting of TLS, and lines that nobody should write.
const MALFORMED: [&[u8]; 4] = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"NONSENSE\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nhost: t\r\n\r\n",
];

/// Sends `count` malformed requests to each of `urls`.
fn send_malformed(urls: &[&str], count: usize) {
    thread::scope(|scope| {
        for url in urls {
            scope.spawn(move || {
                for request in MALFORMED.iter().cycle().take(count) {
                    let answer = raw(url, request);
                    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
                }
            });
        }
    });
}

/// Ends the process; the lines of the framework in its log.
fn of_framework(tollgate: &mut Tollgate) -> Vec<String> {
    assert_eq!(tollgate.stop().code(), Some(0));
    let lines = tollgate.rest_of_stderr().iter();
    lines.filter(|line| line.contains("stream error")).cloned().collect()
}

#[test]
fn a_thousand_malformed_requests_are_one_line_and_a_count() {
    let admin = format!("127.0.0.1:{}", port::free());
    let options = Options::default().set("store.url", "memory:").set("admin.listen", &admin);
    // What many run with.
    let mut tollgate = options.env("RUST_LOG", "info").serve();
    send_malformed(&[tollgate.url(), &format!("http://{admin}")], 1_000);
    let lines = of_framework(&mut tollgate);
    let [first, .., last] = &lines[..] else { panic!("{lines:?}") };
    let says = " ERROR] actix_http::h1::dispatcher: stream error: request parse error: ";
    assert!(first.contains(says), "{first}");
    // On a busy machine it may have taken minutes.
    assert!(lines.len() <= 5, "{lines:?}");
    let count = |line: &String| {
        let (_, count) = line.split_once("ERROR] actix_http::h1::dispatcher: ")?;
        count.split_once(" more like \"stream error: ")?.0.parse::<u32>().ok()
    };
    let more: u32 = lines[1..].iter().map(|line| count(line).expect("a count")).sum();
    assert_eq!(more, 1_999);
    // They come before the end.
    let mut log = tollgate.rest_of_stderr().iter();
    assert!(log.any(|line| line == last) && log.any(|line| line.ends_with(" Stopped.")));
}

#[test]
fn who_asks_for_all_of_them_gets_them() {
    for filter in ["warn,tollgate=info,actix_http=debug", "trace"] {
        let options = Options::default().set("store.url", "memory:").env("RUST_LOG", filter);
        let mut tollgate = options.serve();
        send_malformed(&[tollgate.url()], 12);
        let lines = of_framework(&mut tollgate);
        let errors = lines.iter().filter(|line| line.contains("ERROR] stream error: "));
        assert_eq!(errors.count(), 12, "{filter}: {lines:?}");
    }
}
