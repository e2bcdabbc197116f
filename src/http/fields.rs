//! The header fields of a decision: draft-ietf-httpapi-ratelimit-headers, in several of its versions, Retry-After, and
//! `X-RateLimit-*`.

use std::time::Duration;

pub(crate) use self::format::HeaderFormats;
pub use self::format::{HeaderFormat, HeaderFormatError, XRateLimitReset};
pub(crate) use self::options::FieldOptions;
#[cfg(feature = "server")]
pub(crate) use self::policy_list::CONCURRENT_REQUESTS;
use self::policy_list::{Syntax, policies};
pub(crate) use self::stretch::Stretch;
pub(crate) use self::text::{push, seconds_up};
use crate::domain::clock::millis;
use crate::domain::decision::Decision;
use crate::domain::scratch::scratch;
use crate::http::response::{ResponseField, ResponseFields};

mod closest;
mod draft_11;
mod format;
mod options;
mod policy_list;
mod stretch;
mod text;

/// The fields that scripts in browsers may read, each with the formats that have it.
const EXPOSED: [(&str, &[HeaderFormat]); 9] = [
    ("RateLimit", &[HeaderFormat::Draft11, HeaderFormat::Draft7]),
    ("RateLimit-Policy", &[HeaderFormat::Draft11, HeaderFormat::Draft7]),
    ("Retry-After", &[]),
    ("RateLimit-Limit", &[HeaderFormat::Draft6]),
    ("RateLimit-Remaining", &[HeaderFormat::Draft6]),
    ("RateLimit-Reset", &[HeaderFormat::Draft6]),
    ("X-RateLimit-Limit", &[HeaderFormat::XRateLimit]),
    ("X-RateLimit-Remaining", &[HeaderFormat::XRateLimit]),
    ("X-RateLimit-Reset", &[HeaderFormat::XRateLimit]),
];

/// Adds the fields of `decision` to a response. Fields of another limit stay.
pub(crate) fn write(
    response: &mut impl ResponseFields,
    decision: &Decision,
    options: FieldOptions,
) {
    write_stretched(response, decision, options, Stretch::NONE);
}

/// Adds the fields of `decision` to a response. If it is a denial, its waits are longer by `stretch`.
pub(crate) fn write_stretched(
    response: &mut impl ResponseFields,
    decision: &Decision,
    options: FieldOptions,
    stretch: Stretch,
) {
    if decision.policies().len() == 0 {
        return;
    }
    let send = options.send;
    if send.has(HeaderFormat::Draft11) {
        response.append(ResponseField::RateLimitPolicy, policies(decision, Syntax::Draft11));
        let standings = scratch(|list| draft_11::standings(decision, stretch, list));
        response.append(ResponseField::RateLimit, standings);
    }
    if send.has(HeaderFormat::Draft7) {
        let policies = policies(decision, Syntax::Draft7);
        // It has nothing to say of requests under way, nor of windows by the calendar.
        if !policies.is_empty() {
            response.append(ResponseField::RateLimitPolicy, policies);
        }
    }
    if send != HeaderFormats::default() {
        closest::write(response, decision, options, stretch);
    }
    expose(response, options);
}

/// Adds `Retry-After` to a response without one: whole seconds, rounded up, at least 1.
pub(crate) fn write_retry_after(response: &mut impl ResponseFields, wait: Duration) {
    response.append(ResponseField::RetryAfter, text::number(seconds_up(millis(wait)).max(1)));
}

/// Lets scripts in browsers read the fields, if that is set. Fields that are exposed already stay so.
pub(crate) fn expose(response: &mut impl ResponseFields, options: FieldOptions) {
    if !options.cors_expose {
        return;
    }
    let is_sent = |formats: &[HeaderFormat]| {
        formats.is_empty() || formats.iter().any(|format| options.send.has(*format))
    };
    let is_exposed = |name: &str| {
        let lines = response.lines(ResponseField::AccessControlExposeHeaders);
        let mut exposed = lines.flat_map(|line| line.split(|byte| *byte == b','));
        exposed.any(|it| it.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    };
    let sent = EXPOSED.iter().filter(|(_, formats)| is_sent(formats)).map(|(name, _)| *name);
    let names: Vec<&str> = sent.filter(|name| !is_exposed(name)).collect();
    if !names.is_empty() {
        response.append(ResponseField::AccessControlExposeHeaders, names.join(", ").into());
    }
}

#[cfg(test)]
mod tests;
