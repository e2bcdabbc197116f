//! What servers are told about a decision.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::clock::Millis;
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
use crate::domain::standing::{Retry, Standing};
use crate::domain::window::Window;
use crate::http::RequestHead;
use crate::http::answers::Answers;
use crate::http::fields;
use crate::http::fields::{CONCURRENT_REQUESTS, FieldOptions};
use crate::http::problem;
use crate::http::problem::Refusal;
use crate::http::response::{PlainFields, ResponseField, ResponseFields as _};
use crate::limiter::{Admission, Incoming, Refused};

/// The header fields that the client should get, by their names in lower case.
pub(super) type Fields = BTreeMap<&'static str, String>;

/// The decision on one request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct CheckAnswer {
    /// Whether the request may pass.
    allowed: bool,
    /// By which the charges can be given back; `null` if nothing was charged.
    #[schema(required = true)]
    id: Option<String>,
    /// The policies that were asked, with where each of them stands.
    policies: Vec<PolicyAnswer>,
    /// The header fields that the client should get, by their names in lower case.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    headers: Fields,
    /// Why the request may not pass; `null` if it may.
    #[schema(required = true)]
    refusal: Option<RefusalAnswer>,
}

/// Where a policy stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyStanding)]
pub(super) struct PolicyAnswer {
    /// The name of the policy.
    policy: String,
    /// The units allowed per window, or the requests that may be under way at once.
    quota: u64,
    /// `concurrent-requests` where the quota is of requests under way, which have no window.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
    /// The length of the window. Windows that the calendar ends have no one length.
    #[serde(skip_serializing_if = "Option::is_none")]
    window_seconds: Option<u64>,
    /// What of the calendar a window is, such as a month, where the calendar ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<&'static str>,
    /// The units that are left.
    remaining: u64,
    /// The milliseconds until the quota is whole again, if nothing more is charged.
    reset_after_ms: Millis,
    /// When the policy admits the next request of this cost.
    retry: RetryAnswer,
    /// The milliseconds until then; `null` unless `retry` is `after`.
    #[schema(required = true)]
    retry_after_ms: Option<Millis>,
}

/// When a policy admits the next request of a cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Retry)]
enum RetryAnswer {
    /// At once.
    Now,
    /// After `retry_after_ms`.
    After,
    /// Once a request that is under way ends. Nobody knows when that will be.
    WhenFreed,
    /// Never: it costs more than the whole quota.
    Never,
}

/// Why a request may not pass, and what its client should be told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusal)]
struct RefusalAnswer {
    reason: Reason,
    /// The status for the client.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The media type of the body.
    content_type: String,
    /// The body for the client: JSON if that is its media type, and otherwise a text. It is problem details, unless the
    /// configuration has a body that the client likes better.
    #[schema(value_type = RefusalBody)]
    body: Box<RawValue>,
}

/// Why a request may not pass.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Reason {
    /// A policy denies it.
    Denied,
    /// An access list blocks the client.
    Blocked,
    /// The client is banned for a while.
    Banned,
    /// The store failed, and a policy then refuses.
    Undecided,
}

/// Problem details for the client.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it is there for the document alone")]
struct RefusalBody {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    message: String,
    /// The policies that deny the request.
    #[schema(required = false, nullable = false)]
    violated_policies: Option<Vec<String>>,
    /// The seconds for which the client is banned.
    #[schema(required = false, nullable = false)]
    banned_for: Option<u64>,
}

impl CheckAnswer {
    /// What a server is told of the admission of `request`.
    pub(super) fn of(
        request: &(impl Incoming + RequestHead),
        admission: &Admission,
        answers: &Answers,
    ) -> Self {
        let options = answers.fields;
        match admission {
            Admission::Passes(decision) => Self {
                allowed: true,
                id: decision.as_ref().and_then(Decision::receipt).map(ToString::to_string),
                policies: decision.as_ref().map(standings).unwrap_or_default(),
                headers: decision.as_ref().map(|it| fields_of(it, options)).unwrap_or_default(),
                refusal: None,
            },
            Admission::Refused(refused) => {
                let (reason, policies) = match refused {
                    Refused::Denied(decision) => (Reason::Denied, standings(decision)),
                    Refused::Blocked => (Reason::Blocked, Vec::new()),
                    Refused::Banned(_) => (Reason::Banned, Vec::new()),
                    Refused::Undecided(_) => (Reason::Undecided, Vec::new()),
                };
                let telling = answers.to(|| request.request_id());
                let Refusal { status, fields, body } = problem::refusal(request, refused, &telling);
                let content_type = fields.lines(ResponseField::ContentType).next();
                let content_type =
                    String::from_utf8_lossy(content_type.unwrap_or_default()).into_owned();
                let body = json_of(&body, &content_type);
                let refusal = Some(RefusalAnswer { reason, status, content_type, body });
                Self { allowed: false, id: None, policies, headers: named(fields), refusal }
            }
        }
    }
}

impl PolicyAnswer {
    fn of(policy: &Policy, standing: &Standing) -> Self {
        let (retry, retry_after_ms) = match standing.retry {
            Retry::Now => (RetryAnswer::Now, None),
            Retry::After(wait) => (RetryAnswer::After, Some(wait)),
            Retry::WhenFreed => (RetryAnswer::WhenFreed, None),
            Retry::Never => (RetryAnswer::Never, None),
        };
        let window = policy.has_quotas().then(|| policy.terms().window);
        Self {
            policy: policy.name().to_owned(),
            quota: policy.terms().units,
            unit: (!policy.has_quotas()).then_some(CONCURRENT_REQUESTS),
            window: window.and_then(Window::calendar).map(|calendar| calendar.unit().name()),
            window_seconds: window.and_then(Window::fixed).map(|length| length / 1_000),
            remaining: standing.remaining,
            reset_after_ms: standing.reset_after,
            retry,
            retry_after_ms,
        }
    }
}

/// Where the policies of `decision` stand.
pub(super) fn standings(decision: &Decision) -> Vec<PolicyAnswer> {
    decision.policies().map(|(policy, standing)| PolicyAnswer::of(policy, standing)).collect()
}

/// The header fields of `decision`.
pub(super) fn fields_of(decision: &Decision, options: FieldOptions) -> Fields {
    let mut fields = PlainFields::default();
    fields::write(&mut fields, decision, options);
    named(fields)
}

/// The fields by name. Whoever sends the body says its type.
fn named(fields: PlainFields) -> Fields {
    let fields = fields.into_iter().filter(|(field, _)| *field != ResponseField::ContentType);
    fields
        .map(|(field, value)| (field.name(), String::from_utf8_lossy(&value).into_owned()))
        .collect()
}

/// A body of this type as JSON: a text, unless it is JSON already.
fn json_of(body: &[u8], content_type: &str) -> Box<RawValue> {
    let text = String::from_utf8_lossy(body);
    let is_json = content_type.ends_with("json");
    let raw = if is_json { RawValue::from_string(text.to_string()).ok() } else { None };
    raw.or_else(|| serde_json::value::to_raw_value(&text).ok()).unwrap_or_default()
}
