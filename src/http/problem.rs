//! The bodies of 401, 403, 429 and 503: problem details (RFC 9457), with the `message` that older clients read.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, Accept, CACHE_CONTROL, CONTENT_TYPE, Header as _, HeaderValue,
};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpResponse};

use crate::domain::decision::Decision;
use crate::domain::scratch::scratch;
use crate::domain::standing::Retry;
use crate::http::fields;
use crate::http::fields::{FieldOptions, push, write_retry_after};

/// How long to wait for a store that failed.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// One kind of problem. What it always says is JSON already when the crate is compiled: whoever hammers a
/// closed gate is answered from here.
struct Problem {
    status: StatusCode,
    /// All before the detail, and all after it.
    start: &'static str,
    end: &'static str,
}

macro_rules! problem {
    ($status:ident = $number:literal, $type:literal, $title:literal, $message:literal) => {
        Problem {
            status: StatusCode::$status,
            start: concat!(
                r#"{"type":""#,
                $type,
                r#"","title":""#,
                $title,
                r#"","status":"#,
                $number,
                r#","detail":""#
            ),
            end: concat!(r#","message":""#, $message, r#""}"#),
        }
    };
}

const QUOTA_EXCEEDED: Problem = problem!(
    TOO_MANY_REQUESTS = 429,
    "https://iana.org/assignments/http-problem-types#quota-exceeded",
    "Quota Exceeded",
    "Too many requests. Please try again later."
);

const REDUCED_CAPACITY: Problem = problem!(
    SERVICE_UNAVAILABLE = 503,
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
    "Temporary Reduced Capacity",
    "Service temporarily unavailable. Please try again later."
);

const FORBIDDEN: Problem = problem!(FORBIDDEN = 403, "about:blank", "Forbidden", "Access denied.");

#[cfg(feature = "server")]
const UNAUTHORIZED: Problem = problem!(
    UNAUTHORIZED = 401,
    "about:blank",
    "Unauthorized",
    "Authentication failed. Please check your credentials."
);

#[cfg(feature = "server")]
const UNVERIFIABLE: Problem = problem!(
    SERVICE_UNAVAILABLE = 503,
    "about:blank",
    "Service Unavailable",
    "Service temporarily unavailable. Please try again later."
);

/// 429 to a request that `decision` denies, with its fields.
pub(crate) fn denied(
    request: &impl HttpMessage,
    decision: &Decision,
    fields: FieldOptions,
) -> HttpResponse {
    let mut response = quota_exceeded(request, decision);
    fields::write(response.headers_mut(), decision, fields);
    response
}

/// 503 to a request that was not decided, of which no field can tell.
pub(crate) fn undecided(request: &impl HttpMessage, fields: FieldOptions) -> HttpResponse {
    let mut response = reduced_capacity(request);
    fields::expose(response.headers_mut(), fields);
    response
}

fn quota_exceeded(request: &impl HttpMessage, decision: &Decision) -> HttpResponse {
    let mut response = QUOTA_EXCEEDED.respond(request, |json| {
        write_detail(json, decision);
        json.push_str(r#"","violated-policies":["#);
        let start = json.len();
        for (policy, _) in decision.violated() {
            json.push_str(if json.len() == start { "\"" } else { ",\"" });
            // Letters, digits, `-`, `_` and `.` stand for themselves.
            json.push_str(policy.name());
            json.push('"');
        }
        json.push(']');
    });
    if let Some(wait) = decision.retry_after() {
        write_retry_after(response.headers_mut(), wait);
    }
    response
}

fn reduced_capacity(request: &impl HttpMessage) -> HttpResponse {
    let detail = "Requests cannot be counted at the moment, and this one may not pass uncounted.";
    let mut response = REDUCED_CAPACITY.say(request, detail);
    write_retry_after(response.headers_mut(), STORE_RETRY_AFTER);
    response
}

/// 403 to a client that is on the list of those who are refused.
pub(crate) fn forbidden(request: &impl HttpMessage) -> HttpResponse {
    FORBIDDEN.say(request, "This client is refused, whatever it asks for.")
}

/// 401 to a request whose credentials prove nobody.
#[cfg(feature = "server")]
pub(crate) fn unauthorized(request: &impl HttpMessage) -> HttpResponse {
    let detail = "The credentials of this request are wrong, or no longer right.";
    UNAUTHORIZED.say(request, detail)
}

/// 503 to a request whose token cannot be verified yet.
#[cfg(feature = "server")]
pub(crate) fn unverifiable(request: &impl HttpMessage) -> HttpResponse {
    let detail = "Tokens cannot be verified at the moment.";
    let mut response = UNVERIFIABLE.say(request, detail);
    write_retry_after(response.headers_mut(), STORE_RETRY_AFTER);
    response
}

impl Problem {
    /// The answer with a detail that JSON needs no escapes for.
    fn say(&self, request: &impl HttpMessage, detail: &str) -> HttpResponse {
        self.respond(request, |json| {
            json.push_str(detail);
            json.push('"');
        })
    }

    /// The answer in which `write` adds the detail, up to its closing quote, and what follows it.
    fn respond(&self, request: &impl HttpMessage, write: impl FnOnce(&mut String)) -> HttpResponse {
        let body = scratch(|json| {
            json.push_str(self.start);
            write(json);
            json.push_str(self.end);
            Bytes::copy_from_slice(json.as_bytes())
        });
        let mut response = HttpResponse::with_body(self.status, BoxBody::new(body));
        // It has none yet, so that nothing is there to be replaced.
        let headers = response.headers_mut();
        headers.append(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.append(CONTENT_TYPE, HeaderValue::from_static(media_type(request)));
        response
    }
}

/// `application/problem+json` to whoever names it, since older clients expect plain JSON.
fn media_type(request: &impl HttpMessage) -> &'static str {
    const PROBLEM: &str = "application/problem+json";
    let names_problem = request.headers().contains_key(ACCEPT)
        && Accept::parse(request).is_ok_and(|accept| {
            let zero = actix_web::http::header::Quality::ZERO;
            accept.iter().any(|it| it.item.essence_str() == PROBLEM && it.quality > zero)
        });
    if names_problem { PROBLEM } else { "application/json" }
}

/// What denies, and until when, as a text of JSON.
fn write_detail(json: &mut String, decision: &Decision) {
    let start = json.len();
    for (policy, standing) in decision.violated() {
        let terms = policy.terms();
        json.push_str(if json.len() == start { "Policy \\\"" } else { " Policy \\\"" });
        json.push_str(policy.name());
        match standing.retry {
            Retry::After(wait) => {
                json.push_str("\\\" allows ");
                push(json, terms.units);
                json.push_str(" requests per ");
                push(json, terms.window / 1_000);
                json.push_str(" s. Retry in ");
                push(json, wait.div_ceil(1_000));
                json.push_str(" s.");
            }
            Retry::Now | Retry::Never => {
                json.push_str("\\\" never admits a request that costs more than ");
                push(json, terms.burst);
                json.push_str(" units.");
            }
        }
    }
}

#[cfg(test)]
mod tests;
