//! What clients can get written into the log: nothing that they send, unless the level asks for it.

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

/// Ends the process; the lines about requests that could not be read in its log.
fn of_malformed(tollgate: &mut Tollgate) -> Vec<String> {
    assert_eq!(tollgate.stop().code(), Some(0));
    let lines = tollgate.rest_of_stderr().iter();
    lines.filter(|line| line.contains("cannot be read")).cloned().collect()
}

#[test]
fn a_thousand_malformed_requests_are_no_line() {
    let admin = format!("127.0.0.1:{}", port::free());
    let options = Options::default().set("store.url", "memory:").set("admin.listen", &admin);
    // What many run with.
    let mut tollgate = options.env("RUST_LOG", "info").serve();
    send_malformed(&[tollgate.url(), &format!("http://{admin}")], 1_000);
    assert_eq!(of_malformed(&mut tollgate), [""; 0]);
    let log = tollgate.rest_of_stderr();
    assert!(log.iter().all(|line| !line.contains("ERROR")), "{log:?}");
}

#[test]
fn who_asks_for_each_of_them_gets_it() {
    for filter in ["warn,tollgate=debug", "trace"] {
        let options = Options::default().set("store.url", "memory:").env("RUST_LOG", filter);
        let mut tollgate = options.serve();
        send_malformed(&[tollgate.url()], 12);
        let lines = of_malformed(&mut tollgate);
        let says = "DEBUG] A request from 127.0.0.1 cannot be read: ";
        assert_eq!(lines.len(), 12, "{filter}: {lines:?}");
        assert!(lines.iter().all(|line| line.contains(says)), "{lines:?}");
    }
}
