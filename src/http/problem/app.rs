//! The refusals of the app, beside those of the limit.

use bytes::Bytes;
use serde::Serialize;

use super::{Problem, Refusal};
use crate::http::request::RequestHead;
use crate::http::response::{ResponseField, ResponseFields as _};

/// The type of problems that only their status tells apart.
const ABOUT: &str = "about:blank";

const UNAUTHORIZED: Problem = problem!(
    401,
    "about:blank",
    "Unauthorized",
    "The credentials of this request are wrong, or no longer right.",
    "Authentication failed. Please check your credentials."
);

const UNVERIFIABLE: Problem = problem!(
    503,
    "about:blank",
    "Service Unavailable",
    "Tokens cannot be verified at the moment.",
    "Service temporarily unavailable. Please try again later."
);

const NOT_FOUND: Problem =
    problem!(404, "about:blank", "Not Found", "There is nothing at this path.");

const METHOD_NOT_ALLOWED: Problem =
    problem!(405, "about:blank", "Method Not Allowed", "This path is only read, by GET or HEAD.");

const TOO_LARGE: Problem =
    problem!(413, "about:blank", "Payload Too Large", "The body of this request is too large.");

const MISDIRECTED: Problem = problem!(
    421,
    "about:blank",
    "Misdirected Request",
    "This is not the host that the request names."
);

/// A problem whose detail is made for the one request.
#[derive(Serialize)]
struct Detailed<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    message: &'static str,
}

/// 400 to a question that cannot be answered; `detail` says why.
pub(crate) fn bad_request(request: &impl RequestHead, detail: &str) -> Refusal {
    let message = "The request cannot be understood.";
    detailed(
        request,
        Detailed { r#type: ABOUT, title: "Bad Request", status: 400, detail, message },
    )
}

/// 403 to a peer that may not ask; `detail` says why.
pub(crate) fn untrusted(request: &impl RequestHead, detail: &str) -> Refusal {
    let message = "Access denied.";
    detailed(request, Detailed { r#type: ABOUT, title: "Forbidden", status: 403, detail, message })
}

fn detailed(request: &impl RequestHead, problem: Detailed<'_>) -> Refusal {
    // Texts and a number are always written.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    Refusal::new(request, problem.status, body.into())
}

/// 401 to a request whose credentials prove nobody; `challenge` says what to send.
pub(crate) fn unauthorized(request: &impl RequestHead, challenge: Bytes) -> Refusal {
    let mut refusal = Refusal::of(request, UNAUTHORIZED);
    refusal.fields.append(ResponseField::WwwAuthenticate, challenge);
    refusal
}

/// 503 to a request whose token cannot be verified yet.
pub(crate) fn unverifiable(request: &impl RequestHead) -> Refusal {
    Refusal::of(request, UNVERIFIABLE).with_retry_after()
}

/// 404 to a request whose path leads nowhere.
pub(crate) fn not_found(request: &impl RequestHead) -> Refusal {
    Refusal::of(request, NOT_FOUND)
}

/// 405 to a request of another method than `GET` and `HEAD`.
pub(crate) fn method_not_allowed(request: &impl RequestHead) -> Refusal {
    let mut refusal = Refusal::of(request, METHOD_NOT_ALLOWED);
    refusal.fields.append(ResponseField::Allow, Bytes::from_static(b"GET, HEAD"));
    refusal
}

/// 413 to a request whose body is larger than any may be.
pub(crate) fn too_large(request: &impl RequestHead) -> Refusal {
    Refusal::of(request, TOO_LARGE)
}

/// 421 to a request that names a host which is not here.
pub(crate) fn misdirected(request: &impl RequestHead) -> Refusal {
    Refusal::of(request, MISDIRECTED)
}

#[cfg(test)]
mod tests;
