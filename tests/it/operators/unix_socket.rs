//! Operators who ask over a Unix socket.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use tempfile::TempDir;

use crate::support::process::{Finished, Options, Tollgate};

/// A process whose operators ask over a socket, and the address of that.
fn served() -> (Tollgate, String, TempDir) {
    let directory = TempDir::with_prefix("tollgate-admin-").expect("a directory");
    let listen = format!("unix:{}/admin.sock", directory.path().display());
    let options = Options::default().set("store.url", "memory:");
    (options.set("admin.listen", &listen).serve(), listen, directory)
}

fn run(listen: &str, arguments: &[&str]) -> Finished {
    Options::default().set("admin.listen", listen).env("USER", "ann").run(arguments)
}

#[test]
fn commands_ask_over_a_socket_of_the_user_alone_which_ends_with_the_process() {
    let (mut tollgate, listen, directory) = served();
    let path = directory.path().join("admin.sock");
    let mode = fs::symlink_metadata(&path).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let banned = run(&listen, &["ban", "ip:127.0.0.1", "--for", "1h"]);
    assert_eq!(banned.status.code(), Some(0), "{}", banned.stderr);
    assert_eq!(tollgate.get("/api/data", &[]).status, 403);
    // Two requests of one command: the first is refused for want of a confirmation.
    let all = run(&listen, &["ban", "global", "--for", "1h", "--yes"]);
    assert_eq!(all.status.code(), Some(0), "{}", all.stderr);
    assert!(run(&listen, &["list"]).stdout.contains("ban ip:127.0.0.1"));
    assert_eq!(run(&listen, &["health"]).stdout, "The process serves.\n");
    assert!(tollgate.stop().success());
    assert!(!path.exists(), "the socket is gone");
    let refused = run(&listen, &["list"]);
    assert_eq!(refused.status.code(), Some(1));
    let nobody = format!("no process answers at {listen}, where admin.listen of this");
    assert!(refused.stderr.contains(&nobody), "{}", refused.stderr);
}

#[test]
fn a_foreign_host_is_refused_there_as_well() {
    let (_tollgate, _, directory) = served();
    let status = |host: &str| {
        let mut stream =
            UnixStream::connect(directory.path().join("admin.sock")).expect("it listens");
        write!(stream, "GET /v1/overrides HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
            .expect("it takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok())
    };
    assert_eq!(["localhost", "attacker.example"].map(status), [Some(200), Some(421)]);
}
