//! Statuses of gRPC: a status in the header fields of a response without a body, which the protocol calls
//! trailers-only. So requests are refused, and so a service says that it failed.
//!
//! Source: the protocol's [mapping to HTTP/2][http2], its [status codes][codes], [those of HTTP][mapped] that they stand
//! for, and [`grpc-retry-pushback-ms`][retry], by which a server tells when to try again.
//!
//! [mapped]: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
//! [http2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
//! [codes]: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
//! [retry]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body;

use super::body::ResponseBody;
use crate::domain::clock::millis;
use crate::domain::standing::Retry;
use crate::http::fields::{self, FieldOptions};
use crate::limiter::Refused;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_RETRY_PUSHBACK_MS: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// Whether a request with these `headers` is one of gRPC, over whatever encoding of its messages.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| rest.first().is_none_or(|next| b"+;".contains(next)))
}

/// The status of HTTP for which that of a trailers-only response with these `headers` stands. `None` for all others:
/// what comes in trailers after a body is not known in time.
pub(super) fn http_status(headers: &HeaderMap) -> Option<u16> {
    let status = headers.get(GRPC_STATUS).filter(|_| is_grpc(headers))?;
    Some(match status.to_str().ok()?.parse().ok()? {
        0_u16 => 200,      // OK
        1 => 499,          // CANCELLED
        3 | 9 | 11 => 400, // INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE
        4 => 504,          // DEADLINE_EXCEEDED
        5 => 404,          // NOT_FOUND
        6 | 10 => 409,     // ALREADY_EXISTS, ABORTED
        7 => 403,          // PERMISSION_DENIED
        8 => 429,          // RESOURCE_EXHAUSTED
        12 => 501,         // UNIMPLEMENTED
        14 => 503,         // UNAVAILABLE
        16 => 401,         // UNAUTHENTICATED
        _ => 500,          // UNKNOWN, INTERNAL, DATA_LOSS, and what is none
    })
}

/// The response to a request that the limiter `refused`.
pub(super) fn response<B: Body>(
    refused: &Refused,
    options: FieldOptions,
) -> Response<ResponseBody<B>> {
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let (status, message) = match refused {
        Refused::Denied(decision) => {
            let stretch = options.stretch();
            fields::write_stretched(headers, decision, options, stretch);
            if let Some(wait) = decision.retry_after().map(|wait| stretch.of_duration(wait)) {
                fields::write_retry_after(headers, wait);
                headers.insert(GRPC_RETRY_PUSHBACK_MS, HeaderValue::from(millis(wait)));
            } else if decision.violated().any(|(_, it)| it.retry == Retry::Never) {
                // Negative: never.
                headers.insert(GRPC_RETRY_PUSHBACK_MS, HeaderValue::from_static("-1"));
            }
            ("8", "Quota Exceeded") // RESOURCE_EXHAUSTED
        }
        Refused::Blocked => ("7", "Forbidden"), // PERMISSION_DENIED
        Refused::Banned(banned) => {
            let wait = banned.ends_after();
            fields::write_retry_after(headers, wait);
            headers.insert(GRPC_RETRY_PUSHBACK_MS, HeaderValue::from(millis(wait)));
            ("7", "Client Banned")
        }
        Refused::Undecided(_) => ("14", "Temporary Reduced Capacity"), // UNAVAILABLE
    };
    headers.insert(GRPC_STATUS, HeaderValue::from_static(status));
    headers.insert(GRPC_MESSAGE, HeaderValue::from_static(message));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(content_type: &'static str, status: &'static str) -> Option<u16> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(GRPC_STATUS, HeaderValue::from_static(status));
        http_status(&headers)
    }

    #[test]
    fn a_failure_without_a_body_stands_for_a_status_of_http() {
        let expected =
            [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
        let codes = [
            "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15",
            "16",
        ];
        for (code, status) in codes.into_iter().zip(expected) {
            assert_eq!(status_of("application/grpc+proto", code), Some(status), "{code}");
        }
        assert_eq!(status_of("application/grpc", "99"), Some(500));
        assert_eq!(status_of("application/grpc", "none"), None);
        assert_eq!(status_of("application/json", "16"), None);
        assert_eq!(http_status(&HeaderMap::new()), None);
    }
}
