//! A private Redis server: a real `redis-server`, or a `valkey-server` where there is no other, in a
//! directory of its own, ended with the test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use redis::{Client, Connection, RedisResult};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::certificates::Certified;
use crate::port;
use crate::process::{Process, bound};

const PATIENCE: Duration = Duration::from_secs(10);

/// Between two attempts to reach a server that is starting.
const STEP: Duration = Duration::from_millis(10);

/// What a server is called, the first that is installed.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The one of [`PROGRAMS`] that is used.
static PROGRAM: LazyLock<&str> = LazyLock::new(|| {
    let is_there = |program: &&str| Command::new(program).arg("--version").output().is_ok();
    let found = PROGRAMS.into_iter().find(is_there);
    found.expect("redis-server or valkey-server is installed: `make test` sees to it")
});

/// What a server is called on this machine: `redis-server`, or `valkey-server`.
pub fn program() -> &'static str {
    &PROGRAM
}

/// A server without persistence, on a Unix socket and, where asked for, on a loopback port.
#[derive(Debug)]
pub struct Server {
    home: TempDir,
    port: u16,
    /// Whether the port takes TLS alone.
    is_tls: bool,
    /// What it is started with besides.
    arguments: Vec<String>,
    program: fn(&Path) -> Command,
    environment: Vec<(String, String)>,
    process: Option<Process>,
}

/// Everything that a server holds, by key; equal only if every byte and every expiry is.
pub type Dump = BTreeMap<Vec<u8>, Entry>;

/// What is kept under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value as `DUMP` writes it.
    pub value: Vec<u8>,
    /// When it expires, in milliseconds since the Unix epoch; `None` is never.
    pub expires_at: Option<u64>,
}

impl Server {
    /// A running server that is reached by its Unix socket alone.
    pub fn start() -> Self {
        Self::on(0, None, &[], &[], unbound)
    }

    /// The same, with these variables in its environment.
    pub fn start_in(environment: &[(String, String)]) -> Self {
        Self::on(0, None, &[], environment, unbound)
    }

    /// A running server that is also reached on a free loopback port.
    pub fn start_tcp() -> Self {
        Self::certified(None, &[])
    }

    /// The same with more `arguments`, and by TLS alone where it is certified.
    pub fn certified(tls: Option<&Certified<'_>>, arguments: &[&str]) -> Self {
        Self::on(port::free(), tls, arguments, &[], unbound)
    }

    /// A running server on both, which ends with the thread that starts it, however that ends.
    pub fn bound() -> Self {
        Self::on(port::free(), None, &[], &[], bound)
    }

    fn on(
        port: u16,
        tls: Option<&Certified<'_>>,
        arguments: &[&str],
        environment: &[(String, String)],
        program: fn(&Path) -> Command,
    ) -> Self {
        let home = TempDir::with_prefix("tollgate-redis-").expect("a temporary directory");
        let mut arguments: Vec<String> = arguments.iter().map(|&it| it.to_owned()).collect();
        arguments.extend(tls.into_iter().flat_map(|tls| tls.arguments(port)));
        let is_tls = tls.is_some();
        let environment = environment.to_vec();
        let mut server =
            Self { home, port, is_tls, arguments, program, environment, process: None };
        server.restart();
        server
    }

    /// `redis+unix:///path`
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// `redis://127.0.0.1:port/0`
    pub fn tcp_url(&self) -> String {
        assert_ne!(self.port, 0, "this server has no port: begin it with start_tcp()");
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its port; 0 without one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Has the server do one thing, as an operator would.
    pub fn tell(&self, words: &[&str]) {
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.exec(&mut self.connection()).expect("a command that it takes");
    }

    /// How often `command` was called, from within scripts too.
    pub fn calls(&self, command: &str) -> u64 {
        self.info(&format!("cmdstat_{command}:calls="))
    }

    /// The number that follows `prefix` in a line of INFO; 0 where no line begins so.
    pub fn info(&self, prefix: &str) -> u64 {
        let info: String =
            redis::cmd("INFO").arg("all").query(&mut self.connection()).expect("its figures");
        let number = info.lines().find_map(|line| line.strip_prefix(prefix)).unwrap_or("0");
        let digits = number.split(',').next().expect("the first of them").trim();
        digits.parse().expect("a number")
    }

    /// A connection to look inside with.
    pub fn connection(&self) -> Connection {
        self.connect().expect("the private Redis server answers")
    }

    /// Ends the server in order (SIGTERM). What it held is gone, its address stays reserved.
    pub fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    /// Ends the server at once (SIGKILL), as a crash would.
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    /// Begins anew on the same address, empty.
    pub fn restart(&mut self) {
        self.kill();
        let mut process = Process::start(self.command());
        process.until("redis-server is up", STEP, |_| self.connect().ok());
        self.process = Some(process);
    }

    /// Ends the server in order, and begins it anew with what it held, which it takes so long to
    /// load for each key; it is loading when this returns.
    pub fn reload(&mut self, micros_a_key: u32) {
        // What is not compressed is loaded in more steps, between which it answers.
        self.tell(&["CONFIG", "SET", "rdbcompression", "no"]);
        self.tell(&["SAVE"]);
        self.stop();
        let mut command = self.command();
        command.arg("--key-load-delay").arg(micros_a_key.to_string());
        command.args(["--loading-process-events-interval-bytes", "1024"]);
        let mut process = Process::start(command);
        let loads = |_: &[String]| {
            self.connect().is_err_and(|it| it.code() == Some("LOADING")).then_some(())
        };
        process.until("redis-server is loading", STEP, loads);
        self.process = Some(process);
    }

    /// Stops the server's process without ending it (SIGSTOP): connections stay open, nothing answers.
    pub fn pause(&self) {
        self.process().signal(Signal::STOP);
    }

    /// Lets a paused server go on (SIGCONT).
    pub fn resume(&self) {
        self.process().signal(Signal::CONT);
    }

    /// All keys with their values and expiries.
    pub fn dump(&self) -> Dump {
        let mut connection = self.connection();
        let mut dump = Dump::new();
        let mut cursor = 0_u64;
        loop {
            let (next, keys): (u64, Vec<Vec<u8>>) =
                redis::cmd("SCAN").arg(cursor).query(&mut connection).expect("SCAN");
            for key in keys {
                // A key may expire between SCAN and here.
                if let Some(entry) = Entry::read(&mut connection, &key).expect("DUMP and PTTL") {
                    dump.insert(key, entry);
                }
            }
            if next == 0 {
                return dump;
            }
            cursor = next;
        }
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// The path of its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.home.path().join("redis.sock")
    }

    fn connect(&self) -> RedisResult<Connection> {
        let mut connection = Client::open(self.url())?.get_connection_with_timeout(PATIENCE)?;
        redis::cmd("PING").exec(&mut connection)?;
        Ok(connection)
    }

    fn command(&self) -> Command {
        let mut command = (self.program)(Path::new(program()));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // A file with its settings, if there is one, comes first.
        command.args(&self.arguments);
        command.arg("--dir").arg(self.home.path());
        command.arg("--unixsocket").arg(self.socket());
        let plain = if self.is_tls { 0 } else { self.port };
        command.arg("--port").arg(plain.to_string());
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        // What `reload` kept is loaded by it alone.
        command.args(["--dbfilename", "reload.rdb"]);
        command.args(["--daemonize", "no", "--logfile", ""]);
        command
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("the server is running")
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            process.signal(signal);
            // A paused process would keep SIGTERM until it goes on.
            process.signal(Signal::CONT);
            process.wait();
        }
    }
}

fn unbound(program: &Path) -> Command {
    Command::new(program)
}

impl Entry {
    fn read(connection: &mut Connection, key: &[u8]) -> RedisResult<Option<Self>> {
        let (value, ttl, now) = loop {
            type Reply = (Option<Vec<u8>>, (u64, u64), i64, (u64, u64));
            let mut step = redis::pipe();
            step.cmd("DUMP").arg(key).cmd("TIME").cmd("PTTL").arg(key).cmd("TIME");
            let (value, before, ttl, after): Reply = step.query(connection)?;
            let millis = |(seconds, micros): (u64, u64)| seconds * 1_000 + micros / 1_000;
            // A TTL names an instant only where its millisecond is known.
            if millis(before) == millis(after) {
                break (value, ttl, millis(after));
            }
        };
        // PTTL is negative for no expiry and for no key.
        let expires_at = u64::try_from(ttl).ok().map(|ttl| now + ttl);
        Ok(value.map(|value| Self { value, expires_at }))
    }
}
