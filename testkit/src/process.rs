//! Child processes: started, read and ended, each by its own number.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::output::Output;
use crate::threads::pause;

/// Far longer than anything takes that is waited for here: a guard against a hang, never a measure.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a process may take to end its own children.
const GRACE: Duration = Duration::from_secs(5);

/// A child process, ended on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Output,
    has_children: bool,
}

impl Process {
    /// Starts `command`, and keeps all that it prints.
    pub fn start(mut command: Command) -> Self {
        let (reader, writer) = io::pipe().expect("a pipe");
        command.stdout(writer.try_clone().expect("a pipe's end")).stderr(writer);
        Self::spawn(command, reader)
    }

    /// Starts `command`, and keeps what it prints on standard error.
    pub fn start_reading_stderr(mut command: Command) -> Self {
        let (reader, writer) = io::pipe().expect("a pipe");
        command.stdout(Stdio::null()).stderr(writer);
        Self::spawn(command, reader)
    }

    fn spawn(mut command: Command, output: io::PipeReader) -> Self {
        let child = command.stdin(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        // With the command goes our copy of the end that the child writes to: the output can end.
        drop(command);
        Self { child, output: Output::of(output), has_children: false }
    }

    /// On drop it is told to end (SIGTERM) and given time for that: it has children of its own, which
    /// would outlive it otherwise.
    #[must_use]
    pub fn with_children(mut self) -> Self {
        self.has_children = true;
        self
    }

    /// The number by which the system knows it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines that it has printed so far.
    pub fn lines(&mut self) -> &[String] {
        self.output.lines()
    }

    /// All lines that it prints until it ends.
    pub fn rest_of_lines(&mut self) -> &[String] {
        self.output.until(PATIENCE, PATIENCE, |_| None::<()>);
        self.output.lines()
    }

    /// Asks `ready` again after each line that it prints, and each silence of `every`, until that answers.
    ///
    /// # Panics
    /// When it ends before, or is never ready.
    #[track_caller]
    pub fn until<T>(
        &mut self,
        what: &str,
        every: Duration,
        ready: impl FnMut(&[String]) -> Option<T>,
    ) -> T {
        let found = self.output.until(PATIENCE, every, ready);
        found.unwrap_or_else(|| panic!("{what}: never so:\n{}", self.lines().join("\n")))
    }

    /// Waits until a line after the first `seen` ones holds `text`, and returns it.
    ///
    /// # Panics
    /// When none does.
    #[track_caller]
    pub fn until_it_says(&mut self, text: &str, seen: usize) -> String {
        let says = |lines: &[String]| lines.iter().skip(seen).find(|it| it.contains(text)).cloned();
        self.until(&format!("a line says {text:?}"), PATIENCE, says)
    }

    /// Waits until it accepts connections at `address`.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn until_it_listens(&mut self, address: SocketAddr) {
        let listens = |_: &[String]| TcpStream::connect(address).ok().map(drop);
        self.until(&format!("it listens on {address}"), Duration::from_millis(5), listens);
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a child takes signals");
    }

    /// Ends it at once (SIGKILL). One that has ended stays so.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be ended");
        self.wait();
    }

    /// Waits for the end of a process that was told to end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("a child that was told to end")
    }

    /// How it ended, if it does within `patience`.
    pub fn ended(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            let ended = self.child.try_wait().expect("a child of ours");
            if ended.is_some() || begun.elapsed() >= patience {
                return ended;
            }
            pause(Duration::from_millis(1));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The number of one that has ended may be another's by now.
        if self.has_children && matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            self.ended(GRACE);
        }
        // Neither fails in a way that matters on one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that ends with the thread that starts it, however that ends.
pub fn bound(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Keeps what the developer's own environment says to Tollgate from `command`.
pub fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOLLGATE_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
}
