//! Why a request of an operator is refused, as problem details (RFC 9457).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

use crate::limiter::{OverrideError, OverrideWarning};

/// A refusal with this status, title and reason.
pub(super) fn refused(status: StatusCode, title: &str, detail: &str) -> HttpResponse {
    let problem = json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    HttpResponse::build(status)
        .insert_header(("cache-control", "no-store"))
        .content_type("application/problem+json")
        .body(problem.to_string())
}

/// A change that was not made.
pub(super) fn not_made(error: &OverrideError) -> HttpResponse {
    let (status, title) = match error {
        OverrideError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        OverrideError::Contended | OverrideError::Full => (StatusCode::CONFLICT, "Conflict"),
        OverrideError::UnknownPolicy(_) => (StatusCode::NOT_FOUND, "Not Found"),
        _ => (StatusCode::BAD_REQUEST, "Bad Request"),
    };
    let mut detail = error.to_string();
    // The error begins in lower case, as it stands after a colon elsewhere.
    if let Some(first) = detail.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    refused(status, title, &format!("{detail}."))
}

/// A change that was not made because the operator may not have meant it. It is made if it is confirmed.
pub(super) fn unconfirmed(reasons: &[String]) -> HttpResponse {
    let problem = json!({
        "type": "urn:tollgate:problem:confirmation-required",
        "title": "Confirmation Required",
        "status": 409,
        "detail": reasons.join(" "),
        "reasons": reasons,
    });
    HttpResponse::Conflict()
        .insert_header(("cache-control", "no-store"))
        .content_type("application/problem+json")
        .body(problem.to_string())
}

/// The sentences of `warnings` that an operator has to confirm.
pub(super) fn reasons(warnings: &[OverrideWarning]) -> Vec<String> {
    let serious = warnings.iter().filter(|it| **it != OverrideWarning::NoPolicy);
    serious.map(|warning| warning.text().to_owned()).collect()
}
