//! The header fields of a decision: draft-ietf-httpapi-ratelimit-headers-11, Retry-After, and the
//! older `X-RateLimit-*`.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::algorithm::Algorithm;
use crate::domain::clock::{Millis, millis};
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
use crate::domain::scratch::scratch;
use crate::domain::standing::{Retry, Standing};
use crate::http::response::{ResponseField, ResponseFields};

/// The fields that scripts in browsers may read; the last three only if they are sent.
const EXPOSED: &[&str] = &[
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
];

/// The largest integer of a structured field: 15 digits (RFC 9651, section 3.3.1).
const LARGEST_INTEGER: u64 = 999_999_999_999_999;

/// Which fields are sent besides those of the draft.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldOptions {
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, of the policy that is closest to denying.
    pub(crate) legacy: bool,
    /// The fields' names in `Access-Control-Expose-Headers`, for scripts in browsers.
    pub(crate) cors_expose: bool,
}

/// Adds the fields of `decision` to a response. Fields of another limit stay.
pub(crate) fn write(
    response: &mut impl ResponseFields,
    decision: &Decision,
    options: FieldOptions,
) {
    if decision.policies().len() == 0 {
        return;
    }
    response.append(ResponseField::RateLimitPolicy, policies(decision));
    response.append(ResponseField::RateLimit, scratch(|list| standings(decision, list)));
    if options.legacy {
        write_legacy(response, decision);
    }
    expose(response, options);
}

/// Adds `Retry-After` to a response without one: whole seconds, rounded up, at least 1.
pub(crate) fn write_retry_after(response: &mut impl ResponseFields, wait: Duration) {
    response.append(ResponseField::RetryAfter, number(seconds_up(millis(wait)).max(1)));
}

/// Appends `number` to `text`, without the cost of a formatter.
pub(crate) fn push(text: &mut String, number: u64) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// The field `RateLimit-Policy` for sets of policies: a route has the same set every time.
type Said = Vec<(Vec<Arc<Policy>>, Bytes)>;

/// How many sets of policies a thread caches: as many as most apps have.
const MOST_SAID: usize = 16;

thread_local! {
    static SAID: RefCell<Said> = const { RefCell::new(Vec::new()) };
}

/// `"default";q=10;w=60`: each policy's quota and its window in seconds, or the requests that may be under way at once.
fn policies(decision: &Decision) -> Bytes {
    SAID.with_borrow_mut(|said| {
        let asked = decision.shared_policies();
        let is = |(policies, _): &&(Vec<Arc<Policy>>, _)| {
            policies.len() == asked.len()
                && policies.iter().zip(asked).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        if let Some((_, value)) = said.iter().find(is) {
            return value.clone();
        }
        let value = scratch(|list| serialized(asked, list));
        if said.len() == MOST_SAID {
            said.clear();
        }
        said.push((asked.to_vec(), value.clone()));
        value
    })
}

fn serialized(policies: &[Arc<Policy>], list: &mut String) -> Bytes {
    for policy in policies {
        let terms = policy.terms();
        begin_item(list, policy);
        parameter(list, ";q=", terms.units);
        if policy.algorithm() == Algorithm::InFlight {
            list.push_str(";qu=\"concurrent-requests\"");
            continue;
        }
        parameter(list, ";w=", terms.window / 1_000);
        if terms.burst != terms.units {
            parameter(list, ";tollgate-burst=", terms.burst);
        }
    }
    Bytes::copy_from_slice(list.as_bytes())
}

/// `"default";r=7;t=42`: the remaining units of every policy, and the seconds until its quota is whole again. For a
/// denied request, only the policies that deny it, with the seconds until they admit it.
fn standings(decision: &Decision, list: &mut String) -> Bytes {
    let mut item = |policy: &Policy, remaining: u64, wait: Option<Millis>| {
        begin_item(list, policy);
        parameter(list, ";r=", remaining);
        if let Some(wait) = wait {
            parameter(list, ";t=", seconds_up(wait));
        }
    };
    if decision.is_allowed() {
        for (policy, standing) in decision.policies() {
            let wait = Some(standing.reset_after).filter(|wait| *wait > 0);
            item(policy, standing.remaining, wait);
        }
    } else {
        for (policy, standing) in decision.violated() {
            let wait = match standing.retry {
                Retry::After(wait) => Some(wait),
                Retry::Now | Retry::WhenFreed | Retry::Never => None,
            };
            item(policy, standing.remaining, wait);
        }
    }
    Bytes::copy_from_slice(list.as_bytes())
}

/// Begins the next item of a structured list (RFC 9651, section 3.1) with the policy's label as a string. The label
/// has only letters, digits, `-`, `_`, `.` and `/`, which need no escapes. No two quotas of a request have the same.
fn begin_item(list: &mut String, policy: &Policy) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push('"');
    list.push_str(policy.label());
    list.push('"');
}

/// A parameter of the item at the end of `list`: the number, or the largest that a structured field
/// can carry.
fn parameter(list: &mut String, key: &str, number: u64) {
    list.push_str(key);
    push(list, number.min(LARGEST_INTEGER));
}

fn write_legacy(response: &mut impl ResponseFields, decision: &Decision) {
    let closest = |(policy, standing): &(&Policy, &Standing)| {
        (standing.retry == Retry::Now, standing.remaining, policy.quota().units())
    };
    if let Some((policy, standing)) = decision.policies().min_by_key(closest) {
        // Of two limits, one around the other, the closest to denying is told.
        let told = response.lines(ResponseField::XRateLimitRemaining).next();
        let told: Option<u64> = told.and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
        if told.is_some_and(|told| told <= standing.remaining) {
            return;
        }
        let wait = match standing.retry {
            Retry::After(wait) if !decision.is_allowed() => wait,
            _ => standing.reset_after,
        };
        for (field, told) in [
            (ResponseField::XRateLimitLimit, policy.quota().units()),
            (ResponseField::XRateLimitRemaining, standing.remaining),
            (ResponseField::XRateLimitReset, seconds_up(wait)),
        ] {
            response.set(field, number(told));
        }
    }
}

/// Lets scripts in browsers read the fields, if that is set. Fields that are exposed already stay so.
pub(crate) fn expose(response: &mut impl ResponseFields, options: FieldOptions) {
    if !options.cors_expose {
        return;
    }
    let sent = if options.legacy { EXPOSED } else { &EXPOSED[..3] };
    let is_exposed = |name: &str| {
        let lines = response.lines(ResponseField::AccessControlExposeHeaders);
        let mut exposed = lines.flat_map(|line| line.split(|byte| *byte == b','));
        exposed.any(|it| it.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    };
    let names: Vec<&str> = sent.iter().copied().filter(|name| !is_exposed(name)).collect();
    if !names.is_empty() {
        response.append(ResponseField::AccessControlExposeHeaders, names.join(", ").into());
    }
}

/// In one allocation.
fn number(number: u64) -> Bytes {
    Bytes::copy_from_slice(itoa::Buffer::new().format(number).as_bytes())
}

/// Rounded up, so that a client which waits this long is not early.
fn seconds_up(wait: Millis) -> u64 {
    wait.div_ceil(1_000)
}

#[cfg(test)]
mod tests;
