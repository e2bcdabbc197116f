//! This test binary as a process of its own, to be one of several, or to be killed.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, io, process, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::output::Output;

const PATIENCE: Duration = Duration::from_secs(30);

/// The variable that hands a child the URL of its Redis.
const URL: &str = "TOLLGATE_TEST_REDIS";

/// A process that runs one ignored test, ended on drop.
#[derive(Debug)]
pub struct TestProcess {
    process: Child,
    output: Output,
}

impl TestProcess {
    /// Starts the test called `test` on the Redis at `url`; it has called [`begin`] when this returns.
    pub fn start(test: &str, url: &str) -> Self {
        let mut command = Command::new(env::current_exe().expect("a path to this binary"));
        command.args(["--exact", test, "--ignored", "--nocapture"]).env(URL, url);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this binary starts once more");
        let output = Output::of(process.stdout.take().expect("its output is piped"));
        let mut child = Self { process, output };
        child.value_of("ready");
        child
    }

    /// Lets it go on from [`begin`].
    pub fn go(&mut self) {
        let stdin = self.process.stdin.as_mut().expect("its input is piped");
        stdin.write_all(b"go\n").expect("it reads");
    }

    /// What it [`tell`]s of `name`.
    pub fn value_of(&mut self, name: &str) -> u64 {
        let prefix = format!("{name}=");
        // The test harness may have begun the line.
        let value = |line: &String| Some(line.split_once(&prefix)?.1.trim().to_owned());
        let found = self.output.until(PATIENCE, PATIENCE, |lines| lines.iter().find_map(value));
        let found = found.unwrap_or_else(|| panic!("it said no {name}: {:?}", self.output.lines()));
        found.parse().expect("a number")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("a child takes signals");
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill().expect("a child can be ended");
        self.process.wait().expect("an ended child");
    }
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// In the child: says that it is ready, waits until it may go on, and returns its Redis's URL.
/// `None` where this is no child.
pub fn begin() -> Option<String> {
    let url = env::var_os(URL)?.into_string().expect("a URL");
    tell("ready", 1);
    io::stdin().read_line(&mut String::new()).expect("the parent writes");
    // Its end is the parent's, whom a child never outlives.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(1);
    });
    Some(url)
}

/// In the child: tells the parent.
pub fn tell(name: &str, value: u64) {
    println!("\n{name}={value}");
}
