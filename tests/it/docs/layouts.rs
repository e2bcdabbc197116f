//! The keys and values that are shown in Redis.

use redis::{Connection, Value};

use super::page::Page;
use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::threads::until;

/// The words of a command line of redis-cli, in which double quotes hold a word together.
fn words(line: &str) -> Vec<String> {
    let outside = |(number, part): (usize, &str)| match number % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    };
    line.split('"').enumerate().flat_map(outside).collect()
}

fn ask(connection: &mut Connection, line: &str) -> Value {
    let mut command = redis::Cmd::new();
    command.arg(words(line));
    command.query(connection).expect("a command that it takes")
}

/// The server's time in milliseconds.
fn time(connection: &mut Connection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(connection).expect("a time");
    seconds * 1_000 + micros / 1_000
}

#[test]
fn values_are_as_shown_after_three_requests() {
    let redis = Server::start();
    let mut connection = redis.connection();
    let mut config = String::new();
    for (name, algorithm) in [
        ("fixed", "fixed-window"),
        ("sliding", "sliding-window"),
        ("log", "sliding-log"),
        ("bucket", "token-bucket"),
    ] {
        config +=
            &format!("[policies.{name}]\nquota = \"10/minute\"\nalgorithm = \"{algorithm}\"\n");
    }
    config += "[routes.\"/api/data\"]\npolicies = [\"fixed\", \"sliding\", \"log\", \"bucket\"]\n";
    let options = Options::default().config(&config).set("store.url", &redis.url());
    let tollgate = options.set("store.timeout_ms", "10000").serve();
    for _ in 0..3 {
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
        // Requests of one millisecond are one entry of the log.
        let before = time(&mut connection);
        until("the time goes on", || time(&mut connection) > before);
    }

    let block = &Page::named("docs/src/layouts.md").blocks("text")[0].text;
    let commands = block.split("127.0.0.1:6379> ").skip(1);
    let mut count = 0;
    for command in commands {
        let (line, shown) = command.split_once('\n').expect("an answer");
        match ask(&mut connection, line) {
            Value::Array(numbers) => assert_eq!(numbers.len(), shown.lines().count(), "{line}"),
            Value::BulkString(bytes) => assert_eq!(bytes.len(), 16, "{line}"),
            Value::Int(left) => assert!((1..=61_000).contains(&left), "{line}: {left}"),
            other => panic!("{line}: {other:?}"),
        }
        count += 1;
    }
    assert_eq!(count, 5);
}
