//! What the system knows of a process.

use std::fs;

/// The CPU time that the process has used, in clock ticks.
pub(crate) fn cpu_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    // The command may hold spaces, and ends at the last bracket; the times are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').expect("the command's name");
    let times = fields.split_whitespace().skip(11).take(2);
    times.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// The bytes of memory that it has in use.
pub(crate) fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"));
    resident.expect("its memory").trim().parse::<u64>().expect("a number") * 1_024
}

/// The soft limit of its open files.
pub(crate) fn file_limit(pid: u32) -> u64 {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("a running process");
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|limits| limits.split_whitespace().next()).expect("two limits");
    soft.parse().expect("a number")
}
