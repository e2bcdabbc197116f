//! `tollgate suggest`: the smallest quotas that would have refused few of the clients of access logs.
//!
//! The algorithms that serve replay each client by itself. A quota is searched for by that, and then tried out by a
//! limiter.

use std::num::NonZeroUsize;

use self::caveats::Needed;
pub(crate) use self::goal::{Goal, Of};
pub(crate) use self::report::Suggestions;
use self::report::{Asked, Counted};
use self::selection::{Selected, Selection};
use self::suggesting::Suggesting;
pub(crate) use self::text::text;
use self::traffic::Gathering;
pub(crate) use self::window::Window;
use crate::app::access_log::{AccessLog, Progress};
use crate::app::config::Config;
use crate::app::error::AppError;
use crate::domain::algorithm::Algorithm;
use crate::domain::policy::{KeySource, Statuses};
use crate::limiter::RoutePattern;

mod abuse;
mod caveats;
mod counting;
mod goal;
mod needs;
mod parallel;
mod peaks;
mod replay;
mod report;
#[cfg(test)]
mod samples;
mod search;
mod selection;
mod suggesting;
mod text;
mod times;
mod traffic;
mod trial;
mod window;

/// What quotas are wanted for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) goal: Goal,
    pub(crate) windows: Vec<Window>,
    pub(crate) algorithms: Vec<Algorithm>,
    /// What tells clients apart.
    pub(crate) key: KeySource,
    /// The routes whose requests are counted; all requests if there are none.
    pub(crate) routes: Vec<RoutePattern>,
    /// The only statuses of responses whose requests are counted; all requests without it.
    pub(crate) charge_on: Option<Statuses>,
    /// The most threads that search.
    pub(crate) threads: NonZeroUsize,
}

/// Suggests quotas by what `log` holds. Clients are found as `config` says. After each batch it tells `on_progress`,
/// which may end the reading by returning false.
///
/// # Errors
/// When the routes do not fit together, or a limiter does not do what the search says.
pub(crate) fn suggest(
    wanted: &Wanted,
    config: &Config,
    mut log: AccessLog,
    mut on_progress: impl FnMut(Progress) -> bool,
) -> Result<Suggestions, AppError> {
    let selection = Selection::new(config, &wanted.key, &wanted.routes, wanted.charge_on.clone())?;
    let mut counted = Counted::default();
    let mut gathering = Gathering::default();
    let mut batch = Vec::new();
    while !counted.interrupted && log.next_batch(&mut batch) {
        for request in batch.drain(..) {
            match selection.select(&request) {
                Selected::Counted { client, has_user } => {
                    counted.without_user += u64::from(!has_user);
                    gathering.add(client, request.began_at());
                }
                Selected::OtherRoute => counted.other_routes += 1,
                Selected::OtherStatus => counted.other_statuses += 1,
                Selected::OnAccessList => counted.on_access_lists += 1,
            }
        }
        counted.interrupted = !on_progress(log.progress());
    }
    let traffic = gathering.end();
    (counted.clients, counted.requests) = (traffic.clients.len() as u64, traffic.requests);
    let suggesting = Suggesting {
        traffic: &traffic,
        goal: wanted.goal,
        key: &wanted.key,
        algorithms: &wanted.algorithms,
        charge_on: wanted.charge_on.as_ref(),
    };
    let windows = wanted.windows.iter().copied();
    let windows = parallel::map(windows, wanted.threads, |window| suggesting.of_window(window));
    let mut log = log.summary();
    // A line names a client.
    log.first_unparsed.iter_mut().for_each(|line| line.text.clear());
    let needed = Needed { windows: &wanted.windows, key: &wanted.key };
    Ok(Suggestions {
        caveats: caveats::of(&log, &counted, config, needed),
        asked: Asked {
            deny_at_most: wanted.goal.share.to_string(),
            of: wanted.goal.of.word(),
            most_refused: wanted.goal.most(&traffic),
            key: wanted.key.to_string(),
            routes: wanted.routes.iter().map(ToString::to_string).collect(),
            charge_on: wanted.charge_on.as_ref().map(ToString::to_string),
        },
        counted,
        windows: windows.into_iter().collect::<Result<_, _>>()?,
        log,
    })
}

#[cfg(test)]
mod tests;
