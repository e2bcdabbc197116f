//! Contenders take turns: A B C, A B C, and so on.

use std::fs;
use std::io::{IsTerminal as _, stderr};
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tempfile::TempDir;

use crate::case::{self, Case};
use crate::contender::{Contender, Running, Stage};
use crate::fill::fill;
use crate::machine::Machine;
use crate::redis_server::RedisServer;
use crate::sample::Sample;
use crate::stats::Spread;
use crate::{Options, Result, latency, outage, report, start};

/// Seconds of load that are not measured.
const WARM_UP: u64 = 2;

/// The bare app's own spread beyond which ratios to it say little.
const NOISY_SPREAD: f64 = 0.25;

/// The share of the machine that others may use meanwhile.
const NOISY_NEIGHBOURS: f64 = 0.10;

/// All that the measuring needs.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) options: Options,
    pub(crate) machine: Machine,
    pub(crate) redis: RedisServer,
    pub(crate) directory: TempDir,
    script: PathBuf,
}

/// What came out of one case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) rounds: Vec<Round>,
    pub(crate) seconds: u64,
    pub(crate) in_redis: InRedis,
}

/// What Redis held in the end.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct InRedis {
    pub(crate) keys: u64,
    /// Beyond what it takes with none.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Round {
    /// In the order of the case's contenders.
    pub(crate) samples: Vec<Sample>,
    /// Of one bare EVALSHA.
    pub(crate) round_trip_us: f64,
}

/// Measures Tollgate beside what a user would pick instead.
pub(crate) fn peers(options: &Options) -> Result<()> {
    let lab = Lab::open(options)?;
    println!("{}\n", lab.machine.line());
    let mut case = case::peers();
    case.contenders.retain(|who| match who {
        Contender::Peer(peer) if !peer.is_installed(&options.results.join("peers")) => {
            println!("{} is not installed, and left out.", peer.name);
            false
        }
        _ => true,
    });
    lab.measure_and_report(case)
}

/// Measures the case that `options` names, or all of them.
pub(crate) fn all(options: &Options) -> Result<()> {
    let cases = case::all();
    let names = cases.iter().map(|case| case.name).chain([start::NAME, outage::NAME]);
    let chosen = |name: &str| options.case.is_empty() || options.case == name;
    if !names.clone().any(chosen) {
        let names: Vec<&str> = names.collect();
        return Err(format!("there is no case {:?}: {}", options.case, names.join(", ")).into());
    }
    let mut lab = Lab::open(options)?;
    println!("{}\n", lab.machine.line());
    for case in cases.into_iter().filter(|case| chosen(case.name)) {
        lab.measure_and_report(case)?;
    }
    if chosen(start::NAME) {
        start::measure(&lab)?;
    }
    if chosen(outage::NAME) {
        outage::measure(&mut lab)?;
    }
    Ok(())
}

impl Lab {
    pub(crate) fn open(options: &Options) -> Result<Self> {
        // A thousand connections need as many files, here and in the children.
        let files = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files })?;
        let machine = Machine::read();
        let directory = TempDir::with_prefix("tollgate-bench-")?;
        let redis = RedisServer::start(directory.path(), options.transport)?;
        let script = directory.path().join("wrk.lua");
        fs::write(&script, include_str!("../wrk.lua"))?;
        Ok(Self { options: options.clone(), machine, redis, directory, script })
    }

    pub(crate) fn with_stage<T>(&self, act: impl FnOnce(Stage<'_>) -> Result<T>) -> Result<T> {
        let tollgate = fs::canonicalize(&self.options.tollgate)
            .map_err(|error| format!("{}: {error}", self.options.tollgate.display()))?;
        // Each is started in a directory of its own.
        let peers = std::path::absolute(self.options.results.join("peers"))?;
        let url = self.redis.url();
        act(Stage {
            tollgate: &tollgate,
            peers: &peers,
            directory: self.directory.path(),
            redis: &url,
        })
    }

    fn measure_and_report(&self, case: Case) -> Result<()> {
        let outcome = self.measure(case)?;
        print!("{}", report::table(&outcome));
        report::keep(self, outcome.case.name, &report::json(self, &outcome))
    }

    /// Lets the contenders of `case` take turns.
    pub(crate) fn measure(&self, case: Case) -> Result<Outcome> {
        self.redis.clear()?;
        let empty = self.redis.used_memory()?;
        let start = |who: &Contender| self.with_stage(|stage| who.start(stage, &case.setting));
        let running = case.contenders.iter().map(start).collect::<Result<Vec<Running>>>()?;
        for (who, one) in case.contenders.iter().zip(&running) {
            if case.is_filled && *who == Contender::Tollgate {
                fill(one.address, case.load.keys)?;
            }
            case.load.run(&self.script, one, WARM_UP, 0)?;
        }
        let seconds = self.options.seconds;
        let mut rounds = Vec::new();
        for round in 1..=self.options.rounds {
            if stderr().is_terminal() {
                eprint!("\r{}: round {round} of {}\x1b[K\r", case.name, self.options.rounds);
            }
            let take =
                |one| Sample::take(one, &self.redis, case.load, &self.script, seconds, round);
            let samples = running.iter().map(take).collect::<Result<_>>()?;
            let round_trip_us = latency::round_trip(&self.redis.url())?;
            rounds.push(Round { samples, round_trip_us });
        }
        if stderr().is_terminal() {
            eprint!("\x1b[K");
        }
        let bytes = self.redis.used_memory()?.saturating_sub(empty);
        let in_redis = InRedis { keys: self.redis.keys()?, bytes };
        Ok(Outcome { case, rounds, seconds, in_redis })
    }
}

impl Outcome {
    /// The turn of `who` in `round`; who is compared takes part.
    pub(crate) fn sample<'a>(&self, round: &'a Round, who: Contender) -> &'a Sample {
        let place = self.case.contenders.iter().position(|it| *it == who);
        &round.samples[place.expect("a case names whom it compares")]
    }

    /// One figure of `who` over the rounds.
    pub(crate) fn spread(&self, who: Contender, figure: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(|round| figure(self.sample(round, who))))
    }

    /// The requests/s of `who` over those of the bare app in the same round.
    pub(crate) fn ratio(&self, who: Contender) -> Spread {
        Spread::of(self.rounds.iter().map(|round| {
            let speed = |who| self.sample(round, who).requests_per_s;
            speed(who) / speed(Contender::Bare)
        }))
    }

    /// Why this machine was too noisy to conclude, if it was.
    pub(crate) fn noise(&self) -> Option<String> {
        let bare = self.spread(Contender::Bare, |it| it.requests_per_s).width();
        let samples = self.rounds.iter().flat_map(|round| &round.samples);
        let elsewhere = Spread::of(samples.map(|sample| sample.elsewhere)).median;
        if elsewhere > NOISY_NEIGHBOURS {
            let percent = elsewhere * 100.0;
            Some(format!("others used {percent:.0} % of the machine meanwhile"))
        } else if bare > NOISY_SPREAD {
            let percent = bare * 100.0;
            Some(format!("the bare app itself moved by {percent:.0} % between the rounds"))
        } else {
            None
        }
    }
}
