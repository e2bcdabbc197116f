//! Whether the process is ready for requests.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde::Serialize;

use crate::app::assemble::Stores;
use crate::app::reload::{Refused, ReloadStatus};
use crate::store::{MemoryStore, NewKeys};

/// The body of `GET /ready`.
#[derive(Serialize)]
pub(super) struct Readiness {
    status: &'static str,
    store: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// The policies whose new keys share counts, and how.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    new_keys: BTreeMap<String, &'static str>,
    /// Why the files have a newer configuration than the one that is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<Outdated>,
}

/// The configuration that is in force while the files have one that was refused.
#[derive(Serialize)]
struct Outdated {
    generation: u64,
    outdated_for_seconds: u64,
    errors: Vec<String>,
}

impl Readiness {
    /// How it stands with `stores`, and the status that says so. A process that decides without Redis is
    /// ready, unless a policy `refuses_without_store`: clients would gain nothing from another process.
    /// So is a process that has no room for new keys.
    pub(super) fn of(stores: &Stores, refuses_without_store: bool) -> (StatusCode, Self) {
        let Some(redis) = &stores.redis else {
            return (StatusCode::OK, Self::new("ready", "up", new_keys(&stores.memory)));
        };
        let status = redis.status();
        if status.down_for.is_none() {
            return (StatusCode::OK, Self::new("ready", "up", BTreeMap::new()));
        }
        let (code, ready) = match refuses_without_store {
            true => (StatusCode::SERVICE_UNAVAILABLE, "refusing"),
            false => (StatusCode::OK, "ready"),
        };
        let readiness = Self::new(ready, "down", new_keys(&stores.memory));
        (code, Self { cause: status.cause, ..readiness })
    }

    /// The same, with why the configuration in force is older than its files. The process is ready all the same.
    pub(super) fn with_reloads(self, reloads: &ReloadStatus) -> Self {
        let outdated = |refused: Refused| Outdated {
            generation: reloads.generation(),
            outdated_for_seconds: refused.since.as_secs(),
            errors: refused.errors,
        };
        Self { configuration: reloads.refused().map(outdated), ..self }
    }

    /// The same while the process stops.
    pub(super) fn stopping(self) -> (StatusCode, Self) {
        (StatusCode::SERVICE_UNAVAILABLE, Self { status: "stopping", ..self })
    }

    fn new(
        status: &'static str,
        store: &'static str,
        new_keys: BTreeMap<String, &'static str>,
    ) -> Self {
        Self { status, store, cause: None, new_keys, configuration: None }
    }
}

fn new_keys(memory: &MemoryStore) -> BTreeMap<String, &'static str> {
    let policies = memory.status().policies.into_iter();
    let crowded = policies.filter_map(|policy| match policy.new_keys {
        NewKeys::Alone => None,
        NewKeys::ByWiderNetwork => Some((policy.policy, "by-wider-network")),
        NewKeys::Together => Some((policy.policy, "together")),
    });
    crowded.collect()
}
