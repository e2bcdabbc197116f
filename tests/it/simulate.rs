//! `tollgate simulate`: what it prints, what it ends with, and that it decides as the server does.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{Finished, Options};
use crate::support::procfs::catches;
use crate::support::threads::until;

/// Two requests a minute for each address.
const STRICT: &str =
    "[policies.default]\nquota = \"2/minute\"\n[routes.\"/api/*\"]\npolicies = [\"default\"]\n";

/// A line of Common Log Format, of a request at 10:00 and so many seconds.
fn line(address: &str, second: u64, path: &str, status: u16) -> String {
    format!(
        "{address} - - [27/Nov/2026:10:{:02}:{:02} +0000] \"GET {path} HTTP/1.1\" {status} 27\n",
        second / 60,
        second % 60
    )
}

/// One client sends five requests within a minute and one later, another one sends one, and one asks for what
/// nothing limits.
fn log() -> String {
    let mut text: String =
        (0..5).map(|second| line("203.0.113.7", second, "/api/data?x=1", 200)).collect();
    text += &line("198.51.100.2", 3, "/api/data", 429);
    text += &line("198.51.100.3", 4, "/free", 200);
    text += &line("203.0.113.7", 60, "/api/data", 200);
    text
}

/// A directory with a log in it.
struct Logged(TempDir);

impl Logged {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let directory = TempDir::with_prefix("tollgate-log-").expect("a directory");
        fs::write(directory.path().join("access.log"), text).expect("a log");
        Self(directory)
    }

    fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).expect("a file");
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("a path of text").to_owned()
    }

    /// Simulates it under `config`.
    fn simulate(&self, config: &str, arguments: &[&str]) -> Finished {
        let log = self.text("access.log");
        Options::default().config(config).run(&[&["simulate", &log], arguments].concat())
    }

    fn report(&self, config: &str, arguments: &[&str]) -> Value {
        let finished = self.simulate(config, &[arguments, &["--json"]].concat());
        assert!(finished.status.success(), "{finished:?}");
        serde_json::from_str(&finished.stdout).expect("JSON")
    }
}

#[test]
fn the_report_for_programs_has_the_counts_by_policy() {
    let report = Logged::new(log() + "nonsense\n\n").report(STRICT, &[]);
    assert_eq!((&report["lines"], &report["unparsed"]), (&9.into(), &1.into()), "{report:#}");
    let policy = &report["policies"]["default"];
    for (name, expected) in
        [("requests", 7), ("denied", 3), ("clients", 2), ("clients_denied", 1), ("clients_near", 0)]
    {
        assert_eq!(policy[name], expected, "{name}: {report:#}");
    }
    let worst = &policy["worst"][0];
    assert_eq!((&worst["client"], &worst["peak"]), (&"ip:203.0.113.7".into(), &5.into()));
    assert_eq!((&worst["requests"], &worst["denied"]), (&6.into(), &3.into()));
    assert_eq!(worst["first_denied_at"], 1_795_773_602_000_u64);
    assert_eq!(worst["last_denied_at"], 1_795_773_604_000_u64);
    assert_eq!(policy["longest_closed_ms"], 2_000);
    let totals = &report["totals"];
    for (name, expected) in [
        ("requests", 8),
        ("admitted", 4),
        ("denied", 3),
        ("unlimited", 1),
        ("clients", 3),
        ("clients_denied", 1),
        ("denied_without_top_ten", 0),
    ] {
        assert_eq!(totals[name], expected, "{name}: {report:#}");
    }
    assert_eq!(report["already_429"], 1);
    assert_eq!(report["first_unparsed"][0]["line"], 9);
}

#[test]
fn a_client_comes_near_its_quota_once_a_tenth_is_left() {
    let log = Logged::new(log());
    for (quota, denied, near) in [("4/minute", 1, 0), ("5/minute", 0, 1), ("6/minute", 0, 0)] {
        let policy = &log.report(&STRICT.replace("2/minute", quota), &[])["policies"]["default"];
        assert_eq!((&policy["denied"], &policy["clients_near"]), (&denied.into(), &near.into()));
    }
}

#[test]
fn ranks_and_the_rest_say_whether_few_clients_or_many_are_hit() {
    // The first client is denied once, and the twelfth twelve times.
    let requests = (1..=12_u64).flat_map(|client| (0..client + 2).map(move |_| client));
    let text: String =
        requests.map(|client| line(&format!("192.0.2.{client}"), 0, "/api/data", 200)).collect();
    let report = Logged::new(text).report(STRICT, &[]);
    let policy = &report["policies"]["default"];
    for (name, expected) in [
        ("denied", 78),
        ("denied_of_second", 11),
        ("denied_of_tenth", 3),
        ("denied_of_hundredth", 0),
        ("denied_without_top_ten", 3),
        ("clients_denied", 12),
    ] {
        assert_eq!(policy[name], expected, "{name}: {report:#}");
    }
    assert_eq!(report["totals"]["denied_without_top_ten"], 3, "{report:#}");
    assert_eq!(policy["worst"][0]["client"], "ip:192.0.2.12");
    assert_eq!(policy["worst"].as_array().map(Vec::len), Some(12));
    let denied = policy["timeline"]["denied"].as_array().expect("buckets");
    assert_eq!(denied.iter().filter_map(Value::as_u64).sum::<u64>(), 78);
}

#[test]
fn people_read_the_verdict_and_who_it_hits() {
    let finished = Logged::new(log()).simulate(STRICT, &[]);
    assert!(finished.status.success() && finished.stderr.is_empty(), "{finished:?}");
    for part in ["203.0.113.7", "2/minute", "default", "whole seconds"] {
        assert!(finished.stdout.contains(part), "{part}: {}", finished.stdout);
    }
    let widest = finished.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{}", finished.stdout);
}

#[test]
fn the_exit_code_is_a_check_for_a_change_of_limits() {
    let log = Logged::new(log());
    for (arguments, code) in [
        (&["--deny-at-most", "40%"][..], 0),
        (&["--deny-at-most", "33%"], 1),
        (&["--deny-at-most", "37.5%", "--of", "requests"], 0),
        (&["--deny-at-most", "37.49%", "--of", "requests"], 1),
        (&["--deny-at-most", "half"], 2),
        (&["--format", "nonsense"], 2),
        (&["--set", "policies.default.quota=often"], 78),
    ] {
        let finished = log.simulate(STRICT, arguments);
        assert_eq!(finished.status.code(), Some(code), "{arguments:?}: {finished:?}");
        assert_eq!(finished.stderr.is_empty(), code == 0, "{arguments:?}: {finished:?}");
    }
    let finished = log.simulate(STRICT, &["--deny-at-most", "0.5%"]);
    assert_eq!(
        finished.stderr,
        "tollgate: 1 of 3 clients would be denied: --deny-at-most allows 0.5%\n"
    );
    assert!(finished.stdout.contains("203.0.113.7"), "the report is printed all the same");
}

#[test]
fn a_file_that_is_not_there_or_no_log_is_an_error_that_names_it() {
    let log = Logged::new("what is this\nno log\n");
    let finished = log.simulate(STRICT, &[]);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.contains("access.log") && finished.stderr.contains("--format"));
    let gone = log.text("gone.log");
    let finished = Options::default().config(STRICT).run(&["simulate", &gone]);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.contains("gone.log"), "{finished:?}");
}

#[test]
fn a_terminal_is_no_log_and_sees_how_far_it_is() {
    let mut nothing = Options::default().config(STRICT).run_in_terminal(&["simulate"], [100, 24]);
    assert_eq!(nothing.wait().code(), Some(1));
    nothing.until("it says so", |text| text.contains("there is no log to read: name its files"));
    let log = Logged::new(log());
    let arguments = ["simulate", &log.text("access.log")];
    let mut shown = Options::default().config(STRICT).run_in_terminal(&arguments, [100, 60]);
    assert_eq!(shown.wait().code(), Some(0));
    // The bar is gone when the report is there.
    shown.until("the report is there", |text| {
        text.contains("What the log cannot show") && !text.contains(" left")
    });
}

#[test]
fn a_current_configuration_beside_it_tells_who_fares_differently() {
    let other: String = (0..3).map(|second| line("192.0.2.9", second, "/api/old", 200)).collect();
    let log = Logged::new(log() + &other).with(
        "current.toml",
        "[policies.old]\nquota = \"1/minute\"\n[routes.\"/api/old\"]\npolicies = [\"old\"]\n",
    );
    let candidate = "[policies.default]\nquota = \"2/minute\"\n[routes.\"/api/data\"]\npolicies = [\"default\"]\n";
    let report = log.report(candidate, &["--against", &log.text("current.toml")]);
    let difference = &report["difference"];
    assert_eq!(
        (&difference["newly_denied"], &difference["newly_admitted"]),
        (&3.into(), &2.into())
    );
    for (kind, client, requests, denied) in [
        ("clients_newly_denied", "ip:203.0.113.7", 6, 3),
        ("clients_newly_admitted", "ip:192.0.2.9", 3, 2),
    ] {
        assert_eq!(difference[format!("{kind}_count")], 1, "{report:#}");
        let changed = &difference[kind][0];
        assert_eq!(changed["client"], client, "{report:#}");
        assert_eq!((&changed["requests"], &changed["denied"]), (&requests.into(), &denied.into()));
    }
    assert_eq!(report["current"]["policies"]["old"]["denied"], 2);
    assert_eq!(report["policies"]["default"]["denied"], 3);
}

#[test]
fn a_client_that_a_penalty_bans_is_refused_too() {
    let log = Logged::new(log()).with("current.toml", &STRICT.replace("2/minute", "9/minute"));
    let penalty =
        "penalty = { denials = 1, within_ms = 60000, ban_ms = 600000, ban_at_most_ms = 600000 }\n";
    let candidate = STRICT.replace("[routes", &format!("{penalty}[routes"));
    let report = log.report(&candidate, &["--against", &log.text("current.toml")]);
    // The third request begins the ban, and a minute later it lasts still.
    assert_eq!(report["totals"]["banned"], 4, "{report:#}");
    assert_eq!(report["difference"]["newly_denied"], 4, "{report:#}");
    assert_eq!(report["difference"]["clients_newly_denied"][0]["denied"], 4, "{report:#}");
}

#[test]
fn nobody_is_named_who_shall_not_be() {
    let log = Logged::new(log() + "203.0.113.99 nonsense\n");
    let page = log.text("report.html");
    let finished = log.simulate(STRICT, &["--anonymise", "--html", &page]);
    let report = log.report(STRICT, &["--anonymise"]).to_string();
    let page = fs::read_to_string(page).expect("a page");
    for text in [finished.stdout, report, page] {
        assert!(!text.contains("203.0.113") && text.contains("ip:#"), "{text}");
    }
}

#[test]
fn standard_input_and_several_files_in_any_order_are_one_log() {
    let whole = log();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let (late, early): (Vec<_>, Vec<_>) = lines.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let text =
        |lines: Vec<(usize, &&str)>| lines.iter().map(|(_, line)| **line).collect::<String>();
    let log = Logged::new(text(late)).with("other.log", &text(early));
    let report = log.report(STRICT, &[&*log.text("other.log")]);
    assert_eq!(report["policies"]["default"]["denied"], 3, "{report:#}");
    assert_eq!(report["files"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_sample_is_replayed() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/access_logs");
    let mut count = 0;
    for sample in fs::read_dir(samples).expect("samples").flatten() {
        let path = sample.path().to_str().expect("a path of text").to_owned();
        let mut arguments = vec!["simulate", &path, "--json"];
        if path.ends_with("named.jsonl") {
            for field in ["time=at", "ip=who.addr", "user=who.name", "path=req.to"] {
                arguments.extend(["--field", field]);
            }
        }
        let finished = Options::default().config(STRICT).run(&arguments);
        let report: Value = serde_json::from_str(&finished.stdout).unwrap_or_default();
        assert!(report["requests"].as_u64() > Some(0), "{path}: {finished:?}");
        assert_eq!(report["requests"], report["totals"]["requests"], "{path}: {report:#}");
        count += 1;
    }
    assert!(count >= 10, "{count} samples");
}

#[test]
fn threads_count_as_one_thread_does() {
    let text: String = (0..5_000_u64)
        .map(|at| {
            let client = at * at % 97 % 23;
            line(&format!("198.51.100.{client}"), at / 90, "/api/data", 200)
        })
        .collect();
    let log = Logged::new(text);
    let [one, four] = ["1", "4"].map(|threads| log.report(STRICT, &["--threads", threads]));
    assert_eq!(one, four);
    assert!(one["policies"]["default"]["denied"].as_u64() > Some(1_000), "{one:#}");
}

#[test]
fn shadows_and_candidates_are_reported_beside_the_policy() {
    let config = "[policies.default]\nquota = \"4/minute\"\ncandidate = \"1/minute\"\n\
                  [policies.trial]\nquota = \"3/minute\"\nmode = \"shadow\"\n\
                  [routes.\"/api/data\"]\npolicies = [\"default\", \"trial\"]\n";
    let report = Logged::new(log()).report(config, &[]);
    let of = |name: &str, what: &str| report["policies"][name][what].clone();
    for (name, denied, clients, shadow) in
        [("default", 1, 1, false), ("default (candidate)", 4, 1, true), ("trial", 1, 1, true)]
    {
        assert_eq!(of(name, "denied"), denied, "{name}: {report:#}");
        assert_eq!(of(name, "clients_denied"), clients, "{name}: {report:#}");
        assert_eq!(of(name, "shadow"), shadow, "{name}: {report:#}");
    }
}

#[test]
fn addresses_behind_a_proxy_users_and_plans_are_those_of_the_server() {
    let text = "10.0.0.1 - ann [27/Nov/2026:10:00:00 +0000] \"GET /api/data HTTP/1.1\" 200 1 \"-\" \"-\" \"203.0.113.7\"\n\
                10.0.0.1 - - [27/Nov/2026:10:00:01 +0000] \"GET /api/data HTTP/1.1\" 200 1 \"-\" \"-\" \"192.0.2.1, 203.0.113.7\"\n";
    let log = Logged::new(text);
    let format = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for""#;
    let proxied = format!("{STRICT}[client_ip]\ntrusted_proxies = [\"10.0.0.0/8\"]\n");
    let one = proxied.replace("2/minute", "1/minute");
    // Nothing proves users, so both requests are of one address.
    let report = log.report(&one, &["--format", format]);
    assert_eq!(report["policies"]["default"]["denied"], 1, "{report:#}");
    assert_eq!(report["policies"]["default"]["worst"][0]["client"], "ip:203.0.113.7");
    let with_users = format!("{one}[auth]\nuser_header = \"x-user\"\n");
    let report = log.report(&with_users, &["--format", format]);
    assert_eq!(report["policies"]["default"]["denied"], 0, "{report:#}");
    assert_eq!(report["policies"]["default"]["clients"], 2, "{report:#}");
}

#[test]
fn ctrl_c_gives_the_report_of_what_was_read() {
    let report = interrupted("simulate");
    assert_eq!(report["interrupted"], true, "{report:#}");
    let report = interrupted("suggest");
    assert_eq!(report["counted"]["interrupted"], true, "{report:#}");
}

/// What a command reports whose standard input does not end.
fn interrupted(command: &str) -> Value {
    let log = Logged::new("").with("limits.toml", STRICT);
    let mut started = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    started.args([command, "--json", "--config", &log.text("limits.toml")]);
    let child = started.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("the built command runs");
    let mut input = child.stdin.take().expect("its input");
    let an_hour: String =
        (0..3_600).map(|second| line("203.0.113.7", second, "/api/data", 200)).collect();
    input.write_all(an_hour.as_bytes()).expect("it reads");
    until("it catches the signal", || catches(child.id(), Signal::INT));
    kill_process(Pid::from_child(&child), Signal::INT).expect("a child takes signals");
    let output = child.wait_with_output().expect("it ends, though its input does not");
    drop(input);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_policy_that_counts_by_outcome_counts_by_the_status_of_the_log() {
    let config = "[policies.default]\nquota = \"2/minute\"\ncharge_on = [\"401\"]\n\
                  [routes.\"/api/*\"]\npolicies = [\"default\"]\n";
    let statuses = [200, 200, 200, 401, 200, 401, 200, 401];
    let lines = statuses
        .iter()
        .zip(0..)
        .map(|(status, second)| line("203.0.113.7", second, "/api/login", *status));
    let report = Logged::new(lines.collect::<String>()).report(config, &[]);
    // The two that come after the second failure.
    assert_eq!(report["policies"]["default"]["denied"], 2, "{report:#}");
    let told = report["caveats"].to_string();
    assert!(told.contains("gives back") || told.contains("given back"), "{told}");
    assert!(!told.contains("did not reach the application"), "{told}");
}

/// Requests of one client, each with when it began and how long it took, in seconds.
fn timed(requests: &[(u64, u64, &str)]) -> Logged {
    let mut requests = requests.to_vec();
    // nginx writes a line when the response ends.
    requests.sort_by_key(|(began, took, _)| began + took);
    let line = |(began, took, path): &(u64, u64, &str)| {
        let ended = 1_795_000_000 + began + took;
        format!("203.0.113.7 {ended}.000 \"GET {path} HTTP/1.1\" 200 {took}.000\n")
    };
    Logged::new(requests.iter().map(line).collect::<String>())
}

const TIMED: [&str; 2] = ["--format", "$remote_addr $msec \"$request\" $status $request_time"];

#[test]
fn requests_hold_slots_for_as_long_as_the_log_says() {
    let config = "[policies.default]\nin_flight = 3\nreserve = \"30%\"\nslot_ms = 1000\n\
                  [routes.\"/api/*\"]\npolicies = [\"default\"]\n\
                  [routes.\"/api/pay\"]\npolicies = [\"default\"]\nuses_reserve = true\n";
    let log = timed(&[
        (0, 5, "/api/a"),
        (1, 5, "/api/b"),
        // Two slots are held, and the third is kept.
        (2, 1, "/api/c"),
        (3, 5, "/api/pay"),
        (4, 1, "/api/pay"),
        // One ended at 5, and two are held.
        (5, 1, "/api/d"),
        // One more ended at 6.
        (6, 1, "/api/e"),
    ]);
    let report = log.report(config, &TIMED);
    let default = &report["policies"]["default"];
    assert_eq!((&default["requests"], &default["denied"]), (&7.into(), &3.into()), "{report:#}");
    let quota = "10/minute; 3 at once, 1 of them in reserve";
    assert_eq!((&default["quota"], &report["with_end"]), (&quota.into(), &7.into()));
    let told = |report: &Value| report["caveats"].to_string().contains("without an end");
    assert!(!told(&report), "{report:#}");
    // A log that does not tell how long they took.
    let report = Logged::new(self::log()).report(config, &[]);
    assert_eq!(report["policies"]["default"]["denied"], 0, "{report:#}");
    assert!(told(&report), "{report:#}");
}

#[test]
fn what_does_not_count_is_given_back_when_its_request_ends() {
    let config = "[policies.default]\nquota = \"2/minute\"\ncharge_on = [\"401\"]\n\
                  [routes.\"/api/*\"]\npolicies = [\"default\"]\n";
    let log = timed(&[(0, 3, "/api/a"), (1, 3, "/api/b"), (2, 1, "/api/c"), (3, 1, "/api/d")]);
    let report = log.report(config, &TIMED);
    assert_eq!(report["policies"]["default"]["denied"], 1, "{report:#}");
    assert!(!report["caveats"].to_string().contains("given back"), "{report:#}");
}
