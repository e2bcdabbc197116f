//! The command: its exit codes, its output, and what it never prints.

use std::net::TcpListener;

use crate::support::port;
use crate::support::process::{Finished, Options, Tollgate};
use crate::support::redis::Server;

fn code(finished: &Finished) -> Option<i32> {
    finished.status.code()
}

#[test]
fn help_and_version_go_to_standard_output_and_succeed() {
    let help = Options::default().run(&["--help"]);
    assert_eq!((code(&help), &*help.stderr), (Some(0), ""));
    for word in ["Usage: tollgate", "serve", "--config <FILE>", "--set <KEY=VALUE>"] {
        assert!(help.stdout.contains(word), "{word} is not in {}", help.stdout);
    }
    let version = Options::default().run(&["--version"]);
    assert_eq!((code(&version), &*version.stderr), (Some(0), ""));
    assert_eq!(version.stdout, concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n"));
    // Also where nothing could be served.
    let broken = Options::default().config("nonsense").run(&["--version"]);
    assert_eq!(code(&broken), Some(0));
}

#[test]
fn a_usage_error_is_2_on_standard_error() {
    for arguments in [&["--nonsense"][..], &["nonsense"], &["--set"], &["serve", "more"]] {
        let finished = Options::default().run(arguments);
        assert_eq!((code(&finished), &*finished.stdout), (Some(2), ""), "{arguments:?}");
        assert!(finished.stderr.starts_with("tollgate: "), "{}", finished.stderr);
    }
}

#[test]
fn a_command_that_lacks_its_own_command_says_which_there_are() {
    let finished = Options::default().run(&["keys"]);
    assert_eq!((code(&finished), &*finished.stdout), (Some(2), ""));
    let says = &finished.stderr;
    assert!(says.starts_with("tollgate: 'tollgate keys' requires a subcommand"), "{says}");
    for word in ["new", "Usage: tollgate keys <COMMAND>", "--help"] {
        assert!(says.contains(word), "{word} is not in {says}");
    }
    for arguments in [&["keys", "--help"], &["help", "keys"]] {
        let help = Options::default().run(arguments);
        assert_eq!((code(&help), &*help.stderr), (Some(0), ""), "{arguments:?}");
        assert!(help.stdout.starts_with("Make API keys\n\nUsage: "), "{}", help.stdout);
    }
}

#[test]
fn every_problem_of_a_configuration_is_one_line_with_its_key_and_origin_and_the_code_is_78() {
    let finished = Options::default()
        .config(
            "[server]\nworkers = -1\n[store]\nconnection = 2\n\
             [policies.default]\nquota = \"often\"\n\
             [routes.\"/api/data\"]\npolicies = [\"default\", \"gold\"]",
        )
        .env("TOLLGATE_STORE__TIMEOUT_MS", "soon")
        .env("TOLLGATE_STORE__NONSENSE", "1")
        .set("headers.cors_expose", "perhaps")
        .set("store.instances", "0")
        .run(&["serve"]);
    assert_eq!((code(&finished), &*finished.stdout), (Some(78), ""));
    let mut lines: Vec<_> = finished.stderr.lines().collect();
    lines.sort_unstable();
    // (the beginning of the line, its end)
    let expected = [
        ("tollgate: headers.cors_expose: expected true or false, ", " (from the command line)"),
        ("tollgate: policies.default.quota: \"often\" is not a quota: ", " (from config.toml:6)"),
        (
            "tollgate: routes.\"/api/data\".policies: no policy is called \"gold\", ",
            " (from config.toml:8)",
        ),
        ("tollgate: server.workers: expected a whole number ", " (from config.toml:2)"),
        ("tollgate: store.connection: unknown key, ", " (from config.toml:4)"),
        ("tollgate: store.instances: expected a whole number ", " (from the command line)"),
        ("tollgate: store.nonsense: unknown key, ", " (from TOLLGATE_STORE__NONSENSE)"),
        (
            "tollgate: store.timeout_ms: expected a whole number ",
            " (from TOLLGATE_STORE__TIMEOUT_MS)",
        ),
    ];
    assert_eq!(lines.len(), expected.len(), "{}", finished.stderr);
    for (line, (begin, end)) in lines.iter().zip(expected) {
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
    }
}

#[test]
fn an_address_that_is_taken_is_all_that_is_said_and_the_code_is_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let no_redis = format!("redis://127.0.0.1:{}/0", port::free());
    for url in ["memory:", &no_redis] {
        for option in ["server.listen", "admin.listen"] {
            let mut options = Options::default().set("store.url", url).set(option, &address);
            if option != "server.listen" {
                options = options.set("server.listen", "127.0.0.1:0");
            }
            let finished = options.run(&[]);
            assert_eq!((code(&finished), &*finished.stdout), (Some(1), ""));
            let lines: Vec<_> = finished.stderr.lines().collect();
            let [sentence] = lines[..] else { panic!("{}", finished.stderr) };
            let begin = format!("tollgate: cannot listen on {address}: ");
            assert!(sentence.starts_with(&begin) && sentence.contains("in use"), "{sentence}");
        }
    }
}

#[test]
fn a_server_that_is_told_to_end_ends_well() {
    let mut tollgate = Options::default().set("store.url", "memory:").serve();
    let says = tollgate.wait_for_line("Listening on");
    assert!(says.contains(tollgate.url()), "{says}");
    assert_eq!(tollgate.stop().code(), Some(0));
}

#[test]
fn a_url_that_is_refused_is_not_repeated() {
    for url in [
        "redis://user:hush@host:port/0",
        "redis://:hush@127.0.0.1/0?nonsense=1",
        "rediss://:hush@127.0.0.1/0#insecure",
        "redis+cluster://:hush@127.0.0.1/1",
        "redis+sentinel://:hush@127.0.0.1",
        "postgres://user:hush@127.0.0.1/db",
        "user:hush@127.0.0.1:6379",
    ] {
        let finished = [
            Options::default().env("TOLLGATE_STORE__URL", url),
            Options::default().config(&format!("[store]\nurl = \"{url}\"")),
            Options::default().set("store.url", url),
            // In the wrong place.
            Options::default().set("store.key_prefix", url),
            Options::default().env("TOLLGATE_STORE_URL", url),
        ]
        .map(|options| options.env("RUST_LOG", "trace").run(&[]));
        for finished in finished {
            assert_eq!(code(&finished), Some(78), "{}", finished.stderr);
            assert!(finished.stderr.contains("store"), "{}", finished.stderr);
            assert!(!finished.stderr.contains("hush"), "{}", finished.stderr);
        }
    }
}

/// Serves with `url`, which holds the password `hush` in one way of writing or another, and gives
/// all that was logged once a line says `until`.
fn everything_logged(url: &str, until: &str) -> String {
    let mut tollgate = Options::default()
        .env("TOLLGATE_STORE__URL", url)
        .env("TOLLGATE_STORE__TIMEOUT_MS", "5000")
        .env("RUST_LOG", "trace")
        .serve();
    tollgate.wait_for_line(until);
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    assert_eq!(tollgate.stop().code(), Some(0));
    tollgate.rest_of_stderr().join("\n")
}

#[test]
fn a_password_is_never_logged_not_even_at_trace() {
    let mut redis = Server::start_tcp();
    let at = redis.tcp_url().replace("redis://", "");
    let assert_hushed = |url: &str, until: &str| {
        let log = everything_logged(url, until);
        for secret in ["hush", "%68ush"] {
            assert!(!log.contains(secret), "{url}:\n{log}");
        }
    };
    let (refused, up) = ("refuses to count", "answers: counting there");
    // The server knows no passwords, so it refuses them.
    for credentials in [":hush", "user:hush", ":%68ush"] {
        assert_hushed(&format!("redis://{credentials}@{at}"), refused);
    }
    assert_hushed(&format!("{}?pass=hush", redis.url()), refused);

    let mut set_password = redis::cmd("CONFIG");
    set_password.arg(&["SET", "requirepass", "hush"]);
    set_password.exec(&mut redis.connection()).expect("a password is set");
    assert_hushed(&format!("redis://:hush@{at}"), up);
    assert_hushed(&format!("redis://:hushhush@{at}"), refused);

    redis.kill();
    assert_hushed(&format!("redis://:hush@{at}"), "does not answer");
}

#[test]
fn without_a_redis_it_counts_here_and_says_so_once_and_takes_it_up_when_it_answers() {
    let mut redis = Server::start_tcp();
    redis.stop();
    let url = redis.tcp_url();
    let serve = || {
        Options::default()
            .set("store.url", &url)
            .set("store.timeout_ms", "5000")
            .set("policies.default.quota", "6/52 weeks")
            .serve()
    };
    let mut one = serve();
    let asked = |tollgate: &Tollgate| {
        let response = tollgate.get("/api/data", &[]);
        let field = response.header("ratelimit").expect("RateLimit").to_owned();
        (response.status, field.split(";t=").next().expect("a part").to_owned())
    };
    let passed = |left: u64| (200, format!(r#""default";r={left}"#));
    let denied = (429, r#""default";r=0"#.to_owned());

    assert_eq!([(); 4].map(|()| asked(&one)), [passed(5), passed(4), passed(3), passed(2)]);
    let place = url.trim_start_matches("redis://").trim_end_matches("/0").to_owned();
    let says = one.wait_for_line("does not answer");
    assert!(says.contains(&place) && says.contains("counting in this process"), "{says}");
    let about_redis = one.stderr().iter().filter(|line| line.contains("Redis")).count();
    assert_eq!(about_redis, 1, "{:?}", one.stderr());

    redis.restart();
    let says = one.wait_for_line("answers: counting there");
    assert!(says.contains(&place) && says.contains("counting there"), "{says}");
    let mut other = serve();
    other.wait_for_line("answers: counting there");
    // What was admitted without Redis was charged to it before it decided.
    let counted = [asked(&one), asked(&other), asked(&one), asked(&other)];
    assert_eq!(counted, [passed(1), passed(0), denied.clone(), denied]);
}
