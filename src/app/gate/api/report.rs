//! `POST /v1/report`: charges after the fact.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::answer::{Fields, PolicyAnswer, fields_of, standings};
use super::body;
use super::described::{Described, Question};
use super::mistake::{Mistake, part};
use super::one_or_many::OneOrMany;
use super::refusals::{Refusals, StoreFailed};
use super::reply::{Unanswered, reply};
use super::together::{all, settled};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::observation::GateError;
use crate::domain::decision::Decision;
use crate::domain::quota::Cost;
use crate::limiter::{Incoming as _, Limiter, Unavailable};

/// A request whose cost became known later: a described request without `dry_run`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct ReportQuestion(Described);

/// What was charged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reported)]
pub(super) struct ReportAnswer {
    /// The policies that were charged, with where each of them stands.
    policies: Vec<PolicyAnswer>,
    /// The header fields that the client should get, by their names in lower case.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    headers: Fields,
}

/// Charges requests after the fact, as far as units are left. It denies nothing.
///
/// The cost is what is charged: 1 if it is left out.
#[utoipa::path(
    post,
    path = "/v1/report",
    operation_id = "report",
    request_body(content = OneOrMany<ReportQuestion>, description = "One request, or a list of them."),
    responses(
        (status = 200, description = "What was charged, or a list of that in the same order.", body = OneOrMany<ReportAnswer>),
        Refusals,
        StoreFailed,
    )
)]
pub(super) async fn report(
    request: HttpRequest,
    payload: Payload,
    current: Data<CurrentSnapshot>,
) -> HttpResponse {
    let snapshot = Arc::clone(&current.load());
    let answers = answers(&request, payload, &snapshot).await;
    reply(answers, &snapshot, GateError::Report)
}

async fn answers(
    request: &HttpRequest,
    payload: Payload,
    snapshot: &Snapshot,
) -> Result<OneOrMany<ReportAnswer>, Unanswered> {
    let reports = body::read::<ReportQuestion>(request, payload, snapshot).await?;
    let limiter = &snapshot.limiter;
    let questions = reports.iter().map(|(index, ReportQuestion(described))| {
        if described.dry_run.is_some() {
            return Err(Mistake::Part(part(index, "dry_run", "expected no such member")));
        }
        described.question(limiter, index)
    });
    let questions = questions.collect::<Result<Vec<_>, _>>()?;
    // All are charged before the first answer is awaited, so they go to the store together.
    let charges: Vec<_> = questions.iter().map(|question| charge(limiter, question)).collect();
    let indexed = reports.iter().map(|(index, _)| index).zip(all(charges).await);
    let (charged, failed) = settled(indexed);
    if !failed.is_empty() {
        return Err(Unanswered::Undone(failed));
    }
    let answer = |decision: &Decision| ReportAnswer {
        policies: standings(decision),
        headers: fields_of(decision, snapshot.fields),
    };
    Ok(reports.answered(charged.iter().map(answer).collect()))
}

/// Charges the client of `question`.
fn charge(
    limiter: &Limiter,
    question: &Question<'_>,
) -> impl Future<Output = Result<Decision, Unavailable>> + use<> {
    let headers = |name: &str| -> Option<Cow<'_, [u8]>> { question.header(name) };
    let units = question.cost().unwrap_or(Cost::ONE);
    let charged = limiter
        .policies_met(question)
        .map(|policies| limiter.charge_up_to(policies, units, &question.client(&headers)));
    async move {
        match charged {
            Some(charged) => charged.await,
            None => Ok(Decision::new(true, Vec::new(), Vec::new())),
        }
    }
}

impl ToSchema for ReportQuestion {
    fn name() -> Cow<'static, str> {
        "Report".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Described::schemas(schemas);
    }
}

impl PartialSchema for ReportQuestion {
    fn schema() -> RefOr<Schema> {
        let mut schema = Described::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.remove("dry_run");
        }
        schema
    }
}
