//! `POST /v1/check`: whether requests may pass.

use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::answer::CheckAnswer;
use super::body;
use super::described::Described;
use super::one_or_many::OneOrMany;
use super::refusals::Refusals;
use super::reply::{Unanswered, reply};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::observation::GateError;
use crate::limiter::Admitting;

/// Decides whether requests may pass, and charges those that may.
///
/// The answer is 200 whether they may pass or not. A list is decided in one step of the store, and each of its items
/// for itself: one that is denied does not keep another from passing.
#[utoipa::path(
    post,
    path = "/v1/check",
    operation_id = "check",
    request_body(content = OneOrMany<Described>, description = "One request, or a list of them."),
    responses(
        (status = 200, description = "The decision, or a list of decisions in the same order.", body = OneOrMany<CheckAnswer>),
        Refusals,
    )
)]
pub(super) async fn check(
    request: HttpRequest,
    payload: Payload,
    current: Data<CurrentSnapshot>,
) -> HttpResponse {
    let snapshot = Arc::clone(&current.load());
    let answers = answers(&request, payload, &snapshot).await;
    reply(answers, &snapshot, GateError::Check)
}

async fn answers(
    request: &HttpRequest,
    payload: Payload,
    snapshot: &Snapshot,
) -> Result<OneOrMany<CheckAnswer>, Unanswered> {
    let described = body::read::<Described>(request, payload, snapshot).await?;
    let limiter = &snapshot.limiter;
    let questions = described.iter().map(|(index, described)| described.question(limiter, index));
    let questions = questions.collect::<Result<Vec<_>, _>>()?;
    // All are asked before the first answer is awaited, so they go to the store together.
    let asked: Vec<Admitting> = questions.iter().map(|question| limiter.admit(question)).collect();
    let mut answers = Vec::with_capacity(asked.len());
    for (question, admitting) in questions.iter().zip(asked) {
        answers.push(CheckAnswer::of(question, &admitting.await, &snapshot.answers));
    }
    Ok(described.answered(answers))
}
