//! What a client is told whose request is refused.
//!
//! * A refusal is problem details (RFC 9457), with the `message` that older clients read.
//! * It tells what its client can act on: which policies deny, and how long to wait. What failed behind
//!   the gate, and why a credential is wrong, is told in the log alone.
//! * It is for this request: no cache may store it.
//! * It is sent as `application/json`, which older clients expect, and as `application/problem+json` to a
//!   client whose `Accept` names that.
//! * A denial may have a body in the words of whoever runs the limiter instead: see [`Refusals`](crate::Refusals).

use std::time::Duration;

use bytes::Bytes;

use crate::domain::banned::Banned;
use crate::domain::decision::Decision;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::scratch::scratch;
use crate::domain::standing::Retry;
use crate::domain::window::Window;
use crate::http::accept::problem_type;
use crate::http::answers::Telling;
use crate::http::fields;
use crate::http::fields::{FieldOptions, Stretch, push, seconds_up, write_retry_after};
use crate::http::refusals::{Denial, OwnBody};
use crate::http::request::RequestHead;
use crate::http::response::{PlainFields, ResponseField, ResponseFields as _};
use crate::limiter::Refused;

/// How long to wait for what failed behind the gate.
const FAILURE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A refusal, which each door turns into a response of its framework.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) fields: PlainFields,
    pub(crate) body: Bytes,
}

/// The beginning of a problem's body, up to its status.
macro_rules! head {
    ($status:literal, $type:literal, $title:literal) => {
        concat!(r#"{"type":""#, $type, r#"","title":""#, $title, r#"","status":"#, $status)
    };
}

/// The end of a problem's body: its message.
macro_rules! tail {
    ($message:literal) => {
        concat!(r#","message":""#, $message, r#""}"#)
    };
}

/// A problem that says the same to everybody: its status, and its body, which is made when the crate is
/// compiled.
macro_rules! problem {
    ($status:literal, $type:literal, $title:literal, $detail:literal, $message:literal) => {
        (
            $status,
            concat!(
                head!($status, $type, $title),
                r#","detail":""#,
                $detail,
                "\"",
                tail!($message)
            ),
        )
    };
    ($status:literal, $type:literal, $title:literal, $message:literal) => {
        ($status, concat!(head!($status, $type, $title), tail!($message)))
    };
}

/// A status and a body.
type Problem = (u16, &'static str);

#[cfg(feature = "server")]
mod app; // after the macros, which it uses
#[cfg(feature = "server")]
pub(crate) use self::app::{
    bad_request, method_not_allowed, misdirected, not_found, too_large, unauthorized, untrusted,
    unverifiable,
};

const REDUCED_CAPACITY: Problem = problem!(
    503,
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
    "Temporary Reduced Capacity",
    "Requests cannot be counted at the moment, and this one may not pass uncounted.",
    "Service temporarily unavailable. Please try again later."
);

const FORBIDDEN: Problem = problem!(
    403,
    "about:blank",
    "Forbidden",
    "This client is refused, whatever it asks for.",
    "Access denied."
);

/// The refusal of a request that the limiter `refused`.
pub(crate) fn refusal(request: &impl RequestHead, refused: &Refused, telling: &Telling) -> Refusal {
    let options = telling.fields;
    match refused {
        Refused::Denied(decision) => denied(request, decision, telling),
        Refused::Blocked => Refusal::of(request, FORBIDDEN),
        Refused::Banned(banned) => self::banned(request, banned, options),
        Refused::Undecided(_) => {
            let mut refusal = Refusal::of(request, REDUCED_CAPACITY).with_retry_after();
            fields::expose(&mut refusal.fields, options);
            refusal
        }
    }
}

/// 403, with how long the ban lasts.
fn banned(request: &impl RequestHead, banned: &Banned, options: FieldOptions) -> Refusal {
    let wait = banned.ends_after();
    let body = scratch(|json| {
        json.push_str(head!(403, "urn:tollgate:problem:client-banned", "Client Banned"));
        json.push_str(r#","detail":"This client is refused for a while.","banned-for":"#);
        push(json, wait.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX));
        json.push_str(tail!("Access denied. Please try again later."));
        Bytes::copy_from_slice(json.as_bytes())
    });
    let mut refusal = Refusal::new(request, 403, body);
    write_retry_after(&mut refusal.fields, wait);
    fields::expose(&mut refusal.fields, options);
    refusal
}

/// 429, or 503 if the server is at work on as many requests as it may, with the fields of the decision.
fn denied(request: &impl RequestHead, decision: &Decision, telling: &Telling) -> Refusal {
    let stretch = telling.fields.stretch();
    let own = telling.own.as_ref().and_then(|own| {
        let request_id = own.request_id.as_deref().unwrap_or_default();
        own.refusals.body_of(Denial { request, decision, stretch, request_id })
    });
    let is_negotiated = own.is_some();
    let status = if is_busy(decision) { 503 } else { 429 };
    let mut refusal = match own {
        Some(OwnBody::Chosen { media_type, body }) => Refusal::of_type(status, media_type, body),
        Some(OwnBody::Declined) | None => {
            let body = scratch(|json| {
                write_denial(json, decision, stretch);
                Bytes::copy_from_slice(json.as_bytes())
            });
            Refusal::new(request, status, body)
        }
    };
    if is_negotiated {
        refusal.fields.append(ResponseField::Vary, Bytes::from_static(b"Accept"));
    }
    if let Some(wait) = decision.retry_after() {
        write_retry_after(&mut refusal.fields, stretch.of_duration(wait));
    }
    fields::write_stretched(&mut refusal.fields, decision, telling.fields, stretch);
    refusal
}

impl Refusal {
    fn of(request: &impl RequestHead, (status, body): Problem) -> Self {
        Self::new(request, status, Bytes::from_static(body.as_bytes()))
    }

    fn new(request: &impl RequestHead, status: u16, body: Bytes) -> Self {
        Self::of_type(status, problem_type(request.lines("accept")), body)
    }

    fn of_type(status: u16, media_type: &'static str, body: Bytes) -> Self {
        let mut fields = PlainFields::default();
        fields.append(ResponseField::CacheControl, Bytes::from_static(b"no-store"));
        fields.append(ResponseField::ContentType, Bytes::from_static(media_type.as_bytes()));
        Self { status, fields, body }
    }

    fn with_retry_after(mut self) -> Self {
        write_retry_after(&mut self.fields, FAILURE_RETRY_AFTER);
        self
    }
}

/// Whether only requests under way deny, of all clients together: then no client has done too much.
fn is_busy(decision: &Decision) -> bool {
    let is_of_all = |policy: &Policy| *policy.key() == KeySource::Global;
    let mut violated = decision.violated().peekable();
    violated.peek().is_some()
        && violated.all(|(policy, it)| it.retry == Retry::WhenFreed && is_of_all(policy))
}

/// The body of a denial: what denies, and until when.
fn write_denial(json: &mut String, decision: &Decision, stretch: Stretch) {
    json.push_str(if is_busy(decision) {
        head!(
            503,
            "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
            "Temporary Reduced Capacity"
        )
    } else {
        head!(
            429,
            "https://iana.org/assignments/http-problem-types#quota-exceeded",
            "Quota Exceeded"
        )
    });
    json.push_str(r#","detail":""#);
    write_detail(json, decision, stretch);
    json.push_str(r#"","violated-policies":["#);
    let (start, mut last) = (json.len(), "");
    for (policy, _) in decision.violated() {
        // Several quotas of one policy follow each other.
        if policy.name() == last {
            continue;
        }
        last = policy.name();
        json.push_str(if json.len() == start { "\"" } else { ",\"" });
        // Letters, digits, `-`, `_` and `.` stand for themselves.
        json.push_str(policy.name());
        json.push('"');
    }
    json.push(']');
    json.push_str(tail!("Too many requests. Please try again later."));
}

/// What denies, and until when, as a text of JSON.
fn write_detail(json: &mut String, decision: &Decision, stretch: Stretch) {
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
                match terms.window {
                    Window::Fixed(length) => {
                        push(json, length / 1_000);
                        json.push_str(" s");
                    }
                    Window::Calendar(calendar) => json.push_str(calendar.unit().name()),
                }
                json.push_str(". Retry in ");
                push(json, seconds_up(stretch.of(wait)));
                json.push_str(" s.");
            }
            Retry::WhenFreed => {
                json.push_str("\\\" allows ");
                push(json, terms.units);
                json.push_str(match terms.units {
                    1 => " request at once. Retry when it has ended.",
                    _ => " requests at once. Retry when one of them has ended.",
                });
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
