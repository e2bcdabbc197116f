//! The bodies of 429 and 503: problem details (RFC 9457), with the `message` that older clients read.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{Accept, Header as _};
use actix_web::{HttpMessage, HttpResponse};
use serde::Serialize;

use crate::decision::{Decision, Retry, Standing};
use crate::headers::write_retry_after;
use crate::policy::Policy;

/// How long to wait for a store that failed.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(rename = "violated-policies", skip_serializing_if = "Vec::is_empty")]
    violated_policies: Vec<&'a str>,
    message: &'static str,
}

/// 429 to a request that `decision` denies.
pub(crate) fn quota_exceeded(request: &impl HttpMessage, decision: &Decision) -> HttpResponse {
    let problem = Problem {
        r#type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
        title: "Quota Exceeded",
        status: 429,
        detail: detail(decision),
        violated_policies: decision.violated().map(|(policy, _)| policy.name()).collect(),
        message: "Too many requests. Please try again later.",
    };
    let mut response = respond(request, &problem);
    if let Some(wait) = decision.retry_after() {
        write_retry_after(response.headers_mut(), wait);
    }
    response
}

/// 503 to a request that was not decided.
pub(crate) fn reduced_capacity(request: &impl HttpMessage) -> HttpResponse {
    let problem = Problem {
        r#type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        title: "Temporary Reduced Capacity",
        status: 503,
        detail: "Requests cannot be counted at the moment, and this one may not pass uncounted."
            .to_owned(),
        violated_policies: Vec::new(),
        message: "Service temporarily unavailable. Please try again later.",
    };
    let mut response = respond(request, &problem);
    write_retry_after(response.headers_mut(), STORE_RETRY_AFTER);
    response
}

/// 401 to a request whose credentials prove nobody.
#[cfg(feature = "server")]
pub(crate) fn unauthorized(request: &impl HttpMessage) -> HttpResponse {
    let problem = Problem {
        r#type: "about:blank",
        title: "Unauthorized",
        status: 401,
        detail: "The credentials of this request are wrong, or no longer right.".to_owned(),
        violated_policies: Vec::new(),
        message: "Authentication failed. Please check your credentials.",
    };
    respond(request, &problem)
}

/// 503 to a request whose token cannot be verified yet.
#[cfg(feature = "server")]
pub(crate) fn unverifiable(request: &impl HttpMessage) -> HttpResponse {
    let problem = Problem {
        r#type: "about:blank",
        title: "Service Unavailable",
        status: 503,
        detail: "Tokens cannot be verified at the moment.".to_owned(),
        violated_policies: Vec::new(),
        message: "Service temporarily unavailable. Please try again later.",
    };
    let mut response = respond(request, &problem);
    write_retry_after(response.headers_mut(), STORE_RETRY_AFTER);
    response
}

fn respond(request: &impl HttpMessage, problem: &Problem<'_>) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    HttpResponse::build(status)
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Type", media_type(request)))
        .body(serde_json::to_string(problem).unwrap_or_default())
}

/// `application/problem+json` to whoever names it, since older clients expect plain JSON.
fn media_type(request: &impl HttpMessage) -> &'static str {
    const PROBLEM: &str = "application/problem+json";
    let names_problem = Accept::parse(request).is_ok_and(|accept| {
        let zero = actix_web::http::header::Quality::ZERO;
        accept.iter().any(|it| it.item.essence_str() == PROBLEM && it.quality > zero)
    });
    if names_problem { PROBLEM } else { "application/json" }
}

fn detail(decision: &Decision) -> String {
    let sentences: Vec<String> = decision.violated().map(sentence).collect();
    sentences.join(" ")
}

fn sentence((policy, standing): (&Policy, &Standing)) -> String {
    let (name, terms) = (policy.name(), policy.terms());
    match standing.retry {
        Retry::After(wait) => format!(
            "Policy \"{name}\" allows {} requests per {} s. Retry in {} s.",
            terms.units,
            terms.window / 1_000,
            wait.div_ceil(1_000)
        ),
        Retry::Now | Retry::Never => format!(
            "Policy \"{name}\" never admits a request that costs more than {} units.",
            terms.burst
        ),
    }
}

#[cfg(test)]
mod tests;
