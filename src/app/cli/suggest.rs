//! `tollgate suggest`: the smallest quotas that would have refused few of the clients of access logs.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;

use clap::Args;

use super::interruption::interruption;
use super::log_options::LogOptions;
use super::log_progress::LogProgress;
use super::options::Options;
use crate::app::config::Config;
use crate::app::error::AppError;
use crate::app::suggest::{self, Goal, Of, Suggestions, Wanted, Window};
use crate::domain::algorithm::{Algorithm, UnknownAlgorithm};
use crate::domain::policy::{KeySource, Share, Statuses, StatusesError};
use crate::domain::quota::Quota;
use crate::limiter::RoutePattern;

#[derive(Args)]
pub(super) struct SuggestOptions {
    #[command(flatten)]
    pub(super) options: Options,
    #[command(flatten)]
    log: LogOptions,
    /// Refuse at most this share, as in 0.5%
    #[arg(long, value_name = "SHARE", default_value = "0.1%")]
    deny_at_most: Share,
    /// What that is a share of
    #[arg(long, value_name = "WHAT", default_value = "clients")]
    of: Of,
    /// Suggest a quota for this window, as in "10 minutes"; may be repeated
    #[arg(
        long = "window",
        value_name = "WINDOW",
        default_values = ["second", "minute", "hour", "day"]
    )]
    windows: Vec<Window>,
    /// Suggest a quota for this algorithm; may be repeated
    #[arg(
        long = "algorithm",
        value_name = "ALGORITHM",
        value_parser = algorithm,
        default_values = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"]
    )]
    algorithms: Vec<Algorithm>,
    /// Tell clients apart by this: ip, user or user-or-ip
    #[arg(long, value_name = "KEY", default_value = "user-or-ip")]
    key: KeySource,
    /// Count only requests of this route, as in "POST /login"; may be repeated
    #[arg(long = "route", value_name = "ROUTE")]
    routes: Vec<RoutePattern>,
    /// Count only requests that were answered with one of these statuses, as in 401,403 or 4xx
    #[arg(long, value_name = "STATUSES", value_parser = statuses)]
    charge_on: Option<Statuses>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

impl SuggestOptions {
    fn wanted(&self) -> Wanted {
        Wanted {
            goal: Goal { share: self.deny_at_most, of: self.of },
            windows: self.windows.clone(),
            algorithms: self.algorithms.clone(),
            key: self.key.clone(),
            routes: self.routes.clone(),
            charge_on: self.charge_on.clone(),
            threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Writes to `output` which quotas fit the logs of `options`, whose clients are found as `config` says.
///
/// # Errors
/// When a log cannot be read, or the output not written to.
pub(super) fn suggest(
    options: &SuggestOptions,
    config: &Config,
    output: &mut impl Write,
) -> Result<(), AppError> {
    let is_interrupted = interruption()?;
    let log = options.log.open(&is_interrupted)?;
    let bar = LogProgress::start();
    let suggestions = suggest::suggest(&options.wanted(), config, log, |progress| {
        bar.show(progress);
        !is_interrupted.load(Ordering::Relaxed)
    })?;
    bar.end();
    write(&suggestions, options.json, output)
        .map_err(|error| AppError::new("the report cannot be written", error))
}

fn write(suggestions: &Suggestions, json: bool, output: &mut impl Write) -> io::Result<()> {
    if !json {
        return suggest::text(suggestions, output);
    }
    serde_json::to_writer_pretty(&mut *output, suggestions)?;
    writeln!(output)
}

fn statuses(list: &str) -> Result<Statuses, StatusesError> {
    Statuses::new(list.split(',').map(str::trim))
}

fn algorithm(name: &str) -> Result<Algorithm, UnknownAlgorithm> {
    // The burst of a token bucket is then as large as its quota, whatever that is.
    let any_quota = Quota::new(1, 1_000).expect("one unit a second is a quota");
    Algorithm::named(name, any_quota)
}
