//! A client that sends requests without reading the answers costs two buffers, and no time.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;

use super::*;
use crate::support::procfs::{cpu_ticks, resident_bytes};
use crate::support::threads::until;

const COUNT: usize = 20_000;

const MIB: u64 = 1_024 * 1_024;

/// More than the buffers of 10 connections, and less than the answers of one.
const MORE_MEMORY: u64 = 4 * MIB;

/// How often one looks whether a process has used time, each 10 ms after the time before.
const LOOKS: usize = 30;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Sends requests for `path`, on a thread as long as the server does not read them, and reads nothing.
fn flood(source: Ipv4Addr, port: u16, path: &str) -> TcpStream {
    let stream = connect_narrow(source, port);
    let mut sends = stream.try_clone().expect("a copy");
    let requests = get(path).repeat(COUNT);
    // It ends with the connection.
    thread::spawn(move || sends.write_all(requests.as_bytes()));
    stream
}

/// Waits until the process uses no time.
pub(super) fn rest(pid: u32) {
    let (mut ticks, mut looks) = (0, 0);
    until("it rests", || {
        let now = cpu_ticks(pid);
        looks = if now == ticks { looks + 1 } else { 0 };
        ticks = now;
        looks == LOOKS
    });
}

#[test]
fn it_costs_neither_time_nor_memory_and_a_stop_does_not_wait_for_it() {
    let options = memory()
        .set("policies.default.quota", "1/52 weeks")
        .set("access.block", "127.0.0.9")
        .set("access.allow", "127.0.0.6");
    let mut stand = Stand::of(options, &[("shutdown_timeout_ms", "300")]);
    let pid = stand.tollgate.pid();
    let ask = || stand.dial_from(Ipv4Addr::new(127, 0, 0, 6)).ask(GET).status;
    assert_eq!(ask(), 200);
    stand.operator.get("/metrics", &[]);
    let before = resident_bytes(pid);

    let mut floods = Vec::new();
    for _ in 0..2 {
        for (host, path) in [(7, "/api/status"), (8, "/api/data"), (9, "/api/data")] {
            floods.push(flood(Ipv4Addr::new(127, 0, 0, host), stand.port, path));
        }
        for path in ["/ready", "/metrics"] {
            floods.push(flood(Ipv4Addr::LOCALHOST, stand.admin_port, path));
        }
    }
    rest(pid);
    let after = resident_bytes(pid);
    assert!(after < before + MORE_MEMORY, "{before} bytes became {after}");
    for _ in 0..20 {
        assert_eq!(ask(), 200);
        assert_eq!(stand.operator.get("/ready", &[]).status, 200);
    }
    // They are still there, and not read to their end.
    assert_eq!(stand.acted("write_timeout_ms"), 0);
    assert_eq!(stand.tollgate.stop().code(), Some(0));
    let said = "WARN ] 6 connections are cut off: they were still open after 300 ms.";
    let log = stand.tollgate.rest_of_stderr();
    assert!(log.iter().any(|line| line.ends_with(said)), "{log:?}");
}

#[test]
fn it_is_closed_in_time() {
    let stand = Stand::with(&[("write_timeout_ms", "200")]);
    for (count, path) in [(1, "/api/data"), (2, "/api/status"), (3, "/nowhere")] {
        let _unread = flood(Ipv4Addr::LOCALHOST, stand.port, path);
        until("it is closed", || stand.acted("write_timeout_ms") == count);
        until("it is gone", || stand.open() == 0);
    }
    let _unread = flood(Ipv4Addr::LOCALHOST, stand.admin_port, "/metrics");
    until("it is closed", || stand.acted_on_admin("write_timeout_ms") == 1);
    assert_eq!(stand.acted("write_timeout_ms"), 3);
}

#[test]
fn who_reads_gets_all_answers_in_their_order() {
    let options = memory().set("policies.default.quota", "20000/52 weeks");
    let stand = Stand::of(options, &[]);
    let mut client = stand.dial();
    let mut sends = client.stream();
    thread::spawn(move || sends.write_all(GET.repeat(COUNT + 5).as_bytes()));
    for left in (0..COUNT).rev() {
        let answer = client.answer();
        let standing = answer.header("ratelimit").expect("a standing");
        assert!(standing.starts_with(&format!("\"default\";r={left};t=")), "{standing}");
        assert_eq!(answer.status, 200);
    }
    for _ in 0..5 {
        assert_eq!(client.answer().status, 429);
    }
}
