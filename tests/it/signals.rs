//! Signals to a serving process: two of them stop it in order, one stops it at once, one reloads its configuration,
//! and all others leave it running.

use std::thread::{self, JoinHandle};

use rustix::process::Signal;

use crate::support::http::raw;
use crate::support::process::{Options, Tollgate};
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::threads::until;

fn serve() -> Tollgate {
    Options::default().set("store.url", "memory:").serve()
}

/// A request whose answer Redis has given, and a proxy holds back.
struct UnderWay {
    tollgate: Tollgate,
    proxy: Proxy,
    redis: Server,
    asked: JoinHandle<String>,
}

impl UnderWay {
    fn new() -> Self {
        let redis = Server::start();
        let proxy = Proxy::to(redis.socket());
        let options = Options::default().set("store.url", &proxy.url());
        let tollgate = options.set("store.timeout_ms", "60000").serve();
        proxy.set(Fault::Late);
        let url = tollgate.url().to_owned();
        let asked = thread::spawn(move || raw(&url, b"GET /api/data HTTP/1.1\r\nhost: t\r\n\r\n"));
        let is_clients = |key: &Vec<u8>| key.windows(4).any(|part| part == b"{ip:");
        until("the request is charged", || redis.dump().keys().any(is_clients));
        Self { tollgate, proxy, redis, asked }
    }
}

/// The lines of our own in a log from the one on that holds `text`, without their times.
fn lines_from<'a>(log: &'a [String], text: &str) -> Vec<&'a str> {
    let lines = log.iter().skip_while(|line| !line.contains(text));
    // The framework calls it an error that a connection comes in the moment of a stop.
    let lines = lines.filter(|line| !line.contains("] actix_server"));
    lines.map(|line| line.split_once("Z ").map_or(line.as_str(), |(_, line)| line)).collect()
}

#[test]
fn what_stops_nothing_is_a_line_in_the_log() {
    let mut tollgate = serve();
    tollgate.signal(Signal::PIPE);
    for (signal, name) in [(Signal::USR1, "SIGUSR1"), (Signal::USR2, "SIGUSR2")] {
        for count in 1..=2 {
            tollgate.signal(signal);
            let line = format!("INFO ] {name} is ignored: it has no meaning here.");
            until("each signal is a line", || {
                tollgate.stderr().iter().filter(|said| said.ends_with(&line)).count() == count
            });
        }
    }
    assert_eq!(tollgate.get("/api/status", &[]).status, 200);
    assert_eq!(tollgate.stop().code(), Some(0));
}

#[test]
fn a_start_that_waits_for_redis_is_stopped_at_once() {
    let redis = Server::start();
    redis.pause();
    let options = Options::default().set("store.url", &redis.url());
    let mut tollgate = options.set("store.timeout_ms", "60000").start();
    tollgate.signal(Signal::HUP);
    tollgate.wait_for_line("SIGHUP is ignored");
    tollgate.signal(Signal::TERM);
    assert_eq!(tollgate.wait().code(), Some(0));
    let log = tollgate.rest_of_stderr();
    let lines = ["INFO ] SIGTERM: stopping at once.", "INFO ] Stopped."];
    assert_eq!(lines_from(log, "SIGTERM"), lines);
}

#[test]
fn a_stop_is_logged_at_its_beginning_and_at_its_end() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let mut tollgate = serve();
        tollgate.signal(signal);
        assert_eq!(tollgate.wait().code(), Some(0));
        let stopping = format!(
            "INFO ] {name}: stopping. Requests under way are answered, for 30000 ms at most; a \
             second signal stops at once."
        );
        let log = tollgate.rest_of_stderr();
        assert_eq!(lines_from(log, name), [&stopping, "INFO ] Stopped."]);
    }
    let mut tollgate = serve();
    tollgate.signal(Signal::QUIT);
    assert_eq!(tollgate.wait().code(), Some(0));
    let log = tollgate.rest_of_stderr();
    let lines = ["INFO ] SIGQUIT: stopping at once.", "INFO ] Stopped."];
    assert_eq!(lines_from(log, "SIGQUIT"), lines);
}

#[test]
fn a_request_under_way_is_answered_before_it_stops() {
    for signal in [Signal::TERM, Signal::INT] {
        let UnderWay { mut tollgate, proxy, redis: _redis, asked } = UnderWay::new();
        tollgate.signal(signal);
        tollgate.wait_for_line("stopping");
        proxy.set(Fault::None);
        let answer = asked.join().expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(tollgate.wait().code(), Some(0));
    }
}

#[test]
fn a_second_signal_waits_for_nothing() {
    let UnderWay { mut tollgate, proxy: _proxy, redis: _redis, asked } = UnderWay::new();
    tollgate.signal(Signal::INT);
    tollgate.wait_for_line("SIGINT: stopping. ");
    tollgate.signal(Signal::INT);
    assert_eq!(tollgate.wait().code(), Some(0));
    let log = tollgate.rest_of_stderr();
    let lines = ["INFO ] SIGINT: stopping at once.", "INFO ] Stopped."];
    assert_eq!(lines_from(log, "stopping at once."), lines);
    assert_eq!(asked.join().expect("no panic"), "");
}
