//! What the system knows of processes.

use std::collections::HashMap;
use std::fs;

use rustix::process::Signal;

/// The CPU time that the process has used, in clock ticks.
pub fn cpu_ticks(pid: u32) -> u64 {
    stat(pid).expect("a running process").ticks
}

/// The bytes of memory that it has in use.
pub fn resident_bytes(pid: u32) -> u64 {
    status(pid, "VmRSS:").expect("the memory of a running process") * 1_024
}

/// The soft limit of its open files.
pub fn file_limit(pid: u32) -> u64 {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("a running process");
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|limits| limits.split_whitespace().next()).expect("two limits");
    soft.parse().expect("a number")
}

/// Whether it has a handler for `signal`; taken for granted where no `/proc` would tell.
pub fn catches(pid: u32, signal: Signal) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return true };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

/// The CPU time in seconds that it and its descendants have used.
pub fn cpu_seconds(pid: u32) -> f64 {
    seconds(family(pid).values().map(|stat| stat.ticks).sum())
}

/// What it and its descendants hold now.
pub fn held(pid: u32) -> Held {
    let mut held = Held::default();
    for pid in family(pid).into_keys() {
        held.resident += status(pid, "VmRSS:").unwrap_or(0) * 1_024;
        held.threads += status(pid, "Threads:").unwrap_or(0);
        held.files += fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |it| it.count() as u64);
    }
    held
}

/// What processes hold at one time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// Bytes of memory.
    pub resident: u64,
    /// Threads.
    pub threads: u64,
    /// Open files.
    pub files: u64,
}

impl Held {
    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            resident: self.resident.max(other.resident),
            threads: self.threads.max(other.threads),
            files: self.files.max(other.files),
        }
    }
}

/// The CPU time in seconds of this process and of those of its children that have ended.
pub fn own_cpu_seconds() -> f64 {
    seconds(ticks(&fields("/proc/self/stat").unwrap_or_default(), 4))
}

/// The CPU time in milliseconds of this thread.
pub fn thread_cpu_ms() -> u64 {
    let used = ticks(&fields("/proc/thread-self/stat").unwrap_or_default(), 2);
    used * 1_000 / rustix::param::clock_ticks_per_second()
}

/// Ticks of the system's clock as seconds.
pub fn seconds(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// A process in `/proc`.
#[derive(Debug)]
struct Stat {
    parent: u32,
    ticks: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let fields = fields(&format!("/proc/{pid}/stat"))?;
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks: ticks(&fields, 2) })
}

/// The process and its descendants, by their numbers.
fn family(pid: u32) -> HashMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut all: HashMap<u32, Stat> = pids.filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let mut next = vec![pid];
    let mut family = HashMap::new();
    while let Some(pid) = next.pop() {
        next.extend(all.iter().filter(|(_, it)| it.parent == pid).map(|(child, _)| child));
        family.extend(all.remove(&pid).map(|stat| (pid, stat)));
    }
    family
}

/// The sum of as many of the times in `stat`: in user mode, in the kernel, and the same of children.
fn ticks(fields: &[String], times: usize) -> u64 {
    fields.iter().skip(11).take(times).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// The fields of a `stat` file from the third on, the second being a name with anything in it.
fn fields(path: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// A number of the `status` file of a process.
fn status(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
