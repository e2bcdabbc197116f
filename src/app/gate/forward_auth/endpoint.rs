//! The endpoint that proxies ask.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::answer;
use super::mistake::Mistake;
use super::question::Question;
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::http::problem::{self, Refusal};
use crate::limiter::{Admission, Incoming as _};

/// The path of the endpoint, decoded.
const PATH: &str = "/v1/auth";

/// Answers a proxy whether the request that it describes may pass.
pub(in crate::app::gate) async fn decide(
    request: HttpRequest,
    current: Data<CurrentSnapshot>,
) -> HttpResponse {
    let snapshot = Arc::clone(&current.load());
    let path = request.match_info().as_str();
    let rest = path.strip_prefix(PATH).unwrap_or_default();
    match Question::read(&request, &snapshot, rest) {
        Ok(question) => {
            let proxy = question.proxy;
            let admitted = admit(&request, &snapshot, question).await;
            admitted.unwrap_or_else(|refusal| answer::refuses(proxy, refusal))
        }
        Err(mistake) => {
            snapshot.counts.gate_error(mistake.counted_as());
            let detail = format!("The question cannot be answered: {mistake}.");
            HttpResponse::from(match mistake {
                Mistake::Peer => problem::untrusted(&request, &detail),
                _ => problem::bad_request(&request, &detail),
            })
        }
    }
}

/// The answer to a question whose request passes.
///
/// # Errors
/// With the refusal, if it does not.
async fn admit(
    request: &HttpRequest,
    snapshot: &Snapshot,
    question: Question<'_>,
) -> Result<HttpResponse, Refusal> {
    let user = match &snapshot.authenticate {
        Some(it) => it.user_of(request, &snapshot.gate_client_ip).await?,
        None => None,
    };
    let (answers, question) = (&snapshot.answers, question.of(user));
    match snapshot.limiter.admit(&question).await {
        Admission::Passes(decision) => Ok(answer::passes(decision.as_ref(), answers.fields)),
        Admission::Refused(refused) => {
            let telling = answers.to(|| question.request_id());
            Err(problem::refusal(request, &refused, &telling))
        }
    }
}
