//! Who may ask the operators' listener what.
//!
//! * `/ready` and `/healthz` are for everybody, because probes have no token. So are the files of the page, which ask
//!   for it.
//! * Where a token is configured, all else needs it. The token that only reads may not change anything.
//! * A request of a web page, which names its origin, is refused. So a page that an operator's browser shows cannot act
//!   in the operator's name.
//! * Wrong tokens are counted under the policy of wrong credentials.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HOST, HeaderMap, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};

use super::refused::refused;
use crate::app::assemble::CurrentSnapshot;
use crate::app::auth::{TokenRefused, bearer, role_of};
use crate::app::operators::page;

/// What a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    Read,
    Change,
}

/// Refuses requests that may not ask what they ask.
#[derive(Clone, Debug)]
pub(in crate::app::operators) struct Guard {
    snapshot: CurrentSnapshot,
}

impl Guard {
    pub(in crate::app::operators) fn new(snapshot: CurrentSnapshot) -> Self {
        Self { snapshot }
    }

    /// Decides about a request.
    ///
    /// # Errors
    /// With the response to a request that is refused.
    pub(in crate::app::operators) async fn admit(
        &self,
        request: &ServiceRequest,
    ) -> Result<(), HttpResponse> {
        let path = request.path();
        if matches!(path, "/ready" | "/healthz") || page::is_at(path) {
            return Ok(());
        }
        if is_of_a_page(request.headers()) {
            let why = "Web pages of other origins may not ask here.";
            return Err(refused(StatusCode::FORBIDDEN, "Forbidden", why));
        }
        let may = self.authenticate(request).await?;
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if may == May::Read && !is_read {
            let why = "This token may only read.";
            return Err(refused(StatusCode::FORBIDDEN, "Forbidden", why));
        }
        Ok(())
    }

    async fn authenticate(&self, request: &ServiceRequest) -> Result<May, HttpResponse> {
        let snapshot = Arc::clone(&self.snapshot.load());
        let full = snapshot.admin_token.map(|token| (token, May::Change));
        let read = snapshot.admin_read_token.map(|token| (token, May::Read));
        let known: Vec<_> = full.into_iter().chain(read).collect();
        if known.is_empty() {
            return Ok(May::Change);
        }
        let (token, peer) = (bearer(request.headers()), request.peer_addr().map(|it| it.ip()));
        role_of(&known, token, peer, &snapshot.limiter).await.map_err(|why| match why {
            TokenRefused::TooManyFailures => {
                let why = "Too many wrong tokens. Please try again later.";
                refused(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", why)
            }
            TokenRefused::Unknown => {
                let why = "A token is needed: Authorization: Bearer TOKEN.";
                let mut response = refused(StatusCode::UNAUTHORIZED, "Unauthorized", why);
                let challenge = HeaderValue::from_static("Bearer realm=\"tollgate-admin\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                response
            }
        })
    }
}

/// Whether a browser sends it for a page that is not this listener's own.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    !matches!((origin, own), (Some((_, host)), Some(own)) if host.eq_ignore_ascii_case(own))
}
