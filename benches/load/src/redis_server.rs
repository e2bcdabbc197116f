//! A private Redis without persistence, on a Unix socket and a loopback port.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::process::{Process, bound, free_address};
use crate::{Result, Transport};

/// What a server is called: `redis-server`, or `valkey-server` where there is no other.
pub(crate) fn program() -> &'static str {
    let is_there = Command::new("redis-server").arg("--version").output().is_ok();
    if is_there { "redis-server" } else { "valkey-server" }
}

#[derive(Debug)]
pub(crate) struct RedisServer {
    process: Process,
    directory: PathBuf,
    address: SocketAddr,
    socket: PathBuf,
    transport: Transport,
}

impl RedisServer {
    pub(crate) fn start(directory: &Path, transport: Transport) -> Result<Self> {
        let address = free_address()?;
        let socket = directory.join("redis.sock");
        let process = begin(directory, address, &socket)?;
        let directory = directory.to_owned();
        let mut server = Self { process, directory, address, socket, transport };
        server.until_it_answers()?;
        Ok(server)
    }

    /// Ends it at once, and begins it anew, empty and at the same address.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process = begin(&self.directory, self.address, &self.socket)?;
        self.until_it_answers()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Has it do one thing, as an operator would.
    pub(crate) fn tell(&self, words: &[&str]) -> Result<()> {
        let mut command = redis::Cmd::new();
        command.arg(words);
        self.query::<redis::Value>(&command).map(drop)
    }

    fn until_it_answers(&mut self) -> Result<()> {
        let url = self.url();
        let ping = || {
            let mut connection = redis::Client::open(url.as_str()).ok()?.get_connection().ok()?;
            redis::cmd("PING").exec(&mut connection).ok()
        };
        self.process.until(Duration::from_millis(10), ping)
    }

    /// Its address, as clients are told it.
    pub(crate) fn url(&self) -> String {
        match self.transport {
            Transport::Tcp => format!("redis://{}/0", self.address),
            Transport::Unix => format!("redis+unix://{}", self.socket.display()),
        }
    }

    pub(crate) fn cpu(&self) -> f64 {
        self.process.cpu()
    }

    /// How often `command` was called, from within scripts too.
    pub(crate) fn calls(&self, command: &str) -> Result<u64> {
        let info: String = self.query(redis::cmd("INFO").arg("commandstats"))?;
        let prefix = format!("cmdstat_{command}:calls=");
        let line = info.lines().find_map(|line| line.strip_prefix(&prefix));
        Ok(line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0))
    }

    /// The bytes that its data takes, as it counts them.
    pub(crate) fn used_memory(&self) -> Result<u64> {
        let info: String = self.query(redis::cmd("INFO").arg("memory"))?;
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(line.and_then(|line| line.trim().parse().ok()).ok_or("no used_memory in INFO")?)
    }

    /// How many keys it holds.
    pub(crate) fn keys(&self) -> Result<u64> {
        self.query(&redis::cmd("DBSIZE"))
    }

    /// The bytes of one of its keys, or 0 where it has none.
    pub(crate) fn memory_of_a_key(&self) -> Result<u64> {
        let Some(key): Option<String> = self.query(&redis::cmd("RANDOMKEY"))? else { return Ok(0) };
        self.query(redis::cmd("MEMORY").arg("USAGE").arg(key))
    }

    /// Forgets everything: it is ours alone.
    pub(crate) fn clear(&self) -> Result<()> {
        self.query(&redis::cmd("FLUSHALL"))
    }

    fn query<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T> {
        let mut connection = redis::Client::open(self.url())?.get_connection()?;
        Ok(command.query(&mut connection)?)
    }
}

fn begin(directory: &Path, address: SocketAddr, socket: &Path) -> Result<Process> {
    let mut command = bound(Path::new(program()));
    command.arg("--dir").arg(directory).arg("--unixsocket").arg(socket);
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
    command.args(["--save", "", "--appendonly", "no", "--maxclients", "4096"]);
    Process::begin(command, directory.join("redis.log"))
}
