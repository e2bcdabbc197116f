//! The machine that is measured on.

use std::fs;
use std::process::Command;
use std::thread;

use serde::Serialize;
use tollgate_testkit::procfs::seconds;
use tollgate_testkit::redis::program;

use crate::result::Result;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: f64,
    kernel: String,
    redis: String,
    /// Of the sources, where they are in a repository.
    commit: Option<String>,
    /// Over the last minute, at the start; whoever just built it has raised it.
    load_average: String,
}

impl Machine {
    pub(crate) fn read() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.and_then(|line| line.split_once(": ")).map_or("unknown CPU", |it| it.1);
        let redis = output(program(), &["--version"]).unwrap_or_default();
        let redis = redis.split(' ').find_map(|word| word.strip_prefix("v=")).unwrap_or("unknown");
        let first_word = |path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.split_whitespace().next().unwrap_or("unknown").to_owned()
        };
        Self {
            cpu: model.to_owned(),
            cores: Self::cores(),
            kernel: first_word("/proc/sys/kernel/osrelease"),
            redis: redis.to_owned(),
            commit: output("git", &["describe", "--always", "--dirty", "--exclude=*"]),
            load_average: first_word("/proc/loadavg"),
        }
    }

    pub(crate) fn cores() -> f64 {
        thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
    }

    /// It all in one line.
    pub(crate) fn line(&self) -> String {
        let Self { cpu, cores, kernel, redis, commit, load_average } = self;
        let commit = commit.as_deref().unwrap_or("unknown");
        format!(
            "{cpu}, {cores} cores, Linux {kernel}, Redis {redis}, commit {commit}, \
             load average {load_average} at the start"
        )
    }
}

/// What a command printed, without the newline; `None` where it failed.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The CPU time in seconds that was used, or taken by the host, since the machine began. Without
/// interrupts, which serve everyone.
pub(crate) fn busy_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu "));
    let times: Vec<u64> = line
        .into_iter()
        .flat_map(str::split_whitespace)
        .filter_map(|time| time.parse().ok())
        .collect();
    let [user, nice, system, _idle, _wait, _irq, _softirq, stolen, ..] = times[..] else {
        return Err("no CPU times in /proc/stat".into());
    };
    Ok(seconds(user + nice + system + stolen))
}
