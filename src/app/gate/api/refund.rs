//! `POST /v1/refund`: charges that are given back.

use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::body;
use super::members::text;
use super::one_or_many::OneOrMany;
use super::refusals::{Refusals, StoreFailed};
use super::reply::{Unanswered, reply};
use super::together::{all, settled};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::observation::GateError;
use crate::domain::receipt::Receipt;
use crate::limiter::GivenBack;

/// A decision whose charges are to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refund)]
pub(super) struct RefundQuestion {
    /// The `id` of the decision.
    #[serde(deserialize_with = "receipt")]
    #[schema(value_type = String, format = "receipt")]
    id: Receipt,
}

/// What was given back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refunded)]
pub(super) struct RefundAnswer {
    /// The units that were given back under each policy, as far as its quota still counted them.
    refunded: Vec<RefundedUnits>,
    /// Whether they were given back before: then nothing is given back again.
    repeated: bool,
}

/// Units that were given back under a policy.
#[derive(Debug, Serialize, ToSchema)]
struct RefundedUnits {
    /// The name of the policy.
    policy: String,
    /// The units.
    units: u64,
}

/// Gives back what decisions charged, as far as the quotas still count it, and once.
///
/// It may be repeated, as after a failure: what was given back is not given back again.
#[utoipa::path(
    post,
    path = "/v1/refund",
    operation_id = "refund",
    request_body(content = OneOrMany<RefundQuestion>, description = "One decision, or a list of them."),
    responses(
        (status = 200, description = "What was given back, or a list of that in the same order.", body = OneOrMany<RefundAnswer>),
        Refusals,
        StoreFailed,
    )
)]
pub(super) async fn refund(
    request: HttpRequest,
    payload: Payload,
    current: Data<CurrentSnapshot>,
) -> HttpResponse {
    let snapshot = Arc::clone(&current.load());
    let answers = answers(&request, payload, &snapshot).await;
    reply(answers, &snapshot, GateError::Refund)
}

async fn answers(
    request: &HttpRequest,
    payload: Payload,
    snapshot: &Snapshot,
) -> Result<OneOrMany<RefundAnswer>, Unanswered> {
    let questions = body::read::<RefundQuestion>(request, payload, snapshot).await?;
    let refunds = all(questions.iter().map(|(_, it)| snapshot.limiter.refund(&it.id))).await;
    let indexed = questions.iter().map(|(index, _)| index).zip(refunds);
    let (refunds, failed) = settled(indexed);
    match failed.is_empty() {
        true => Ok(questions.answered(refunds.iter().map(RefundAnswer::of).collect())),
        false => Err(Unanswered::Undone(failed)),
    }
}

impl RefundAnswer {
    pub(super) fn of(given: &GivenBack) -> Self {
        let units = given.units();
        let refunded =
            units.map(|(policy, units)| RefundedUnits { policy: policy.to_owned(), units });
        Self { refunded: refunded.collect(), repeated: given.is_repeated() }
    }
}

pub(super) fn receipt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Receipt, D::Error> {
    text(deserializer, "the id of a decision", |id| id.parse().ok())
}
