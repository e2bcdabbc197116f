//! Replays logged requests under a configuration, and reports what it would have done with them.

use std::num::NonZeroUsize;

pub(in crate::app) use self::caveats::lacking;
use self::everyone::Refusals;
pub(crate) use self::names::Names;
use self::report::Outcome;
pub(crate) use self::report::Report;
use self::shards::Shards;
use self::tally::Tally;
pub(in crate::app) use self::view::View;
use crate::app::access_log::{AccessLog, LogSummary, Progress};
use crate::app::config::Config;
use crate::app::error::AppError;

mod caveats;
mod clients;
mod engine;
mod everyone;
mod names;
mod replay;
mod report;
mod request;
mod shards;
pub(crate) mod show;
mod tally;
mod timeline;
pub(in crate::app) mod view;

/// A configuration, and what its files are called.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) config: Config,
    pub(crate) files: Vec<String>,
}

/// How to replay.
#[derive(Debug)]
pub(crate) struct Simulation {
    /// The configuration to try.
    pub(crate) candidate: Configured,
    /// The configuration to compare it with.
    pub(crate) current: Option<Configured>,
    /// What clients are called.
    pub(crate) names: Names,
    /// The most threads that replay.
    pub(crate) threads: NonZeroUsize,
}

impl Simulation {
    /// Replays what `log` holds. After each batch it tells `on_progress`, which may end the replay by returning
    /// false.
    ///
    /// # Errors
    /// When policies and routes of a configuration do not fit together.
    pub(crate) fn run(
        &self,
        mut log: AccessLog,
        mut on_progress: impl FnMut(Progress) -> bool,
    ) -> Result<Report, AppError> {
        let current = self.current.as_ref();
        let mut shards = Shards::start(
            &self.candidate.config,
            current.map(|it| &it.config),
            &self.names,
            self.threads,
        )?;
        let mut batch = Vec::new();
        let mut interrupted = false;
        while !interrupted && log.next_batch(&mut batch) {
            shards.replay(&mut batch);
            interrupted = !on_progress(log.progress());
        }
        let counted = shards.end();
        let everyone = counted.everyone;
        let outcome = |tally: Tally, of: &Configured, by: fn(&Refusals) -> u64| {
            let mut totals = tally.totals;
            everyone.complete(&mut totals, by);
            let policies = tally.policies.iter().map(|policy| (policy.name(), policy.report()));
            Outcome {
                config: of.files.clone(),
                totals,
                policies: policies.collect(),
                timeline: tally.timeline.report(),
            }
        };
        let log = self.shown(log.summary());
        let by_current = |tally| {
            let of = current.expect("what replayed it was configured");
            outcome(tally, of, |it| it.by_current)
        };
        Ok(Report {
            interrupted,
            caveats: caveats::of(&log, &self.candidate.config),
            candidate: outcome(counted.candidate, &self.candidate, |it| it.by_candidate),
            difference: current.map(|_| everyone.difference()),
            current: counted.current.map(by_current),
            log,
        })
    }

    /// What was read, without the lines that name clients if clients are not to be named.
    fn shown(&self, mut log: LogSummary) -> LogSummary {
        if self.names.are_anonymous() {
            log.first_unparsed.iter_mut().for_each(|line| line.text.clear());
        }
        log
    }
}
