//! Child processes: begun, watched and ended, each by its own number.

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;

const PATIENCE: Duration = Duration::from_secs(20);

/// How long a child may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A child, ended on drop.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Begins `command`; what it prints goes to the file `log`.
    pub(crate) fn begin(mut command: Command, log: PathBuf) -> Result<Self> {
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child =
            command.spawn().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
        Ok(Self { child, log })
    }

    /// Waits until `attempt` succeeds, trying again after each `pause`.
    pub(crate) fn until<T>(
        &mut self,
        every: Duration,
        mut attempt: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(it) = attempt() {
                return Ok(it);
            }
            let ended = self.child.try_wait()?.is_some();
            if ended || begun.elapsed() > PATIENCE {
                let printed = fs::read_to_string(&self.log).unwrap_or_default();
                return Err(format!("a server did not come up:\n{printed}").into());
            }
            pause(every);
        }
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Waits until it has printed `text`, after the first `length` bytes.
    pub(crate) fn until_it_says(&mut self, text: &str, length: usize) -> Result<()> {
        let log = self.log.clone();
        let says = || fs::read_to_string(&log).ok()?.get(length..)?.contains(text).then_some(());
        self.until(Duration::from_millis(1), says)
    }

    /// Waits until it accepts connections at `address`.
    pub(crate) fn until_it_listens(&mut self, address: SocketAddr) -> Result<()> {
        self.until(Duration::from_millis(5), || TcpStream::connect(address).ok().map(drop))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// How it ended, if it does within `patience`.
    pub(crate) fn ended(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            let ended = self.child.try_wait()?;
            if ended.is_some() || begun.elapsed() >= patience {
                return Ok(ended);
            }
            pause(Duration::from_millis(1));
        }
    }

    /// The CPU time in seconds that it and its descendants have used.
    pub(crate) fn cpu(&self) -> f64 {
        seconds(self.family().values().map(|stat| stat.ticks).sum())
    }

    /// Its resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let kibibytes = status(self.child.id(), "VmRSS:");
        Ok(kibibytes.ok_or("no resident memory in /proc")? * 1024)
    }

    /// What it and its descendants hold now.
    pub(crate) fn held(&self) -> Held {
        let mut held = Held::default();
        for id in self.family().into_keys() {
            held.resident += status(id, "VmRSS:").unwrap_or(0) * 1024;
            held.threads += status(id, "Threads:").unwrap_or(0);
            held.files += fs::read_dir(format!("/proc/{id}/fd")).map_or(0, |it| it.count() as u64);
        }
        held
    }

    /// It and its descendants, by their numbers.
    fn family(&self) -> HashMap<u32, Stat> {
        let mut all = stats();
        let mut next = vec![self.child.id()];
        let mut family = HashMap::new();
        while let Some(id) = next.pop() {
            next.extend(all.iter().filter(|(_, it)| it.parent == id).map(|(child, _)| child));
            family.extend(all.remove(&id).map(|stat| (id, stat)));
        }
        family
    }
}

/// What processes hold at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    /// Bytes of memory.
    pub(crate) resident: u64,
    pub(crate) threads: u64,
    pub(crate) files: u64,
}

impl Held {
    /// The larger of each.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            resident: self.resident.max(other.resident),
            threads: self.threads.max(other.threads),
            files: self.files.max(other.files),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // In order first: a server with workers ends them then. None of it fails in a way that
        // matters on a child that has ended.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < GRACE {
            pause(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct Stat {
    parent: u32,
    ticks: u64,
}

/// A number of the `status` file of the process `id`.
fn status(id: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Every process there is, by its number.
fn stats() -> HashMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let stat = |id| {
        let fields = fields(Path::new(&format!("/proc/{id}/stat")))?;
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some((id, Stat { parent: fields.get(1)?.parse().ok()?, ticks }))
    };
    ids.filter_map(stat).collect()
}

/// The CPU time in seconds of this process and of those of its children that have ended.
pub(crate) fn own_cpu() -> f64 {
    let fields = fields(Path::new("/proc/self/stat")).unwrap_or_default();
    let used = fields.iter().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok());
    seconds(used.sum())
}

/// The CPU time in milliseconds of this thread.
pub(crate) fn thread_cpu_ms() -> u64 {
    let fields = fields(Path::new("/proc/thread-self/stat")).unwrap_or_default();
    let used = fields.iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    used.sum::<u64>() * 1_000 / rustix::param::clock_ticks_per_second()
}

/// The fields of a `stat` file from the third on, the second being a name with anything in it.
fn fields(path: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// Ticks of the system's clock as seconds.
pub(crate) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// A command that ends with this process, however that ends.
pub(crate) fn bound(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Lets `time` pass.
pub(crate) fn pause(time: Duration) {
    let (_open, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// A loopback address that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
