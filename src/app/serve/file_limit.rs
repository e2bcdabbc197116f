//! How many files the process may have open, and what of that is left for connections.

use std::num::NonZeroUsize;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ServeError;
use crate::app::config::Config;
use crate::app::connections::SPARE;

/// Connections to the operators' listener, beside those to the app's.
pub(super) const ADMIN_CONNECTIONS: usize = 128;

/// Files of the process itself: standard streams, listeners, signals, the configuration, threads that
/// are not workers.
const OF_THE_PROCESS: usize = 48;

/// Files of a thread that serves connections.
const OF_A_WORKER: usize = 4;

/// Files of a dispatcher thread: a connection to each of several nodes, and those that replace them.
const OF_A_DISPATCHER: usize = 8;

/// The least connections that it is worth serving with.
const LEAST_CONNECTIONS: usize = 16;

/// The open files that the process may have, after their limit was raised as far as it may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files {
    /// None where they are not limited.
    limit: Option<u64>,
    before: Option<u64>,
}

impl Files {
    /// Raises the soft limit to the hard one.
    pub(super) fn raise_limit() -> Self {
        let Rlimit { current: soft, maximum: hard } = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: hard, maximum: hard };
        // It may be refused where the hard limit is above what the system has for a process.
        let limit = if setrlimit(Resource::Nofile, raised).is_ok() { hard } else { soft };
        Self { limit, before: soft }
    }

    /// The connections that they leave room for, at most as many as the configuration asks for.
    ///
    /// # Errors
    /// When there is room for hardly any.
    pub(super) fn connections(self, config: &Config) -> Result<usize, ServeError> {
        let wanted = config.server.max_connections;
        let Some(limit) = self.limit() else { return Ok(wanted) };
        let reserved = reserved(config);
        let room = limit.saturating_sub(reserved);
        if room < LEAST_CONNECTIONS.min(wanted) {
            let least = reserved + LEAST_CONNECTIONS;
            let workers = workers(config);
            return Err(ServeError::new(
                "too few open files are allowed",
                format!(
                    "the limit is {limit}, and {least} are needed at least with {workers} workers; \
                     raise it (ulimit -n, LimitNOFILE), or lower server.workers"
                ),
            ));
        }
        Ok(room.min(wanted))
    }

    /// Says in the log how many there may be, and where they leave room for fewer `connections` than the
    /// configuration asks for.
    pub(super) fn say(self, config: &Config, connections: usize) {
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
        // As many as the framework starts at most.
        0 => thread::available_parallelism().map_or(2, NonZeroUsize::get).min(512),
        workers => workers,
    }
}

fn reserved(config: &Config) -> usize {
    let of_workers = OF_A_WORKER * (workers(config) + 1);
    let of_dispatchers = OF_A_DISPATCHER * config.store.connections;
    OF_THE_PROCESS + of_workers + of_dispatchers + ADMIN_CONNECTIONS + 2 * SPARE
}
