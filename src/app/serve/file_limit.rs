//! The limit of open files, and how many connections it leaves room for.

use std::num::NonZeroUsize;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::app::config::Config;
use crate::app::connections::SPARE;
use crate::app::error::AppError;

/// Connections to the operators' listener, besides those to the app's.
pub(super) const ADMIN_CONNECTIONS: usize = 128;

/// Files of the process itself: standard streams, listeners, signals, configuration files, and threads
/// other than workers.
const OF_THE_PROCESS: usize = 48;

/// Files of a worker thread, besides its connections: its reactor's, and those of its connection to Redis and of one
/// that replaces it.
const OF_A_WORKER: usize = 8;

/// Files of a dispatcher thread: connections to several nodes, and those that replace them.
const OF_A_DISPATCHER: usize = 8;

/// With room for fewer connections than this, the app does not start.
const FEWEST_CONNECTIONS: usize = 16;

/// The limit of open files, raised as far as the system allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileLimit {
    /// `None` where there is no limit.
    limit: Option<u64>,
    /// The limit before it was raised.
    before: Option<u64>,
}

impl FileLimit {
    /// Raises the soft limit to the hard one.
    pub(super) fn raise() -> Self {
        let Rlimit { current: soft, maximum: hard } = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: hard, maximum: hard };
        // The system may refuse a hard limit above its own limit for a process.
        let limit = if setrlimit(Resource::Nofile, raised).is_ok() { hard } else { soft };
        Self { limit, before: soft }
    }

    /// The connections that it leaves room for, at most as many as the configuration asks for.
    ///
    /// # Errors
    /// When there is room for fewer than 16 of them.
    pub(super) fn connections(self, config: &Config) -> Result<usize, AppError> {
        let wanted = config.server.max_connections;
        let Some(limit) = self.limit() else { return Ok(wanted) };
        let reserved = reserved(config);
        let room = limit.saturating_sub(reserved);
        if room < FEWEST_CONNECTIONS.min(wanted) {
            let least = reserved + FEWEST_CONNECTIONS;
            let workers = workers(config);
            let (gate, or_gate) = match &config.gate.listen {
                None => (String::new(), ""),
                Some(_) => (
                    format!(" and gate.max_connections of {}", config.gate.max_connections),
                    " or gate.max_connections",
                ),
            };
            return Err(AppError::new(
                "too few open files are allowed",
                format!(
                    "the limit is {limit}, and {least} are needed at least with {workers} workers{gate}; \
                     raise it (ulimit -n, LimitNOFILE), or lower server.workers{or_gate}"
                ),
            ));
        }
        Ok(room.min(wanted))
    }

    /// Logs the limit, and a warning if it leaves room for fewer `connections` than the configuration
    /// asks for.
    pub(super) fn log(self, config: &Config, connections: usize) {
        let shown =
            |limit: Option<u64>| limit.map_or("any number of".to_owned(), |it| it.to_string());
        let (limit, before) = (shown(self.limit), shown(self.before));
        match limit == before {
            true => log::info!("The process may open {limit} files."),
            false => log::info!("The process may open {limit} files: the limit was {before}."),
        }
        let wanted = config.server.max_connections;
        if connections < wanted {
            log::warn!(
                "server.max_connections is {wanted}, but {limit} files leave room for {connections}: \
                 no more are served at a time."
            );
        }
    }

    fn limit(self) -> Option<usize> {
        self.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

/// The threads that serve the app's connections.
pub(super) fn workers(config: &Config) -> usize {
    match config.server.workers {
        // The framework starts 512 at most.
        0 => thread::available_parallelism().map_or(2, NonZeroUsize::get).min(512),
        workers => workers,
    }
}

fn reserved(config: &Config) -> usize {
    let of_workers = OF_A_WORKER * (workers(config) + 1);
    let of_dispatchers = OF_A_DISPATCHER * config.store.connections;
    let gate = &config.gate;
    let of_gate = gate.listen.as_ref().map_or(0, |_| gate.max_connections + SPARE + of_workers);
    OF_THE_PROCESS + of_workers + of_dispatchers + ADMIN_CONNECTIONS + 2 * SPARE + of_gate
}
