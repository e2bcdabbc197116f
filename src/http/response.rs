//! What is written into a response, whatever framework sends it.

use bytes::Bytes;
use smallvec::SmallVec;

/// The header fields that are written. A door keeps its framework's form of each name, so that no request
/// pays for parsing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseField {
    AccessControlExposeHeaders,
    #[cfg(feature = "server")]
    Allow,
    CacheControl,
    ContentType,
    RateLimit,
    RateLimitLimit,
    RateLimitPolicy,
    RateLimitRemaining,
    RateLimitReset,
    RetryAfter,
    Vary,
    #[cfg(feature = "server")]
    WwwAuthenticate,
    XRateLimitLimit,
    XRateLimitRemaining,
    XRateLimitReset,
}

impl ResponseField {
    /// The name, in lower case.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessControlExposeHeaders => "access-control-expose-headers",
            #[cfg(feature = "server")]
            Self::Allow => "allow",
            Self::CacheControl => "cache-control",
            Self::ContentType => "content-type",
            Self::RateLimit => "ratelimit",
            Self::RateLimitLimit => "ratelimit-limit",
            Self::RateLimitPolicy => "ratelimit-policy",
            Self::RateLimitRemaining => "ratelimit-remaining",
            Self::RateLimitReset => "ratelimit-reset",
            Self::RetryAfter => "retry-after",
            Self::Vary => "vary",
            #[cfg(feature = "server")]
            Self::WwwAuthenticate => "www-authenticate",
            Self::XRateLimitLimit => "x-ratelimit-limit",
            Self::XRateLimitRemaining => "x-ratelimit-remaining",
            Self::XRateLimitReset => "x-ratelimit-reset",
        }
    }
}

/// The header fields of a response, as a door hands out its framework's own.
pub(crate) trait ResponseFields {
    /// Adds a line.
    fn append(&mut self, field: ResponseField, value: Bytes);

    /// Puts one line in the place of those there are.
    fn set(&mut self, field: ResponseField, value: Bytes);

    /// The values of the lines there are, in their order.
    fn lines(&self, field: ResponseField) -> impl Iterator<Item = &[u8]>;
}

/// The most lines that a refusal has in one format besides that of draft 11, so that they need no allocation.
const MOST_LINES: usize = 9;

/// The header fields of a response that no framework has yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlainFields(SmallVec<[(ResponseField, Bytes); MOST_LINES]>);

impl ResponseFields for PlainFields {
    fn append(&mut self, field: ResponseField, value: Bytes) {
        self.0.push((field, value));
    }

    fn set(&mut self, field: ResponseField, value: Bytes) {
        self.0.retain(|(it, _)| *it != field);
        self.append(field, value);
    }

    fn lines(&self, field: ResponseField) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(move |(it, _)| *it == field).map(|(_, value)| &**value)
    }
}

impl IntoIterator for PlainFields {
    type Item = (ResponseField, Bytes);
    type IntoIter = smallvec::IntoIter<[(ResponseField, Bytes); MOST_LINES]>;

    /// The lines, in the order in which they were added.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::decision::Decision;
    use crate::domain::policy::Policy;
    use crate::domain::standing::{Retry, Standing};
    use crate::http::answers::Answers;
    use crate::http::fields::{FieldOptions, HeaderFormat, HeaderFormats};
    use crate::http::problem;
    use crate::http::request::tests::PlainRequest;
    use crate::limiter::Refused;

    #[test]
    fn the_lines_of_a_refusal_need_no_allocation() {
        let policy = Policy::new("default", "10/minute".parse().unwrap()).unwrap();
        let standing = Standing { remaining: 0, reset_after: 1, retry: Retry::After(1) };
        let denied = Decision::new(false, vec![Arc::new(policy)], vec![standing]);
        let send = HeaderFormats::new([HeaderFormat::Draft11, HeaderFormat::XRateLimit]).unwrap();
        let fields = FieldOptions { send, cors_expose: true, ..FieldOptions::default() };
        let telling = Answers { fields, refusals: None }.to(|| None);
        let refused = Refused::Denied(denied);
        let fields = problem::refusal(&PlainRequest::default(), &refused, &telling).fields;
        assert_eq!((fields.0.len(), fields.0.spilled()), (MOST_LINES, false));
    }

    #[test]
    fn a_line_that_is_set_stands_in_the_place_of_all() {
        let mut fields = PlainFields::default();
        for value in ["1", "2"] {
            fields.append(ResponseField::RateLimit, Bytes::from_static(value.as_bytes()));
            fields.append(ResponseField::XRateLimitReset, Bytes::from_static(value.as_bytes()));
        }
        fields.set(ResponseField::XRateLimitReset, Bytes::from_static(b"3"));
        assert_eq!(fields.lines(ResponseField::RateLimit).collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(fields.lines(ResponseField::XRateLimitReset).collect::<Vec<_>>(), [b"3"]);
        assert_eq!(fields.lines(ResponseField::RetryAfter).count(), 0);
    }
}
