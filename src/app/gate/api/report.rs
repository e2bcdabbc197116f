//! `POST /v1/report`: charges after the fact, and outcomes.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::answer::{Fields, PolicyAnswer, fields_of, standings};
use super::body;
use super::by_first_member;
use super::described::{Described, Question};
use super::mistake::{Mistake, part};
use super::one_or_many::OneOrMany;
use super::refund::RefundAnswer;
use super::refusals::{Refusals, StoreFailed};
use super::reply::{Unanswered, reply};
use super::settle::Outcome;
use super::together::{all, settled};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::observation::GateError;
use crate::domain::decision::Decision;
use crate::domain::quota::Cost;
use crate::limiter::{Incoming as _, Limiter, Unavailable};

/// What became known of a request later.
#[derive(Debug)]
pub(super) enum ReportQuestion {
    /// Its cost: it is described without `dry_run`.
    Cost(Described),
    /// The status with which it was answered.
    Outcome(Outcome),
}

/// What came of a report.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ReportAnswer {
    Charged(Charged),
    Settled(RefundAnswer),
}

/// What was charged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reported)]
pub(super) struct Charged {
    /// The policies that were charged, with where each of them stands.
    policies: Vec<PolicyAnswer>,
    /// The header fields that the client should get, by their names in lower case.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    headers: Fields,
}

/// Charges requests after the fact, as far as units are left, or tells with which status they were answered. It denies
/// nothing.
///
/// The cost is what is charged: 1 if it is left out. By the status, policies that do not count it give back what the check
/// charged, once.
#[utoipa::path(
    post,
    path = "/v1/report",
    operation_id = "report",
    request_body(content = OneOrMany<ReportQuestion>, description = "One request or outcome, or a list of them."),
    responses(
        (status = 200, description = "What was charged or given back, or a list of that in the same order.", body = OneOrMany<Charged>),
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
    let questions = reports.iter().map(|(index, report)| match report {
        ReportQuestion::Cost(described) if described.dry_run.is_some() => {
            Err(Mistake::Part(part(index, "dry_run", "expected no such member")))
        }
        ReportQuestion::Cost(described) => described.question(limiter, index).map(Meant::Cost),
        ReportQuestion::Outcome(outcome) => Ok(Meant::Outcome(outcome)),
    });
    let questions = questions.collect::<Result<Vec<_>, _>>()?;
    // All are begun before the first answer is awaited, so they go to the store together.
    let begun: Vec<_> = questions.iter().map(|it| it.begin(snapshot)).collect();
    let indexed = reports.iter().map(|(index, _)| index).zip(all(begun).await);
    let (answers, failed) = settled(indexed);
    match failed.is_empty() {
        true => Ok(reports.answered(answers)),
        false => Err(Unanswered::Undone(failed)),
    }
}

/// A report that makes sense.
enum Meant<'a> {
    Cost(Question<'a>),
    Outcome(&'a Outcome),
}

/// What comes of a report, or why nothing does.
type Begun<'a> = Pin<Box<dyn Future<Output = Result<ReportAnswer, String>> + 'a>>;

impl Meant<'_> {
    /// Begins to do what is meant.
    fn begin<'a>(&'a self, snapshot: &'a Snapshot) -> Begun<'a> {
        let limiter = &snapshot.limiter;
        match self {
            Self::Cost(question) => {
                let charged = charge(limiter, question);
                Box::pin(async move {
                    let decision = charged.await.map_err(|error| error.to_string())?;
                    let headers = fields_of(&decision, snapshot.answers.fields);
                    let policies = standings(&decision);
                    Ok(ReportAnswer::Charged(Charged { policies, headers }))
                })
            }
            Self::Outcome(outcome) => {
                Box::pin(async { outcome.settle(limiter).await.map(ReportAnswer::Settled) })
            }
        }
    }
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

impl<'de> Deserialize<'de> for ReportQuestion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_first_member::read(deserializer, &["id", "status"], Self::Outcome, Self::Cost)
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
