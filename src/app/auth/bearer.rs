//! Tokens of callers that are no clients: operators, and servers that ask the gate.

use std::net::IpAddr;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use subtle::ConstantTimeEq as _;

use super::api_keys::KeyDigest;
use super::proofs::FAILURES;
use crate::domain::client::Client;
use crate::limiter::{Admission, Admitting, Failures, Limiter};

/// Why a token does not help its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenRefused {
    /// There is none, or nobody has it.
    Unknown,
    /// The peer has sent too many wrong tokens.
    TooManyFailures,
}

/// The role of the caller at `peer` that sends `token`, where `known` says who has which role. Wrong tokens are counted
/// under the policy of wrong credentials.
///
/// # Errors
/// When the token is not known, or the peer may not try any more.
pub(crate) async fn role_of<R: Copy>(
    known: &[(KeyDigest, R)],
    token: Option<&[u8]>,
    peer: Option<IpAddr>,
    limiter: &Limiter,
) -> Result<R, TokenRefused> {
    // Every snapshot has that policy.
    let policies = limiter.policies([FAILURES]).map_err(|_| TokenRefused::TooManyFailures)?;
    let failures = Failures::new(limiter.clone(), policies);
    let peer = peer.map_or_else(Client::unknown, Client::at);
    within_limit(failures.may_try(&peer)).await?;
    let digest = token.map(KeyDigest::of);
    let is =
        |known: &KeyDigest| digest.is_some_and(|sent| sent.bytes().ct_eq(known.bytes()).into());
    // All are compared, so that the time does not tell which one it is.
    let found = known.iter().map(|(known, role)| is(known).then_some(*role));
    let found = found.fold(None, Option::or);
    if found.is_none() && token.is_some() {
        within_limit(failures.charge(&peer)).await?;
    }
    found.ok_or(TokenRefused::Unknown)
}

/// Waits until the limiter has decided about an attempt.
///
/// # Errors
/// When it is refused.
async fn within_limit(admitting: Admitting) -> Result<(), TokenRefused> {
    match admitting.await {
        Admission::Passes(_) => Ok(()),
        Admission::Refused(_) => Err(TokenRefused::TooManyFailures),
    }
}

/// The token in `Authorization: Bearer TOKEN`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    bearer_of(headers.get(AUTHORIZATION)?.as_bytes())
}

/// The token in the value `Bearer TOKEN` of that field.
pub(crate) fn bearer_of(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}
