//! Where the measuring takes place: contenders take turns, A B C, A B C, and so on.

use std::fs;
use std::io::{IsTerminal as _, stderr};
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use tollgate_testkit::redis::Server;

use crate::case::Case;
use crate::contender::{Contender, Running, Stage};
use crate::fill::fill;
use crate::latency;
use crate::machine::Machine;
use crate::options::{Options, Transport};
use crate::outcome::{InRedis, Outcome, Round};
use crate::result::Result;
use crate::sample::Sample;
use crate::setting::{PLENTY, Setting};
use crate::target::Measure;
use crate::wrk::Load;

/// Seconds of load that are not measured.
const WARM_UP: u64 = 2;

/// How many clients are filled in to weigh a key.
pub(crate) const WEIGHED: u64 = 100_000;

/// The share of requests that may be refused meanwhile, as where a moment was slow.
const MOST_REFUSED: f64 = 0.01;

/// All that the measuring needs.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) options: Options,
    pub(crate) machine: Machine,
    pub(crate) redis: Server,
    pub(crate) directory: TempDir,
    /// What `wrk` runs.
    pub(crate) script: PathBuf,
}

impl Lab {
    pub(crate) fn open(options: &Options) -> Result<Self> {
        // A thousand connections need as many files, here and in the children.
        let files = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files })?;
        let machine = Machine::read();
        let directory = TempDir::with_prefix("tollgate-bench-")?;
        let redis = Server::bound();
        let script = directory.path().join("wrk.lua");
        fs::write(&script, include_str!("../wrk.lua"))?;
        Ok(Self { options: options.clone(), machine, redis, directory, script })
    }

    pub(crate) fn with_stage<T>(&self, act: impl FnOnce(Stage<'_>) -> Result<T>) -> Result<T> {
        self.with_stage_over(&self.redis_url(), act)
    }

    /// The same, where Redis is reached by another address.
    pub(crate) fn with_stage_over<T>(
        &self,
        redis: &str,
        act: impl FnOnce(Stage<'_>) -> Result<T>,
    ) -> Result<T> {
        let tollgate = fs::canonicalize(&self.options.tollgate)
            .map_err(|error| format!("{}: {error}", self.options.tollgate.display()))?;
        // Each is started in a directory of its own.
        let peers = std::path::absolute(self.options.results.join("peers"))?;
        act(Stage { tollgate: &tollgate, peers: &peers, directory: self.directory.path(), redis })
    }

    /// The address of Redis, as contenders are told it.
    pub(crate) fn redis_url(&self) -> String {
        match self.options.transport {
            Transport::Tcp => self.redis.tcp_url(),
            Transport::Unix => self.redis.url(),
        }
    }

    /// Shows in place of the last such line how far it is, to whoever looks on.
    pub(crate) fn show(&self, progress: &str) {
        if stderr().is_terminal() {
            eprint!("\r{progress}\x1b[K\r");
        }
    }

    /// Has Redis forget everything: it is ours alone.
    pub(crate) fn clear_redis(&self) {
        self.redis.tell(&["FLUSHALL"]);
    }

    /// The bytes that the data of Redis takes, as it counts them.
    pub(crate) fn redis_memory(&self) -> u64 {
        self.redis.info("used_memory:")
    }

    /// How many keys Redis holds.
    pub(crate) fn redis_keys(&self) -> u64 {
        self.redis.info("db0:keys=")
    }

    /// Puts `who` under load that is not measured.
    ///
    /// # Errors
    /// If it refuses requests under a quota that nobody uses up: then something is wrong, and its
    /// figures would be of something else.
    pub(crate) fn warm_up(
        &self,
        who: Contender,
        running: &Running,
        load: Load,
        setting: &Setting,
    ) -> Result<()> {
        let seen = load.run(&self.script, running, WARM_UP, 0)?;
        if setting.units == PLENTY && seen.refused > seen.requests * MOST_REFUSED {
            return Err(format!(
                "{} refused {} of {} requests, though nobody uses up the quota: it does not do \
                 what is to be measured",
                who.name(),
                seen.refused,
                seen.requests,
            )
            .into());
        }
        Ok(())
    }

    /// Lets the contenders of `case` take turns.
    pub(crate) fn measure(&self, case: Case) -> Result<Outcome> {
        self.clear_redis();
        let empty = self.redis_memory();
        let start = |who: &Contender| self.with_stage(|stage| who.start(stage, &case.setting));
        let running = case.contenders.iter().map(start).collect::<Result<Vec<Running>>>()?;
        for (who, one) in case.contenders.iter().zip(&running) {
            if case.is_filled && *who == Contender::Tollgate {
                fill(one.address, case.load.keys)?;
            }
            self.warm_up(*who, one, case.load, &case.setting)?;
        }
        let seconds = self.options.seconds;
        let mut rounds = Vec::new();
        for round in 1..=self.options.rounds {
            self.show(&format!("{}: round {round} of {}", case.name, self.options.rounds));
            let take =
                |one| Sample::take(one, &self.redis, case.load, &self.script, seconds, round);
            let samples = running.iter().map(take).collect::<Result<_>>()?;
            let round_trip_us = latency::round_trip(&self.redis_url(), latency::CALLS)?;
            rounds.push(Round { samples, round_trip_us });
        }
        self.show("");
        let bytes = self.redis_memory().saturating_sub(empty);
        let in_redis = InRedis { keys: self.redis_keys(), bytes };
        drop(running);
        let is_weighed = case.targets.iter().any(|it| matches!(it.measure, Measure::BytesAKey));
        let bytes_a_key = is_weighed.then(|| self.bytes_a_key(&case.setting, 1)).transpose()?;
        Ok(Outcome { case, rounds, seconds, in_redis, bytes_a_key })
    }

    /// The bytes that a key of Tollgate's takes in Redis, which then holds [`WEIGHED`] of them and
    /// nothing else, each charged `requests` times.
    pub(crate) fn bytes_a_key(&self, setting: &Setting, requests: u32) -> Result<f64> {
        self.clear_redis();
        // Weighed, not timed: nobody is to be refused for a slow moment.
        let setting = Setting { timeout_ms: 5_000, ..setting.clone() };
        let running = self.with_stage(|stage| Contender::Tollgate.start(stage, &setting))?;
        // What serves the connections is no part of the keys.
        fill(running.address, 1_000)?;
        let before = self.redis_memory();
        for _ in 0..requests {
            fill(running.address, WEIGHED)?;
        }
        let grown = self.redis_memory().saturating_sub(before);
        Ok(grown as f64 / self.redis_keys().saturating_sub(1_000) as f64)
    }

    /// Whether Redis has the command `name`.
    pub(crate) fn redis_knows(&self, name: &str) -> Result<bool> {
        type Described = Vec<Option<redis::Value>>;
        let command = redis::cmd("COMMAND").arg("INFO").arg(name).to_owned();
        let described: Described = command.query(&mut self.redis.connection())?;
        Ok(described.iter().any(Option::is_some))
    }
}
