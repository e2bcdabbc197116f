//! Open files: the server raises their limit as far as it may, and accepts as many connections as that
//! allows.

use super::*;
use crate::support::process::Finished;
use crate::support::procfs::file_limit;
use crate::support::redis::Server;
use crate::support::threads::until;

fn options(workers: &str) -> Options {
    memory()
        .set("policies.default.quota", "1000/hour")
        .set("server.workers", workers)
        .set("admin.listen", &format!("127.0.0.1:{}", port::free()))
}

/// What a start with too few files says it needs.
fn needed(finished: &Finished) -> u64 {
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    let begins = "tollgate: too few open files are allowed: the limit is ";
    assert!(finished.stderr.starts_with(begins), "{}", finished.stderr);
    let (before, _) = finished.stderr.split_once(" are needed").expect("how many it needs");
    let (_, number) = before.rsplit_once(", and ").expect("a number");
    number.parse().expect("a number")
}

#[test]
fn the_soft_limit_becomes_the_hard_one() {
    let mut tollgate = options("2").limit_files(300, 4_000).serve();
    assert_eq!(file_limit(tollgate.pid()), 4_000);
    tollgate.wait_for_line("INFO ] The process may open 4000 files: the limit was 300.");
    tollgate
        .wait_for_line("WARN ] server.max_connections is 10000, but 4000 files leave room for ");
    let mut tollgate =
        options("2").set("server.max_connections", "100").limit_files(900, 900).serve();
    tollgate.wait_for_line("INFO ] The process may open 900 files.");
    assert!(!tollgate.stderr().iter().any(|line| line.contains("leave room")));
}

#[test]
fn too_few_are_a_sentence() {
    for files in [5, 20, 50, 100, 200] {
        let least = needed(&options("2").limit_files(files, files).run(&["serve"]));
        assert!(least > files);
    }
}

#[test]
fn the_least_of_them_are_enough() {
    let redis = Server::start();
    for (workers, store) in
        [("1", "memory:"), ("1", &*redis.url()), ("64", "memory:"), ("512", "memory:")]
    {
        let options = || options(workers).set("store.url", store);
        let least = needed(&options().limit_files(64, 64).run(&["serve"]));
        let listen = port::free();
        let limited = options().limit_files(64, least);
        let stand = Stand::on(limited, &[], &format!("127.0.0.1:{listen}"), listen);
        let mut open = Vec::new();
        // As many as there may be, and then more.
        for number in 0..60 {
            let mut client = stand.dial_from(address(number));
            assert_eq!(client.ask(GET).status, 200, "number {number} of {workers} workers");
            open.push(client);
        }
        assert_eq!(stand.acted("max_connections"), 44);
        until("others ended", || stand.open() == 16);
        // Operators have room of their own.
        let mut operators: Vec<_> = (0..100).map(|_| stand.dial_admin()).collect();
        for operator in &mut operators {
            let ready = operator.ask("GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n");
            assert_eq!(ready.status, 200);
        }
        let mut tollgate = stand.tollgate;
        assert_eq!(tollgate.stop().code(), Some(0));
        let log = tollgate.rest_of_stderr().join("\n");
        assert!(log.contains("leave room for 16: no more are served at a time."), "{log}");
        for fault in ["panicked", "ERROR", "os error"] {
            assert!(!log.contains(fault), "{log}");
        }
    }
}
