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
use actix_web::http::header::{
    AUTHORIZATION, HOST, HeaderMap, HeaderValue, ORIGIN, WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use subtle::ConstantTimeEq as _;

use super::refused::refused;
use crate::app::assemble::CurrentSnapshot;
use crate::app::auth::{FAILURES, KeyDigest};
use crate::app::operators::page;
use crate::domain::client::Client;
use crate::limiter::{Admission, Admitting, Failures};

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
        let (full, read) = (snapshot.admin_token, snapshot.admin_read_token);
        if full.is_none() && read.is_none() {
            return Ok(May::Change);
        }
        let failures = snapshot
            .limiter
            .policies([FAILURES])
            .map(|policies| Failures::new(snapshot.limiter.clone(), policies))
            .map_err(|_| HttpResponse::InternalServerError().finish())?;
        let peer = request.peer_addr().map_or_else(Client::unknown, |peer| Client::at(peer.ip()));
        within_failures(failures.may_try(&peer)).await?;
        let token = bearer(request.headers());
        let digest = token.map(KeyDigest::of);
        let is = |known: Option<KeyDigest>| {
            let both = digest.zip(known);
            both.is_some_and(|(sent, known)| sent.bytes().ct_eq(known.bytes()).into())
        };
        match (is(full), is(read)) {
            (true, _) => Ok(May::Change),
            (_, true) => Ok(May::Read),
            _ => {
                if token.is_some() {
                    within_failures(failures.charge(&peer)).await?;
                }
                let why = "A token is needed: Authorization: Bearer TOKEN.";
                let mut response = refused(StatusCode::UNAUTHORIZED, "Unauthorized", why);
                let challenge = HeaderValue::from_static("Bearer realm=\"tollgate-admin\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                Err(response)
            }
        }
    }
}

/// Waits until the limiter has decided about an attempt.
///
/// # Errors
/// With the response to one that is refused.
async fn within_failures(admitting: Admitting) -> Result<(), HttpResponse> {
    match admitting.await {
        Admission::Passes(_) => Ok(()),
        Admission::Refused(_) => {
            let why = "Too many wrong tokens. Please try again later.";
            Err(refused(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", why))
        }
    }
}

/// Whether a browser sends it for a page that is not this listener's own.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    !matches!((origin, own), (Some((_, host)), Some(own)) if host.eq_ignore_ascii_case(own))
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}
