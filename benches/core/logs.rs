//! How many lines of an access log a replay takes, beside programs that only count lines.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, Throughput};

const LINES: u64 = 1_000_000;

/// The clients, of which some send much more than others.
const CLIENTS: u64 = 50_000;

/// Replays a log of Combined Log Format under one policy.
pub(super) fn logs(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let (log, config) = (directory.path().join("access.log"), directory.path().join("limit.toml"));
    fs::write(&log, lines(0)).expect("a log");
    fs::write(directory.path().join("other.log"), lines(1)).expect("a log");
    fs::write(
        &config,
        "[store]\nurl = \"memory:\"\n[policies.default]\nquota = \"30/minute\"\n\
         [routes.\"/*\"]\npolicies = [\"default\"]\n",
    )
    .expect("a configuration");
    let mut group = c.benchmark_group("log");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    let files = ["access.log", "other.log"];
    for (name, files, threads) in [
        ("simulate, one core", &files[..1], "1"),
        ("simulate, two files, one thread", &files, "1"),
        ("simulate, two files, two threads", &files, "2"),
    ] {
        group.throughput(Throughput::Elements(LINES * files.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut command = match files.len() {
                    1 => on_one_core(Path::new(env!("CARGO_BIN_EXE_tollgate"))),
                    _ => Command::new(env!("CARGO_BIN_EXE_tollgate")),
                };
                command.arg("simulate").args(files).args(["--threads", threads, "--config"]);
                run(command.arg(&config).current_dir(&directory));
            });
        });
    }
    group.throughput(Throughput::Elements(LINES));
    group.bench_function("awk, which counts clients", |b| {
        b.iter(|| {
            let mut awk = on_one_core(Path::new("awk"));
            run(awk.arg("{n[$1]++} END {print length(n)}").arg(&log));
        });
    });
    if Command::new("goaccess").arg("--version").stdout(Stdio::null()).status().is_ok() {
        group.bench_function("goaccess, which makes its report", |b| {
            b.iter(|| {
                let mut goaccess = on_one_core(Path::new("goaccess"));
                goaccess.arg(&log).args(["--log-format=COMBINED", "--no-progress", "-o"]);
                run(goaccess.arg(directory.path().join("report.json")));
            });
        });
    }
    group.finish();
}

/// Runs `program` on the first core.
fn on_one_core(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.expect("it starts").success(), "{command:?}");
}

/// The lines of an hour, a day after those of the number before.
fn lines(number: u64) -> String {
    let mut text = String::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for line in 0..LINES {
        // Xorshift: the same lines each time.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // The smaller of two, so that some clients send more.
        let client = (random % CLIENTS).min((random >> 32) % CLIENTS);
        let second = line * 3_600 / LINES;
        let _ = writeln!(
            text,
            "10.{}.{}.{} - - [{:02}/Nov/2026:10:{:02}:{:02} +0000] \"GET /api/items/{} HTTP/1.1\" 200 {} \"-\" \
             \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\"",
            client >> 16,
            client >> 8 & 255,
            client & 255,
            1 + number,
            second / 60,
            second % 60,
            random % 1_000,
            random % 50_000
        );
    }
    text
}
