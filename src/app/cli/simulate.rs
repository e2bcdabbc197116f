//! `tollgate simulate`: what a configuration would have done with the requests of access logs.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use std::{fs::File, num::NonZeroUsize};

use clap::Args;
use ratatui::crossterm::terminal;

use super::interruption::interruption;
use super::log_options::LogOptions;
use super::log_progress::LogProgress;
use super::options::Options;
use crate::app::config::{self, ConfigErrors, Sources};
use crate::app::error::AppError;
use crate::app::simulate::{Configured, Names, Report, Simulation, show};
use crate::app::suggest::Of;
use crate::domain::policy::Share;

/// The columns of a report that goes to no terminal.
const WIDTH: u16 = 80;

#[derive(Args)]
pub(super) struct SimulateOptions {
    #[command(flatten)]
    pub(super) options: Options,
    #[command(flatten)]
    log: LogOptions,
    /// Compare with the configuration in this file; the last of several wins
    #[arg(long, value_name = "FILE")]
    pub(super) against: Vec<PathBuf>,
    /// Fail if more than this share is denied, as in 0.5%
    #[arg(long, value_name = "SHARE")]
    deny_at_most: Option<Share>,
    /// What that is a share of
    #[arg(long, value_name = "WHAT", default_value = "clients")]
    of: Of,
    /// Hide who the clients are
    #[arg(long)]
    anonymise: bool,
    /// Replay on at most so many threads; one for each core if it is not given
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Write the report to this file as a page of HTML, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Replays logs under the configuration of `sources`, and beside it under that of `current`.
///
/// # Errors
/// With what is wrong with a configuration, if one is not valid.
pub(super) fn simulate(
    options: &SimulateOptions,
    sources: &Sources,
    current: Option<&Sources>,
    output: &mut impl Write,
) -> Result<Result<(), AppError>, ConfigErrors> {
    let candidate = configured(sources)?;
    let current = current.map(configured).transpose()?;
    Ok(replay(options, candidate, current, output))
}

fn configured(sources: &Sources) -> Result<Configured, ConfigErrors> {
    // The default file need not exist.
    let files = sources.paths().into_iter().filter(|path| path.exists());
    let files = files.map(|path| path.display().to_string()).collect();
    Ok(Configured { config: config::load(sources)?, files })
}

fn replay(
    options: &SimulateOptions,
    candidate: Configured,
    current: Option<Configured>,
    output: &mut impl Write,
) -> Result<(), AppError> {
    let is_interrupted = interruption()?;
    let log = options.log.open(&is_interrupted)?;
    let names = match options.anonymise {
        true => Names::anonymous()
            .map_err(|error| AppError::new("the system gives no random bits", error))?,
        false => Names::Plain,
    };
    let threads = options.threads.or_else(|| available_parallelism().ok());
    let threads = threads.unwrap_or(NonZeroUsize::MIN);
    let simulation = Simulation { candidate, current, names, threads };
    let bar = LogProgress::start();
    let report = simulation.run(log, |progress| {
        bar.show(progress);
        !is_interrupted.load(Ordering::Relaxed)
    })?;
    bar.end();
    write(options, &report, output)
        .map_err(|error| AppError::new("the report cannot be written", error))?;
    verdict(options, &report)
}

fn write(options: &SimulateOptions, report: &Report, output: &mut impl Write) -> io::Result<()> {
    if let Some(path) = &options.html {
        let mut file = io::BufWriter::new(File::create(path)?);
        show::html(report, &mut file)?;
        file.flush()?;
    }
    if options.json {
        return show::json(report, output);
    }
    let width = match io::stdout().is_terminal() {
        true => terminal::size().map_or(WIDTH, |(columns, _)| columns),
        false => WIDTH,
    };
    show::text(report, output, width)
}

/// # Errors
/// When more is denied than the options allow.
fn verdict(options: &SimulateOptions, report: &Report) -> Result<(), AppError> {
    let Some(most) = options.deny_at_most else { return Ok(()) };
    let totals = &report.candidate.totals;
    let (denied, all, what) = match options.of {
        Of::Clients => (totals.clients_denied, totals.clients, "clients"),
        Of::Requests => (totals.denied + totals.banned, totals.requests, "requests"),
    };
    if denied <= most.of(all) {
        return Ok(());
    }
    let denied = format!("{denied} of {all} {what} would be denied");
    Err(AppError::new(denied, format!("--deny-at-most allows {most}")))
}
