//! Every known abuse of a server, beside honest clients: how these are served meanwhile, and what the
//! abuse costs the server. nginx has the same to bear, where it is installed.

mod abuser;
mod abusers;
mod acts;
mod files;
mod honest;
mod malformed;
mod net;
mod outcome;
mod phases;
mod report;
mod server;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use tollgate_testkit::procfs::{Held, cpu_seconds, held, own_cpu_seconds};
use tollgate_testkit::redis::Server;
use tollgate_testkit::threads::pause;

use self::abuser::Tally;
use self::abusers::Abusers;
use self::files::Files;
use self::honest::Honest;
use self::outcome::{Outcome, Played, Stop};
use self::phases::{Phase, phases};
use self::server::{Served, Which};
use crate::machine::{self, Machine};
use crate::result::Result;

/// Between two looks at what the server holds.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Longer than Tollgate's default `shutdown_timeout_ms`, and as much for nginx.
const STOPS_WITHIN: Duration = Duration::from_secs(40);

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The command to abuse
    #[arg(long)]
    tollgate: PathBuf,
    /// How long each server is abused
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// One phase, beside the calm ones; all without it
    #[arg(long, default_value = "")]
    phase: String,
    /// Whether nginx is abused too, where it is installed
    #[arg(long, default_value_t = 1)]
    nginx: u8,
}

/// Abuses Tollgate, and nginx where it is there.
pub(crate) fn run(options: &Options) -> Result<()> {
    let files = Files::raise_limit()?;
    let mut phases = phases();
    if !options.phase.is_empty() {
        let names: Vec<_> = phases.iter().map(|it| it.name).collect();
        if !names.contains(&options.phase.as_str()) {
            return Err(format!("there is no such phase: there are {}", names.join(", ")).into());
        }
        phases.retain(|it| it.crews.is_empty() || it.name == options.phase);
    }
    files.fit(&mut phases);
    println!("{}", Machine::read().line());
    if let Some(most) = files.max_connections_if_fewer() {
        println!("{} files may be open: max_connections is {most}.", files.limit());
    }
    let length = Duration::from_secs(options.seconds) / u32::try_from(phases.len())?;
    let directory = tempfile::tempdir()?;
    let directory = directory.path();
    let redis = Server::bound();
    let tollgate = server::tollgate(&options.tollgate, directory, &redis.tcp_url(), &files)?;
    let mut outcomes = vec![play(Which::Tollgate, tollgate, &phases, length)?];
    if let Some(program) = nginx_program(options) {
        let nginx = server::nginx(program, directory, &files)?;
        outcomes.push(play(Which::Nginx, nginx, &phases, length)?);
    }
    print!("{}", report::text(&outcomes));
    match report::faults(&outcomes[0]) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(faults.join("\n").into()),
    }
}

fn nginx_program(options: &Options) -> Option<&'static Path> {
    let program = (options.nginx > 0).then(server::nginx_program)?;
    if program.is_none() {
        println!("nginx is not installed: there is nothing to compare with.");
    }
    program
}

/// Plays every phase for `length`, and stops the server amid the last.
fn play(which: Which, mut served: Served, phases: &[Phase], length: Duration) -> Result<Outcome> {
    let honest = Honest::start(served.app, served.admin);
    let mut played = Vec::new();
    let mut stop = None;
    for (number, phase) in phases.iter().enumerate() {
        let abusers = Abusers::start(phase.crews.clone(), served.app, served.admin);
        let mut one = watch(phase.name, &mut served, length)?;
        let abusers_cpu = abusers.cpu();
        if number + 1 == phases.len() {
            stop = Some(stop_amid(which, &mut served)?);
        }
        one.abusers_cpu = abusers_cpu;
        one.tally = abusers.finish()?;
        eprintln!("{}: {} played", which.name(), phase.name);
        played.push(one);
    }
    let asked = honest.finish()?;
    let stop = stop.ok_or("there are no phases")?;
    Ok(Outcome { which, played, asked, stop })
}

/// Looks on for `length`.
fn watch(name: &'static str, served: &mut Served, length: Duration) -> Result<Played> {
    let begun = Instant::now();
    let acted_before = served.admin.map(server::acted).unwrap_or_default();
    let pid = served.process.pid();
    let (cpu, own, busy) = (cpu_seconds(pid), own_cpu_seconds(), machine::busy_seconds()?);
    let mut most = Held::default();
    while begun.elapsed() < length && served.process.ended(Duration::ZERO).is_none() {
        most = most.max(held(pid));
        pause(LOOK_EVERY.min(length.saturating_sub(begun.elapsed())));
    }
    let cpu = cpu_seconds(pid) - cpu;
    let others = machine::busy_seconds()? - busy - cpu - (own_cpu_seconds() - own);
    let passed = begun.elapsed().as_secs_f64() * Machine::cores();
    let mut acted = served.admin.map(server::acted).unwrap_or_default();
    for (limit, times) in &mut acted {
        let before = acted_before.iter().find(|(name, _)| name == limit);
        *times -= before.map_or(0, |(_, times)| *times);
    }
    acted.retain(|(_, times)| *times > 0);
    Ok(Played {
        name,
        begun,
        ended: Instant::now(),
        held: most,
        cpu,
        abusers_cpu: 0.0,
        elsewhere: (others / passed).max(0.0),
        tally: Tally::default(),
        acted,
    })
}

fn stop_amid(which: Which, served: &mut Served) -> Result<Stop> {
    let begun = Instant::now();
    if served.process.ended(Duration::ZERO).is_none() {
        served.process.signal(which.stop_signal());
    }
    let ended = served.process.ended(STOPS_WITHIN);
    Ok(Stop { after: begun.elapsed(), code: ended.and_then(|status| status.code()) })
}
