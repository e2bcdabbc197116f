//! The examples run: each answers ten requests, and refuses the eleventh.

use std::env;
use std::process::Command;

use tokio::runtime::Runtime;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::http::Client;
use crate::support::redis::Server;
use tollgate_testkit::process::Process;

/// An example under way, ended on drop.
struct Example {
    url: String,
    _process: Process,
}

impl Example {
    /// Starts the example called `name`, with its counts in the Redis at `redis_url`, if there is one.
    fn start(name: &str, redis_url: Option<&str>) -> Self {
        // `target/debug/deps/it-…` is this binary, and `target/debug/examples/…` are the examples.
        let this = env::current_exe().expect("a path to this binary");
        let built = this.ancestors().nth(2).expect("a directory of what is built");
        let path = built.join("examples").join(name);
        let is_built = path.exists();
        assert!(is_built, "{path:?}: `cargo build --all-features --examples` builds it");
        let mut command = Command::new(path);
        command.arg("127.0.0.1:0").env_remove("REDIS_URL");
        command.envs(redis_url.map(|url| ("REDIS_URL", url)));
        let mut process = Process::start(command);
        let line = process.until_it_says("Listening on ", 0);
        let url = line.trim_start_matches("Listening on ").to_owned();
        Self { url, _process: process }
    }
}

/// Where examples count: in memory, and in a Redis of their own.
fn on_each_store(test: impl Fn(Option<&str>)) {
    test(None);
    test(Some(&Server::start().url()));
}

fn answers_ten_times(name: &str) {
    on_each_store(|redis_url| {
        let example = Example::start(name, redis_url);
        let client = Client::of(example.url.clone());
        let seen: Vec<_> = (0..12).map(|_| client.get("/", &[])).collect();
        let statuses: Vec<_> = seen.iter().map(|it| it.status).collect();
        // The clock is that of the machine: a minute may end in between.
        let admitted = statuses.iter().filter(|&&status| status == 200).count();
        assert!((10..=12).contains(&admitted), "{statuses:?}");
        assert_eq!((seen[0].status, &*seen[0].body), (200, "Hello\n"));
        assert_eq!(seen[0].header("ratelimit-policy"), Some(r#""default";q=10;w=60"#));
        let denied = (0..10).map(|_| client.get("/", &[])).find(|it| it.status == 429);
        let denied = denied.expect("twenty-two requests are more than two minutes' ten");
        assert!(denied.header("retry-after").is_some());
    });
}

#[test]
fn the_actix_app_answers_ten_times_a_minute() {
    answers_ten_times("actix");
}

#[test]
fn the_axum_app_answers_ten_times_a_minute() {
    answers_ten_times("axum");
}

#[test]
fn the_tonic_server_answers_ten_times_a_minute() {
    on_each_store(|redis_url| {
        let example = Example::start("tonic", redis_url);
        let statuses = Runtime::new().expect("a runtime").block_on(async {
            let channel = Channel::from_shared(example.url.clone()).expect("a URL");
            let mut client = HealthClient::new(channel.connect().await.expect("a server"));
            let mut statuses = Vec::new();
            for _ in 0..22 {
                let service = String::new();
                let answer = client.check(HealthCheckRequest { service }).await;
                statuses.push(answer.err());
            }
            statuses
        });
        assert!(statuses[0].is_none(), "{statuses:?}");
        // The clock is that of the machine: a minute may end in between.
        let denied: Vec<&Status> = statuses.iter().flatten().collect();
        assert!((2..=12).contains(&denied.len()), "{statuses:?}");
        for status in denied {
            assert_eq!(status.code(), Code::ResourceExhausted);
            let wait = status.metadata().get("grpc-retry-pushback-ms").expect("a wait");
            let wait: u64 = wait.to_str().expect("text").parse().expect("milliseconds");
            assert!((1..=60_000).contains(&wait), "{wait}");
        }
    });
}
