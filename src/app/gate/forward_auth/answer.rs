//! What a proxy is told.
//!
//! A refusal is the response that the client is to get, with its status, fields and body. nginx takes only 401 and 403
//! for refusals, and drops bodies. So it gets the status and the body in header fields as well.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use bytes::Bytes;

use super::proxy::Proxy;
use crate::domain::decision::Decision;
use crate::http::fields;
use crate::http::fields::FieldOptions;
use crate::http::problem::Refusal;

/// The status that the client of nginx is to get.
const STATUS: HeaderName = HeaderName::from_static("x-tollgate-status");

/// The body that the client of nginx is to get, in one line.
const BODY: HeaderName = HeaderName::from_static("x-tollgate-body");

/// The longest body that is put into a field, in bytes. Longer fields may not fit into a buffer of nginx, which then
/// takes the gate for down.
const MOST_BODY: usize = 8 * 1_024;

/// The request passes, and the client is told where its policies stand.
pub(super) fn passes(decision: Option<&Decision>, options: FieldOptions) -> HttpResponse {
    let mut response = HttpResponse::Ok().finish();
    // A proxy that caches would let requests pass uncounted.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(decision) = decision {
        fields::write(response.headers_mut(), decision, options);
    }
    response
}

/// The client is refused.
pub(super) fn refuses(proxy: Proxy, refusal: Refusal) -> HttpResponse {
    if !proxy.hides_refusals() {
        return refusal.into();
    }
    let (status, body) = (refusal.status, refusal.body.clone());
    let mut response = HttpResponse::from(refusal);
    response.headers_mut().insert(STATUS, status.into());
    if body.len() <= MOST_BODY
        && let Ok(body) = HeaderValue::from_maybe_shared(in_one_line(body))
    {
        response.headers_mut().insert(BODY, body);
    }
    if response.status() != StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

/// `body` as a header field can carry it: with spaces for line breaks and tabs, which JSON and HTML read alike.
fn in_one_line(body: Bytes) -> Bytes {
    let is_break = |byte: &u8| b"\r\n\t".contains(byte);
    if !body.iter().any(is_break) {
        return body;
    }
    body.trim_ascii_end().iter().map(|byte| if is_break(byte) { b' ' } else { *byte }).collect()
}
