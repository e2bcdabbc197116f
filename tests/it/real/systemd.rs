//! The unit in `deploy/systemd`, under systemd's own tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tollgate_testkit::process::Process;

use crate::support::http::Client;
use crate::support::port;
use crate::support::redis::Server;

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/systemd/tollgate.service");

/// The unit as it is, but with the command that was built: systemd looks whether its command is there.
fn installed() -> (TempDir, PathBuf) {
    let directory = TempDir::with_prefix("tollgate-unit-").expect("a directory");
    let text = fs::read_to_string(UNIT).expect("the unit");
    let command = "/usr/local/bin/tollgate";
    assert_eq!(text.matches(command).count(), 1);
    let path = directory.path().join("tollgate.service");
    fs::write(&path, text.replace(command, env!("CARGO_BIN_EXE_tollgate"))).expect("a unit");
    (directory, path)
}

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).arg(unit).env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "");
    command.output().expect("systemd-analyze")
}

#[test]
#[ignore = "make test-real"]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let (_directory, unit) = installed();
    // The manual is installed beside the unit, not here.
    let output = analyze(&["verify", "--man=no"], &unit);
    let errors = String::from_utf8_lossy(&output.stderr);
    let of_ours: Vec<&str> = errors.lines().filter(|it| it.contains("tollgate")).collect();
    assert!(output.status.success() && of_ours.is_empty(), "{errors}");
}

/// Of the exposure that systemd computes, from 0 to 10. A service without protection has 9.6.
#[test]
#[ignore = "make test-real"]
fn the_unit_exposes_little() {
    let (_directory, unit) = installed();
    let output = analyze(&["security", "--offline=true", "--threshold=15"], &unit);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "above 1.5: {text}");
}

/// The system calls of a group of systemd's, as `@system-service`, with those of the groups within it.
fn calls_of(group: &str) -> BTreeSet<String> {
    let mut command = Command::new("systemd-analyze");
    command.args(["syscall-filter", group]).env("SYSTEMD_PAGER", "").env("SYSTEMD_COLORS", "0");
    let output = command.output().expect("systemd-analyze");
    assert!(output.status.success(), "{group}: {}", String::from_utf8_lossy(&output.stderr));
    let mut calls = BTreeSet::new();
    for line in String::from_utf8_lossy(&output.stdout).lines().skip(1).map(str::trim) {
        match line {
            _ if line.is_empty() || line.starts_with('#') => {}
            _ if line.starts_with('@') => calls.extend(calls_of(line)),
            _ => _ = calls.insert(line.to_owned()),
        }
    }
    calls
}

/// The system calls that the unit lets the command make.
fn permitted() -> BTreeSet<String> {
    let text = fs::read_to_string(UNIT).expect("the unit");
    let mut permitted = calls_of("@default");
    for filter in text.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let (denies, groups) = match filter.strip_prefix('~') {
            Some(groups) => (true, groups),
            None => (false, filter),
        };
        for call in groups.split(' ').flat_map(calls_of) {
            if denies {
                permitted.remove(&call);
            } else {
                permitted.insert(call);
            }
        }
    }
    permitted
}

/// What strace wrote of each thread, by the number of the thread.
fn traces(directory: &Path) -> Vec<(i32, String)> {
    let files = fs::read_dir(directory).expect("a directory");
    let paths = files.map(|file| file.expect("a file").path());
    let read = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let thread = name.strip_prefix("trace.")?.parse().ok()?;
        let text = fs::read(&path).expect("a trace");
        Some((thread, String::from_utf8_lossy(&text).into_owned()))
    };
    paths.filter_map(read).collect()
}

/// systemd answers EPERM to calls that it does not permit. The command asks for a higher limit of open files, and goes
/// on where that is refused; the unit sets the limit.
#[test]
#[ignore = "make test-real"]
fn the_command_makes_no_system_call_that_the_unit_refuses() {
    let directory = TempDir::with_prefix("tollgate-calls-").expect("a directory");
    // The directory of the configuration is watched: each line of the trace would be an event there.
    let watched = TempDir::with_prefix("tollgate-config-").expect("a directory");
    let (trace, config) = (directory.path().join("trace"), watched.path().join("config.toml"));
    fs::write(&config, "[headers]\ncors_expose = true\n").expect("a configuration");
    let (redis, socket) = (Server::start(), directory.path().join("tollgate.sock"));
    let admin = format!("127.0.0.1:{}", port::free());
    let mut command = Command::new("strace");
    command.arg("-ffqq").arg("-o").arg(&trace).arg(env!("CARGO_BIN_EXE_tollgate"));
    command.args(["serve", "--config"]).arg(&config);
    for setting in [
        format!("store.url={}", redis.url()),
        format!("admin.listen={admin}"),
        format!("server.listen=unix:{}", socket.display()),
        "store.examine_interval_ms=1000".to_owned(),
    ] {
        command.arg("--set").arg(setting);
    }
    let mut process = Process::start_reading_stderr(command).with_children();
    process.until_it_says("Listening on", 0);
    let operator = Client::of(format!("http://{admin}"));
    let mut stream = UnixStream::connect(&socket).expect("it listens");
    stream
        .write_all(b"GET /api/data HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(operator.get("/metrics", &[]).status, 200);
    fs::write(&config, "[headers]\ncors_expose = false\n").expect("a configuration");
    process.until_it_says("The configuration was reloaded", 0);
    // strace does not hand a signal on.
    let all = traces(directory.path());
    let main = all.iter().find(|(_, text)| text.starts_with("execve("));
    let main = main.and_then(|(thread, _)| Pid::from_raw(*thread)).expect("the first thread");
    kill_process(main, Signal::TERM).expect("it takes signals");
    process.rest_of_lines();

    let mut made = BTreeMap::new();
    for (_, text) in traces(directory.path()) {
        for line in text.lines() {
            // It writes `???` where a thread was gone before it could be asked.
            if let Some((call, _)) = line.split_once('(')
                && call != "???"
            {
                made.entry(call.to_owned()).or_insert_with(|| line.to_owned());
            }
        }
    }
    assert!(made.contains_key("epoll_wait") && made.len() > 30, "{:?}", made.keys());
    let permitted = permitted();
    let refused: Vec<_> = made.iter().filter(|(call, _)| !permitted.contains(*call)).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
