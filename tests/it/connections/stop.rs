//! An orderly stop: balancers are told, each connection ends with its next answer, and none delays it.

use std::net::TcpStream;

use rustix::process::Signal;

use super::slow_readers::rest;
use super::*;
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::threads::until;

const READY: &str = "GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[test]
fn while_it_is_put_off_the_port_answers_and_readiness_says_so() {
    for (signal, second, name) in
        [(Signal::TERM, Signal::INT, "SIGTERM"), (Signal::INT, Signal::TERM, "SIGINT")]
    {
        let mut stand = Stand::with(&[("shutdown_delay_ms", "600000")]);
        let mut kept = stand.dial();
        assert_eq!(kept.ask(GET).header("connection"), None);
        let mut half = stand.dial();
        half.say(&GET[..20]);
        assert_eq!(stand.operator.get("/ready", &[]).status, 200);

        stand.tollgate.signal(signal);
        let said = format!("{name}: stopping. The port answers for 600000 ms more. Requests");
        stand.tollgate.wait_for_line(&said);
        let ready = stand.dial_admin().ask(READY);
        assert_eq!(ready.status, 503);
        assert_eq!(ready.body, "{\"status\":\"stopping\",\"store\":\"up\"}");
        assert_eq!(stand.operator.get("/metrics", &[]).status, 200);
        for mut client in [stand.dial(), kept] {
            let answer = client.ask(GET);
            assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
            client.ends();
        }
        half.say(&GET[20..]);
        assert_eq!(half.answer().header("connection"), Some("close"));
        half.ends();

        stand.tollgate.signal(second);
        assert_eq!(stand.tollgate.wait().code(), Some(0));
        let log = stand.tollgate.rest_of_stderr();
        assert!(log.iter().any(|line| line.ends_with(": stopping at once.")), "{log:?}");
    }
}

#[test]
fn after_that_it_ends_by_itself() {
    let mut stand = Stand::with(&[("shutdown_delay_ms", "200")]);
    let mut kept = stand.dial();
    kept.ask(GET);
    let silent = stand.dial();
    until("both are in", || stand.open() == 2);
    assert_eq!(stand.tollgate.stop().code(), Some(0));
    kept.ends();
    silent.ends();
    let log = stand.tollgate.rest_of_stderr();
    assert!(!log.iter().any(|line| line.contains("cut off")), "{log:?}");
}

#[test]
fn a_request_that_has_begun_is_awaited_behind_a_closed_port() {
    let mut stand = Stand::with(&[]);
    let mut half = stand.dial();
    half.say(&GET[..20]);
    let idle = stand.dial();
    until("both are in", || stand.open() == 2);
    stand.tollgate.signal(Signal::TERM);
    idle.ends();
    until("the port is closed", || TcpStream::connect(("127.0.0.1", stand.port)).is_err());
    half.say(&GET[20..]);
    let answer = half.answer();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    half.ends();
    assert_eq!(stand.tollgate.wait().code(), Some(0));
}

#[test]
fn a_body_that_has_come_for_long_gets_its_time_as_well() {
    let mut stand = Stand::with(&[]);
    let (parts, part) = (280, "x".repeat(1_000));
    let length = part.len() * (parts + 1);
    let mut client = stand.dial();
    let head = format!("GET /api/data HTTP/1.1\r\nhost: t\r\ncontent-length: {length}\r\n\r\n");
    assert_eq!(client.ask(head).status, 200);
    // For longer than a stop waits for a client.
    client.drip(&part, parts).join().expect("no panic");
    stand.tollgate.signal(Signal::TERM);
    until("the port is closed", || TcpStream::connect(("127.0.0.1", stand.port)).is_err());
    assert_eq!(client.ask(part + GET).header("connection"), Some("close"));
    client.ends();
    assert_eq!(stand.tollgate.wait().code(), Some(0));
}

#[test]
fn no_connection_of_any_kind_holds_it_up() {
    let redis = Server::start();
    let proxy = Proxy::to(redis.socket());
    let options = Options::default()
        .set("store.url", &proxy.url())
        .set("policies.default.quota", "10/52 weeks");
    let mut stand = Stand::of(options, &[("shutdown_timeout_ms", "300")]);
    let dial = |say: &str| {
        let mut client = stand.dial();
        client.say(say);
        client
    };
    let mut idle = dial(GET);
    idle.answer();
    let _head = dial(&GET[..20]);
    let mut body = dial("GET /api/data HTTP/1.1\r\nhost: t\r\ncontent-length: 9\r\n\r\n1");
    assert_eq!(body.answer().status, 200);
    let slow = connect_narrow(Ipv4Addr::LOCALHOST, stand.port);
    let mut writes = slow.try_clone().expect("a copy");
    std::thread::spawn(move || {
        let status = "GET /nowhere HTTP/1.1\r\nhost: t\r\n\r\n".repeat(50_000);
        std::io::Write::write_all(&mut writes, status.as_bytes())
    });
    rest(stand.tollgate.pid());
    let silent = stand.dial();
    let mut later_head = dial(&format!("{GET}{}", &GET[..20]));
    later_head.answer();
    proxy.set(Fault::Late);
    let mut waits = stand.dial_from(address(0));
    let before = redis.dump().len();
    waits.say(GET);
    until("Redis has it", || redis.dump().len() > before);

    stand.tollgate.signal(Signal::TERM);
    assert_eq!(stand.tollgate.wait().code(), Some(0));
    idle.ends();
    silent.ends();
    waits.ends();
    let log = stand.tollgate.rest_of_stderr();
    let said = "WARN ] 5 connections are cut off: they were still open after 300 ms.";
    assert!(log.iter().any(|line| line.ends_with(said)), "{log:?}");
}

#[test]
fn a_client_that_a_stop_waits_for_is_not_waited_for_long() {
    let long = "3600000";
    let settings = ["shutdown_timeout_ms", "header_timeout_ms", "body_timeout_ms"];
    let mut stand = Stand::with(&settings.map(|it| (it, long)));
    let mut half = stand.dial();
    half.say(&GET[..20]);
    let mut body = stand.dial();
    body.say("GET /api/data HTTP/1.1\r\nhost: t\r\ncontent-length: 9\r\n\r\n1");
    assert_eq!(body.answer().status, 200);
    until("both are in", || stand.open() == 2);
    assert_eq!(stand.tollgate.stop().code(), Some(0));
    assert_eq!(half.answer().status, 408);
    half.ends();
    body.ends();
    let log = stand.tollgate.rest_of_stderr();
    assert!(!log.iter().any(|line| line.contains("cut off")), "{log:?}");
}

#[test]
fn what_is_cut_off_is_counted_by_its_number() {
    let mut stand = Stand::with(&[("shutdown_timeout_ms", "0")]);
    let mut half = stand.dial();
    half.say(&GET[..20]);
    until("it is in", || stand.open() == 1);
    assert_eq!(stand.tollgate.stop().code(), Some(0));
    half.ends();
    let log = stand.tollgate.rest_of_stderr();
    let said = "WARN ] 1 connection is cut off: it was still open after 0 ms.";
    assert!(log.iter().any(|line| line.ends_with(said)), "{log:?}");
}
