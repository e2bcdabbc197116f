//! Whether the process is ready for requests.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde::Serialize;

use crate::app::assemble::Stores;
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

    /// The same while the process stops.
    pub(super) fn stopping(self) -> (StatusCode, Self) {
        (StatusCode::SERVICE_UNAVAILABLE, Self { status: "stopping", ..self })
    }

    fn new(
        status: &'static str,
        store: &'static str,
        new_keys: BTreeMap<String, &'static str>,
    ) -> Self {
        Self { status, store, cause: None, new_keys }
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
