//! The largest configurations, and files that cannot be read as one.

use std::fs::{self, File};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use crate::support::process::Options;

/// Of each kind. What compares each entry with all others before it takes minutes for so many.
const MANY: u32 = 20_000;

#[test]
fn twenty_thousand_of_each_are_served() {
    let mut text = "[policies.default.plans]\n".to_owned();
    let mut add = |line: &dyn Fn(u32) -> String| (0..MANY).for_each(|it| text += &line(it));
    add(&|it| format!("plan-{it} = \"5/day\"\n"));
    add(&|it| format!("[policies.policy-{it}]\nquota = \"3/day\"\n"));
    add(&|it| format!("[routes.\"/exact/{it}\"]\npolicies = [\"policy-{it}\"]\n"));
    add(&|it| format!("[routes.\"GET /pattern/{it}/{{id}}\"]\npolicies = [\"policy-{it}\"]\n"));
    text += "[access]\nblock = [\n";
    let mut add = |line: &dyn Fn(u32) -> String| (0..MANY).for_each(|it| text += &line(it));
    add(&|it| format!("\"10.0.{}.{}\", \"user:blocked-{it}\",\n", it >> 8, it & 255));
    text += "]\n[auth.keys]\n";
    (0..MANY).for_each(|it| text += &format!("{it:064x} = {{ user = \"{it}\" }}\n"));
    let tollgate = Options::default().config(&text).set("store.url", "memory:").serve();
    for path in ["/exact/0", "/exact/19999", "/pattern/19998/x"] {
        let answer = tollgate.get(path, &[]);
        assert!(answer.header("ratelimit").is_some_and(|it| it.contains("r=2;")), "{answer:?}");
    }
}

#[test]
fn of_a_thousand_problems_a_hundred_are_said() {
    let lines = |count| {
        let wrong = (0..count).map(|it| format!("[policies.p{it}]\nquota = \"wrong\"\n"));
        let options = Options::default().config(&wrong.collect::<String>());
        let finished = options.run(&["serve"]);
        assert_eq!(finished.status.code(), Some(78));
        finished.stderr.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(100).len(), 100);
    let lines = lines(1_000);
    assert_eq!(lines.len(), 101);
    assert_eq!(lines[100], "tollgate: 900 more problems are not listed");
}

#[test]
fn a_policy_that_is_not_there_is_not_looked_for_among_all_names() {
    let policies = (0..1_000).map(|it| format!("[policies.p{it}]\nquota = \"1/day\"\n"));
    let text = policies.collect::<String>() + "[routes.\"/x\"]\npolicies = [\"nobody\"]\n";
    let finished = Options::default().config(&text).run(&["serve"]);
    assert_eq!(finished.status.code(), Some(78));
    let said = finished.stderr.trim_end();
    assert!(said.contains("no policy is called \"nobody\", expected default, p0, "), "{said}");
    assert!(said.contains(" or one of 971 more (from config.toml:2002)"), "{said}");
}

/// A file of each kind that is none, in a directory of its own.
fn special() -> (TempDir, [(&'static str, &'static str); 4]) {
    let home = TempDir::with_prefix("special-").expect("it is made");
    let at = |name: &str| home.path().join(name);
    mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("it is made");
    fs::create_dir(at("directory")).expect("it is made");
    UnixListener::bind(at("socket")).expect("it is made");
    File::create(at("large")).expect("it is made").set_len(1 << 36).expect("it may be sparse");
    let kinds = [
        ("fifo", "it is a pipe, expected a regular file"),
        ("directory", "it is a directory, expected a regular file"),
        ("socket", "it is a socket, expected a regular file"),
        ("large", "it is larger than 64 MiB"),
    ];
    (home, kinds)
}

#[test]
fn a_configuration_that_is_no_file_is_refused_at_once() {
    let (home, kinds) = special();
    let device = (Path::new("/dev/zero").to_owned(), "it is a device");
    let named = kinds.map(|(name, says)| (home.path().join(name), says));
    for (path, says) in named.into_iter().chain([device]) {
        let path = path.to_str().expect("text");
        let finished = Options::default().run(&["serve", "--config", path]);
        assert_eq!(finished.status.code(), Some(78), "{path}");
        let start = format!("tollgate: {path}: cannot be read: {says}");
        assert!(finished.stderr.starts_with(&start), "{}", finished.stderr);
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
        for option in ["auth.keys_file", "auth.jwt.key_file", "auth.jwt.jwks_file"] {
            let finished = Options::default().set(option, path).run(&["serve"]);
            assert_eq!(finished.status.code(), Some(78), "{option} {path}");
            assert!(finished.stderr.contains(says), "{option}: {}", finished.stderr);
        }
        let tls = Options::default().set("store.url", "rediss://127.0.0.1:1");
        let finished = tls.set("store.tls.ca_file", path).run(&["serve"]);
        assert_eq!(finished.status.code(), Some(78), "{path}");
        assert!(finished.stderr.contains(says), "{}", finished.stderr);
    }
}
