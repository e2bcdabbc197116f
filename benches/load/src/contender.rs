//! Who is measured: Tollgate, and the apps that it is compared with.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tollgate_testkit::port::free_address;
use tollgate_testkit::process::{Process, bound, without_settings};

use crate::other_script;
use crate::peer::Peer;
use crate::result::Result;
use crate::serve_axum::AxumApp;
use crate::setting::Setting;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Bare,
    Plain,
    Multiplexed,
    Incr,
    /// A counter by one command, on a server that has it.
    Increx,
    Tollgate,
    /// The same, whose script decides nothing and calls no command: as fast as Tollgate can be with any.
    Ceiling,
    /// The same, whose script calls the commands of a decision, and decides nothing.
    Commands,
    /// The same without leases: requests for one key that wait together are one.
    Coalescing,
    /// The same, whose clients show no credentials.
    Anonymous,
    /// The same, asked by a door of its gate.
    Gate(Door),
    Peer(&'static Peer),
    /// An app on tower.
    Axum(AxumApp),
}

/// A door of Tollgate's gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Check,
    ForwardAuth,
    /// Envoy's rate limit service.
    Envoy,
}

/// One of them, serving.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// What `wrk` sends it.
    pub(crate) dialect: &'static str,
}

/// What it takes to start one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    /// The command to measure.
    pub(crate) tollgate: &'a Path,
    /// Where `make bench-peers` installs the others.
    pub(crate) peers: &'a Path,
    /// Where files may be written.
    pub(crate) directory: &'a Path,
    /// The address of Redis.
    pub(crate) redis: &'a str,
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Plain => "plain",
            Self::Multiplexed => "multiplexed",
            Self::Incr => "incr",
            Self::Increx => "increx",
            Self::Ceiling => "ceiling",
            Self::Commands => "commands",
            Self::Tollgate => "tollgate",
            Self::Coalescing => "coalescing",
            Self::Anonymous => "anonymous",
            Self::Gate(Door::Check) => "gate: check",
            Self::Gate(Door::ForwardAuth) => "gate: forward-auth",
            Self::Gate(Door::Envoy) => "gate: envoy",
            Self::Peer(peer) => peer.name,
            Self::Axum(app) => app.name(),
        }
    }

    fn dialect(self, setting: &Setting) -> &'static str {
        match self {
            Self::Peer(peer) => peer.dialect_for(setting),
            Self::Gate(Door::Check) => "check",
            Self::Gate(Door::ForwardAuth) => "auth",
            Self::Gate(Door::Envoy) => setting.grpc_dialect(),
            Self::Tollgate if setting.takes_keys => "key",
            _ => "data",
        }
    }

    /// Whether it asks Redis, under `setting`.
    pub(crate) fn asks_redis(self, setting: &Setting) -> bool {
        match self {
            Self::Bare => false,
            Self::Plain | Self::Multiplexed | Self::Incr | Self::Increx => true,
            Self::Tollgate | Self::Coalescing | Self::Anonymous | Self::Gate(_) => {
                !setting.in_memory
            }
            Self::Ceiling | Self::Commands => !setting.in_memory,
            Self::Peer(peer) => peer.asks_redis,
            Self::Axum(app) => app == AxumApp::AxumRedis,
        }
    }

    fn is_tollgate(self) -> bool {
        let with_script = matches!(self, Self::Ceiling | Self::Commands);
        let alone = matches!(self, Self::Tollgate | Self::Coalescing | Self::Anonymous);
        with_script || alone || matches!(self, Self::Gate(_))
    }

    /// Starts it, and returns when it listens.
    pub(crate) fn start(self, stage: Stage<'_>, setting: &Setting) -> Result<Running> {
        let address = free_address();
        // Some have workers of their own.
        let mut process =
            Process::start(self.command(stage, setting, address, bound)?).with_children();
        process.until_it_listens(address);
        Ok(Running { process, address, dialect: self.dialect(setting) })
    }

    /// What starts it, by way of `program`.
    pub(crate) fn command(
        self,
        stage: Stage<'_>,
        setting: &Setting,
        address: SocketAddr,
        program: impl Fn(&Path) -> Command,
    ) -> Result<Command> {
        let mut command;
        if self.is_tollgate() {
            let file = stage.directory.join(format!("{}.toml", self.name()));
            let config = match self {
                Self::Gate(_) => setting.config_with_gate(free_address(), stage.redis, address),
                Self::Coalescing => {
                    Setting { lease_ms: 0, ..setting.clone() }.config(address, stage.redis)
                }
                _ => setting.config(address, stage.redis),
            };
            fs::write(&file, config)?;
            let with = |script| {
                other_script::made_of(stage.tollgate, script, stage.directory, self.name())
            };
            command = match self {
                Self::Ceiling => program(&with(other_script::CEILING)?),
                Self::Commands => program(&with(other_script::COMMANDS)?),
                _ => program(stage.tollgate),
            };
            command.args(["serve", "--config"]).arg(file).current_dir(stage.directory);
        } else if let Self::Peer(peer) = self {
            command = peer.command(stage.peers, address, stage.redis, program);
        } else {
            command = program(&std::env::current_exe()?);
            let serve = if let Self::Axum(_) = self { "serve-axum" } else { "serve" };
            command.args([serve, self.name(), "--listen", &address.to_string()]);
            command.args(["--redis", stage.redis, "--units", &setting.units.to_string()]);
            if serve == "serve" {
                command.args(["--algorithms", &setting.algorithms.join(",")]);
            }
        }
        without_settings(&mut command);
        Ok(command)
    }
}
