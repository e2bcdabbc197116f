//! Who may ask the gate.
//!
//! * `/healthz` and `/openapi.json` are for everybody: probes have no token, and the document has no secrets.
//! * Where a token is configured, all else needs it.
//! * A proxy that asks by forward-auth passes on the fields of its client, `Authorization` and `Origin` among them. So
//!   its token has a field of its own, and the origin is the client's.
//! * All other requests that name an origin come from web pages, and are refused.
//! * Wrong tokens are counted under the policy of wrong credentials.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};

use super::problem::Problem;
use crate::app::assemble::CurrentSnapshot;
use crate::app::auth::{TokenRefused, bearer, role_of};

/// The field of a token, instead of `Authorization`.
const TOKEN: HeaderName = HeaderName::from_static("x-tollgate-token");

/// Decides whether a request may ask what it asks.
///
/// # Errors
/// With the response to a request that is refused.
pub(crate) async fn admit(
    request: &ServiceRequest,
    snapshot: &CurrentSnapshot,
) -> Result<(), HttpResponse> {
    // Decoded, as it is routed.
    let path = request.match_info().as_str();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read && matches!(path, "/healthz" | "/openapi.json") {
        return Ok(());
    }
    let is_of_proxy = path == "/v1/auth" || path.starts_with("/v1/auth/");
    if !is_of_proxy && request.headers().contains_key(ORIGIN) {
        let why = "Web pages may not ask here.";
        return Err(Problem::new(StatusCode::FORBIDDEN, why).into());
    }
    let snapshot = Arc::clone(&snapshot.load());
    let Some(known) = snapshot.gate_token else { return Ok(()) };
    let token = match own_token(request.headers()) {
        None if !is_of_proxy => bearer(request.headers()),
        token => token,
    };
    let peer = request.peer_addr().map(|peer| peer.ip());
    role_of(&[(known, ())], token, peer, &snapshot.limiter).await.map_err(|why| match why {
        TokenRefused::TooManyFailures => {
            let why = "Too many wrong tokens. Please try again later.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, why).into()
        }
        TokenRefused::Unknown => {
            let why = match is_of_proxy {
                true => "A token is needed: X-Tollgate-Token: TOKEN.",
                false => "A token is needed: Authorization: Bearer TOKEN.",
            };
            let mut response = HttpResponse::from(Problem::new(StatusCode::UNAUTHORIZED, why));
            let challenge = HeaderValue::from_static("Bearer realm=\"tollgate-gate\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        }
    })
}

/// The token in the field of its own. Several are none: nothing says which one is meant.
fn own_token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut lines = headers.get_all(TOKEN);
    let first = lines.next()?;
    Some(if lines.next().is_some() { b"" } else { first.as_bytes() })
}
