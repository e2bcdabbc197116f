//! The fixtures of the other tests: the private Redis server, the HTTP client and the running command.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use redis::{Client, Commands};
use tempfile::TempDir;
use tollgate_testkit::process::Process;

use crate::support::http::Client as HttpClient;
use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::threads::until;

#[test]
fn a_server_is_reached_by_its_socket_and_by_its_port() {
    let server = Server::start_tcp();
    let () = server.connection().set("key", 1).unwrap();
    let mut by_port = Client::open(server.tcp_url()).unwrap().get_connection().unwrap();
    assert_eq!(by_port.get::<_, u64>("key").unwrap(), 1);
}

#[test]
fn two_servers_share_nothing() {
    let (one, other) = (Server::start(), Server::start());
    let () = one.connection().set("key", 1).unwrap();
    assert!(!other.connection().exists::<_, bool>("key").unwrap());
}

#[test]
fn a_stopped_server_refuses_and_comes_back_empty_on_the_same_address() {
    let mut server = Server::start_tcp();
    let (socket, port) = (Client::open(server.url()).unwrap(), server.tcp_url());
    let () = server.connection().set("key", 1).unwrap();
    server.stop();
    assert!(socket.get_connection().is_err());
    server.restart();
    assert!(server.dump().is_empty());
    server.kill();
    assert!(socket.get_connection().is_err());
    server.restart();
    assert!(Client::open(port).unwrap().get_connection().is_ok());
}

#[test]
fn a_bound_server_ends_with_the_thread_that_started_it() {
    let server = thread::spawn(Server::bound).join().unwrap();
    let stat = format!("/proc/{}/stat", server.pid());
    // Its number stays, since nobody waits for it.
    until("it has ended", || fs::read_to_string(&stat).unwrap().contains(" Z "));
}

#[test]
fn a_process_with_children_has_time_to_end_them() {
    let directory = TempDir::new().unwrap();
    let start = |name: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap 'touch $0; exit' TERM; echo up; while :; do sleep 0.01; done"]);
        shell.arg(directory.path().join(name));
        let mut process = Process::start(shell);
        process.until_it_says("up", 0);
        process
    };
    drop(start("killed"));
    drop(start("told").with_children());
    let is_there = |name: &str| directory.path().join(name).exists();
    assert!(is_there("told") && !is_there("killed"));
}

#[test]
fn a_process_is_heard_from_a_line_on() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo one; echo two >&2; echo one more"]);
    let mut process = Process::start(shell);
    assert_eq!(process.until_it_says("one", 0), "one");
    assert_eq!(process.until_it_says("one", 1), "one more");
    assert_eq!(process.rest_of_lines(), ["one", "two", "one more"]);
}

#[test]
fn a_paused_server_keeps_its_connections_and_answers_when_it_goes_on() {
    let server = Server::start();
    let mut connection = server.connection();
    connection.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    server.pause();
    assert!(connection.get::<_, Option<u64>>("key").unwrap_err().is_timeout());
    server.resume();
    assert!(server.dump().is_empty());
}

#[test]
fn a_dump_changes_with_a_value_and_with_an_expiry_and_with_nothing_else() {
    let server = Server::start();
    let mut connection = server.connection();
    let () = connection.set("counted", 1).unwrap();
    let () = connection.pset_ex("expiring", 1, 60_000).unwrap();
    let first = server.dump();
    assert_eq!(first.len(), 2);
    assert_eq!(first[b"counted".as_slice()].expires_at, None);
    assert!(first[b"expiring".as_slice()].expires_at.is_some());
    assert_eq!(server.dump(), first);

    let () = connection.incr("counted", 1).unwrap();
    let second = server.dump();
    assert_ne!(second, first);

    let () = connection.pexpire("expiring", 70_000).unwrap();
    assert_ne!(server.dump(), second);
}

#[test]
fn the_client_sends_paths_and_headers_as_they_are_and_keeps_repeated_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = HttpClient::of(format!("http://{}", listener.local_addr().unwrap()));
    let server = thread::spawn(move || {
        let mut connection = listener.accept().unwrap().0;
        let lines = BufReader::new(connection.try_clone().unwrap()).split(b'\n');
        let head: Vec<Vec<u8>> =
            lines.map(Result::unwrap).take_while(|line| line != b"\r").collect();
        let answer = "HTTP/1.1 429 -\r\nb: 1\r\na: 2\r\nb: 3\r\ncontent-length: 2\r\n\r\nno";
        connection.write_all(answer.as_bytes()).unwrap();
        head
    });

    let path = "/api//%64ata/../%7e?a=%20&&b";
    let response = client.get(path, &[("x-user", b"\xff\x80 \""), ("x-user", b"two")]);
    assert_eq!((response.status, response.body.as_str()), (429, "no"));
    assert_eq!(response.header("a"), Some("2"));
    assert_eq!(response.all("b"), ["1", "3"]);

    let head = server.join().unwrap();
    assert_eq!(head[0], format!("GET {path} HTTP/1.1\r").into_bytes());
    let mut sent = head[1..].iter().filter(|line| !line.starts_with(b"host:"));
    assert_eq!(sent.next().unwrap(), b"x-user: \xff\x80 \"\r");
    assert_eq!(sent.next().unwrap(), b"x-user: two\r");
    assert_eq!(sent.next(), None);
}

#[test]
fn a_tollgate_serves_with_the_file_the_variables_and_the_settings_it_is_given() {
    let redis = Server::start();
    let mut tollgate = Options::default()
        .config("[policies.default]\nquota = \"1/day\"")
        .env("TOLLGATE_STORE__KEY_PREFIX", "mine")
        .set("store.url", &redis.url())
        .serve();
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    assert_eq!(tollgate.get("/api/data", &[]).status, 429);
    let dump = redis.dump();
    assert!(!dump.is_empty() && dump.keys().all(|key| key.starts_with(b"mine:")), "{dump:?}");
    assert!(tollgate.stop().success());
}
