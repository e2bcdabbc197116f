//! `GET /v1/top`: who is busy and who is refused.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::answer::answer;
use crate::app::observation::{COUNTERS, GENERATION, Rank, TopKey};
use crate::app::operators::admin_state::AdminState;

/// How many keys are listed where the query does not say.
const DEFAULT_NUMBER: usize = 10;

/// No more keys of a policy have a counter.
const MOST_LISTED: usize = COUNTERS;

/// What the query may ask.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    policy: Option<String>,
    #[serde(default)]
    by: Rank,
    n: Option<usize>,
}

/// The body of the answer.
#[derive(Serialize)]
struct Body {
    by: Rank,
    /// How old the counts are that are left out: from the second to the first.
    window_seconds: [u64; 2],
    keys: Vec<Item>,
}

#[derive(Serialize)]
pub(super) struct Item {
    policy: Box<str>,
    key: Box<str>,
    count: u64,
    error: u64,
    refused: u64,
    refused_for_seconds: Option<u64>,
}

pub(super) async fn top(admin: web::Data<AdminState>, query: web::Query<Query>) -> HttpResponse {
    let Query { policy, by, n } = query.into_inner();
    let top = admin.top(policy.as_deref(), by, n.unwrap_or(DEFAULT_NUMBER).min(MOST_LISTED));
    let window_seconds = [GENERATION / 1_000, 2 * GENERATION / 1_000];
    answer(Body { by, window_seconds, keys: items(top) })
}

/// Keys as they are listed.
pub(super) fn items(top: Vec<TopKey>) -> Vec<Item> {
    top.into_iter().map(Item::from).collect()
}

impl From<TopKey> for Item {
    fn from(it: TopKey) -> Self {
        Self {
            policy: it.policy,
            key: it.key,
            count: it.count,
            error: it.error,
            refused: it.refused,
            refused_for_seconds: it.refused_for.map(|millis| millis / 1_000),
        }
    }
}
