//! Clients of a Unix socket, behind a proxy on the same machine.

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::support::raw::connect_unix;

struct Place {
    _directory: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = TempDir::with_prefix("tollgate-socket-").expect("a directory");
        let path = directory.path().join("tollgate.sock");
        Self { _directory: directory, path }
    }

    fn status(&self, lines: &[(&str, &str)]) -> u16 {
        get(connect_unix(&self.path), "/api/data", lines).status
    }
}

fn options() -> Options {
    let options = Options::default().set("store.url", "memory:");
    options.set("policies.default.quota", "1/52 weeks")
}

const FORWARDED: &str = "x-forwarded-for";

#[test]
fn each_client_behind_the_proxy_has_its_own_quota_where_a_header_is_configured() {
    let place = Place::new();
    let mut tollgate = options().set("client_ip.header", FORWARDED).serve_unix(&place.path);
    tollgate.wait_for_line(&format!("Listening on unix:{}.", place.path.display()));
    for (line, expected) in [
        ("203.0.113.7", 200),
        ("203.0.113.7", 429),
        ("203.0.113.8", 200),
        // The client wrote, the proxy appended.
        ("6.6.6.6, 203.0.113.7", 429),
        ("6.6.6.6, 203.0.113.9", 200),
    ] {
        assert_eq!(place.status(&[(FORWARDED, line)]), expected, "{line}");
    }
    // What says nothing of its client is counted together.
    assert_eq!([place.status(&[]), place.status(&[(FORWARDED, "unknown")])], [200, 429]);
    assert!(!tollgate.stderr().iter().any(|line| line.contains("WARN")), "{:?}", tollgate.stderr());
}

#[test]
fn without_a_header_everyone_shares_one_quota_and_the_log_says_so() {
    let place = Place::new();
    let mut tollgate = options().serve_unix(&place.path);
    tollgate.wait_for_line("all clients share one quota until client_ip.header names the field");
    assert_eq!(place.status(&[(FORWARDED, "203.0.113.7")]), 200);
    assert_eq!(place.status(&[(FORWARDED, "203.0.113.8")]), 429);
    assert!(tollgate.stop().success());
    let lines = tollgate.rest_of_stderr().iter();
    assert_eq!(lines.filter(|line| line.contains("WARN")).count(), 1);
}

#[test]
fn the_file_goes_with_the_process_and_a_stale_one_is_replaced() {
    let place = Place::new();
    let mut first = options().serve_unix(&place.path);
    assert!(first.stop().success());
    assert!(!place.path.exists());

    let killed = options().serve_unix(&place.path);
    drop(killed);
    assert!(place.path.exists(), "nothing cleans up after SIGKILL");
    let _second = options().serve_unix(&place.path);
    assert_eq!(place.status(&[]), 200);
}

#[test]
fn a_socket_in_use_and_a_file_that_is_none_are_refused_and_left_alone() {
    let place = Place::new();
    let listen = format!("unix:{}", place.path.display());
    let refused = || {
        let finished = options().set("server.listen", &listen).run(&["serve"]);
        assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
        finished.stderr.lines().last().unwrap_or_default().to_owned()
    };
    let listener = UnixListener::bind(&place.path).expect("a socket");
    let says = format!("tollgate: cannot listen on {listen}: another process listens there");
    assert_eq!(refused(), says);
    assert!(UnixStream::connect(&place.path).is_ok());
    drop(listener);

    fs::remove_file(&place.path).expect("the socket's file");
    fs::write(&place.path, "precious").expect("a file");
    let says = format!("tollgate: cannot listen on {listen}: there is a file that is no socket");
    assert_eq!(refused(), says);
    assert_eq!(fs::read_to_string(&place.path).expect("a file"), "precious");
}
