//! The response to a question.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use serde::Serialize;

use super::mistake::Mistake;
use crate::app::assemble::Snapshot;
use crate::app::gate::problem::{PartError, Problem};
use crate::app::observation::GateError;

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It is wrong.
    Mistake(Mistake),
    /// The store failed for these items.
    Undone(Vec<PartError>),
}

impl From<Mistake> for Unanswered {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

/// The response with an answer. If the question is wrong, `error` is counted.
pub(super) fn reply(
    answer: Result<impl Serialize, Unanswered>,
    snapshot: &Snapshot,
    error: GateError,
) -> HttpResponse {
    match answer {
        Ok(answer) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(answer),
        Err(Unanswered::Mistake(mistake)) => {
            snapshot.counts.gate_error(error);
            mistake.into()
        }
        Err(Unanswered::Undone(errors)) => {
            let why = "The store failed. Please try again later.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).with_errors(errors).into()
        }
    }
}
