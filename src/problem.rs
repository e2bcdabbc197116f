//! The bodies of 403, 429 and 503: problem details (RFC 9457), with the `message` that older clients read.

use std::fmt::Write as _;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, Accept, CACHE_CONTROL, CONTENT_TYPE, Header as _, HeaderValue,
};
use actix_web::{HttpMessage, HttpResponse};

use crate::decision::{Decision, Retry};
use crate::headers::write_retry_after;

/// How long to wait for a store that failed.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Room for most bodies, so that writing one allocates once.
const TYPICAL_BODY: usize = 512;

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
                r#","detail":"#
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

/// 429 to a request that `decision` denies.
pub(crate) fn quota_exceeded(request: &impl HttpMessage, decision: &Decision) -> HttpResponse {
    let violated = decision.violated().map(|(policy, _)| policy.name()).collect();
    let mut response = QUOTA_EXCEEDED.respond(request, &detail(decision), violated);
    if let Some(wait) = decision.retry_after() {
        write_retry_after(response.headers_mut(), wait);
    }
    response
}

/// 503 to a request that was not decided.
pub(crate) fn reduced_capacity(request: &impl HttpMessage) -> HttpResponse {
    let detail = "Requests cannot be counted at the moment, and this one may not pass uncounted.";
    let mut response = REDUCED_CAPACITY.respond(request, detail, Vec::new());
    write_retry_after(response.headers_mut(), STORE_RETRY_AFTER);
    response
}

/// 403 to a client that is on the list of those who are refused.
pub(crate) fn forbidden(request: &impl HttpMessage) -> HttpResponse {
    FORBIDDEN.respond(request, "This client is refused, whatever it asks for.", Vec::new())
}

impl Problem {
    fn respond(
        &self,
        request: &impl HttpMessage,
        detail: &str,
        violated_policies: Vec<&str>,
    ) -> HttpResponse {
        let mut body = Vec::with_capacity(TYPICAL_BODY);
        body.extend(self.start.as_bytes());
        // Writing text to memory does not fail.
        let _ = serde_json::to_writer(&mut body, detail);
        if !violated_policies.is_empty() {
            body.extend(br#","violated-policies":"#);
            let _ = serde_json::to_writer(&mut body, &violated_policies);
        }
        body.extend(self.end.as_bytes());
        let mut response = HttpResponse::build(self.status).body(body);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(request)));
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

fn detail(decision: &Decision) -> String {
    let mut detail = String::with_capacity(TYPICAL_BODY / 4);
    for (policy, standing) in decision.violated() {
        if !detail.is_empty() {
            detail.push(' ');
        }
        let (name, terms) = (policy.name(), policy.terms());
        // Writing to a string does not fail.
        let _ = match standing.retry {
            Retry::After(wait) => write!(
                detail,
                "Policy \"{name}\" allows {} requests per {} s. Retry in {} s.",
                terms.units,
                terms.window / 1_000,
                wait.div_ceil(1_000)
            ),
            Retry::Now | Retry::Never => write!(
                detail,
                "Policy \"{name}\" never admits a request that costs more than {} units.",
                terms.burst
            ),
        };
    }
    detail
}

#[cfg(test)]
mod tests;
