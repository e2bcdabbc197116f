//! Why a request to the gate is not answered, as problem details (RFC 9457).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request is not answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// What kind of problem it is.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The status in words.
    #[schema(example = "Bad Request")]
    title: &'static str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong, in a sentence.
    detail: String,
    /// What is wrong with each part of the body; left out where the body is not at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<PartError>,
}

/// What is wrong with a part of the body.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartError {
    /// Where the part is, as a JSON pointer in a fragment (RFC 6901).
    #[schema(example = "#/3/cost")]
    pub(super) pointer: String,
    /// What was expected there.
    pub(super) detail: String,
}

impl Problem {
    /// A problem of this status; `detail` says in a sentence what is wrong.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        let (status, detail) = (status.as_u16(), detail.into());
        Self { r#type: "about:blank", title, status, detail, errors: Vec::new() }
    }

    /// The same problem, with what is wrong with each part.
    pub(super) fn with_errors(self, errors: Vec<PartError>) -> Self {
        Self { errors, ..self }
    }
}

/// 413 to a body of more than `most` bytes.
pub(crate) fn too_large(most: u64) -> HttpResponse {
    let detail = format!("The body is larger than {most} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into()
}

impl From<Problem> for HttpResponse {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status);
        let mut response = Self::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        response.insert_header((CACHE_CONTROL, "no-store"));
        if problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() {
            response.insert_header((RETRY_AFTER, "1"));
        }
        // Texts and numbers are always written.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}
