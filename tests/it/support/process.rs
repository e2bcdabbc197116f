//! The `tollgate` command as its users run it: a process with a configuration, asked over HTTP.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tollgate_testkit::process::{Process, without_settings};

use super::http::{Client, Response};
use super::port;
use super::procfs::catches;
use super::terminal::Terminal;

/// How to start the command: nothing of the developer's own environment or files reaches it.
#[derive(Debug, Default)]
pub(crate) struct Options {
    config: Option<String>,
    settings: Vec<String>,
    flags: Vec<String>,
    env: Vec<(String, String)>,
    files: Option<(u64, u64)>,
}

impl Options {
    /// The text of the `config.toml` that it finds in its directory.
    pub(crate) fn config(mut self, text: &str) -> Self {
        self.config = Some(text.to_owned());
        self
    }

    /// `--set key=value`
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push(format!("{key}={value}"));
        self
    }

    /// Two more arguments, as in `--config FILE`.
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// An environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The soft and the hard limit of its open files.
    pub(crate) fn limit_files(mut self, soft: u64, hard: u64) -> Self {
        self.files = Some((soft, hard));
        self
    }

    /// Serves on a free port of 127.0.0.1, and answers when this returns.
    pub(crate) fn serve(self) -> Tollgate {
        let port = port::free();
        self.serve_on(&format!("127.0.0.1:{port}"), port)
    }

    /// Serves at `listen`, which is reached at this port of 127.0.0.1, and answers when this returns.
    pub(crate) fn serve_on(self, listen: &str, port: u16) -> Tollgate {
        self.begin(listen, format!("http://127.0.0.1:{port}")).once_it_says("Listening on")
    }

    /// Serves on the Unix socket at `path`, and answers when this returns.
    pub(crate) fn serve_unix(self, path: &Path) -> Tollgate {
        let listen = format!("unix:{}", path.display());
        self.begin(&listen, listen.clone()).once_it_says("Listening on")
    }

    /// Begins to serve on a free port of 127.0.0.1.
    pub(crate) fn start(self) -> Tollgate {
        let listen = format!("127.0.0.1:{}", port::free());
        self.begin(&listen, format!("http://{listen}"))
    }

    fn begin(self, listen: &str, url: String) -> Tollgate {
        let home = self.home();
        let mut command = self.command(&home, &["serve"]);
        command.arg("--set").arg(format!("server.listen={listen}"));
        let process = Process::start_reading_stderr(command);
        Tollgate { home, process, client: Client::of(url) }
    }

    /// Runs a command to its end.
    pub(crate) fn run(self, arguments: &[&str]) -> Finished {
        let home = self.home();
        let output = self.command(&home, arguments).output().expect("the built command runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Finished {
            status: output.status,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Runs a command in a terminal of so many columns and rows.
    pub(crate) fn run_in_terminal(self, arguments: &[&str], size: [u16; 2]) -> Terminal {
        let home = self.home();
        let mut command = self.command(&home, arguments);
        // Those of the terminal that the tests run in do not matter.
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Terminal::run(&command, home, size)
    }

    fn home(&self) -> TempDir {
        let home = TempDir::with_prefix("tollgate-").expect("a temporary directory");
        if let Some(text) = &self.config {
            fs::write(home.path().join("config.toml"), text).expect("config.toml is written");
        }
        home
    }

    fn command(&self, home: &TempDir, arguments: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_tollgate");
        let mut command = match self.files {
            None => Command::new(binary),
            Some((soft, hard)) => {
                let mut shell = Command::new("sh");
                let script =
                    format!("ulimit -S -n {soft}; ulimit -H -n {hard}; exec \"$0\" \"$@\"");
                shell.arg("-c").arg(script).arg(binary);
                shell
            }
        };
        without_settings(&mut command);
        command.current_dir(home.path()).stdin(Stdio::null()).args(arguments);
        command.args(&self.flags);
        command.args(self.settings.iter().flat_map(|setting| ["--set", setting]));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What a command that ended left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A serving process, ended on drop.
#[derive(Debug)]
pub(crate) struct Tollgate {
    home: TempDir,
    process: Process,
    client: Client,
}

impl Tollgate {
    fn once_it_says(mut self, text: &str) -> Self {
        self.wait_for_line(text);
        self
    }

    /// `http://127.0.0.1:port`, or `unix:/path`, which the client does not speak.
    pub(crate) fn url(&self) -> &str {
        self.client.url()
    }

    /// The answer to a GET of `path`, sent as it is written.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &[u8])]) -> Response {
        self.client.get(path, headers)
    }

    /// The answer to a request without a body; `path` and `headers` are sent as they are written.
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &[u8])]) -> Response {
        self.client.request(method, path, headers)
    }

    /// The lines on standard error so far.
    pub(crate) fn stderr(&mut self) -> &[String] {
        self.process.lines()
    }

    /// Waits for a line on standard error that holds `text`.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> String {
        self.process.until_it_says(text, 0)
    }

    /// All lines on standard error, to the end of it: for a process that was stopped.
    pub(crate) fn rest_of_stderr(&mut self) -> &[String] {
        self.process.rest_of_lines()
    }

    /// Replaces its `config.toml`.
    pub(crate) fn rewrite_config(&self, text: &str) {
        fs::write(self.home.path().join("config.toml"), text).expect("config.toml is written");
    }

    /// Sends it a signal, once it listens to them.
    pub(crate) fn signal(&mut self, signal: Signal) {
        let (pid, step) = (self.pid(), Duration::from_millis(10));
        let catches = |_: &[String]| catches(pid, Signal::TERM).then_some(());
        self.process.until("it takes signals", step, catches);
        self.process.signal(signal);
    }

    /// Ends it in order (SIGTERM) and waits for the end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Its number, by which `/proc` knows it.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits for the end of a process that was told to end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }
}
