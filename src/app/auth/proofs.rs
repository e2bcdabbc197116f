//! The ways in which a request may prove whose it is.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use bytes::Bytes;

use super::api_keys::ApiKeys;
use super::credential::Credential;
use super::jwt::{JwtVerifier, Unproved};
use crate::http::{ClientIp, User};

/// The name of the policy that wrong credentials are charged under.
pub(crate) const FAILURES: &str = "auth-failures";

/// The ways in which a request may prove whose it is; none of them by default.
#[derive(Debug)]
pub(crate) struct Proofs {
    /// The API keys; `None` where API keys prove nothing.
    pub(crate) api_keys: Option<ApiKeys>,
    /// The field that API keys are sent in; `None` where that is `Authorization`.
    pub(crate) api_key_header: Option<HeaderName>,
    /// Verifies tokens; `None` where tokens prove nothing.
    pub(crate) jwt: Option<Arc<JwtVerifier>>,
    /// The field in which trusted proxies name the user.
    pub(crate) user_header: Option<HeaderName>,
    /// For the app: says which proxies are trusted, and which address wrong credentials are charged to.
    pub(crate) client_ip: ClientIp,
}

impl Proofs {
    /// Whether there is any such way.
    pub(crate) fn is_any(&self) -> bool {
        self.api_keys.is_some() || self.jwt.is_some() || self.user_header.is_some()
    }

    /// The credential in `headers`, if there is one.
    pub(super) fn credential<'a>(&self, headers: &'a HeaderMap) -> Option<Credential<'a>> {
        Credential::find(headers, self.api_key_header.as_ref(), self.reads_authorization())
    }

    /// Whether `Authorization` is read. Where nothing here would take it, it belongs to the app behind.
    fn reads_authorization(&self) -> bool {
        self.jwt.is_some() || self.api_keys.is_some() && self.api_key_header.is_none()
    }

    /// What a client that sent wrong credentials is told to send.
    pub(super) fn challenge(&self) -> Bytes {
        match &self.api_key_header {
            Some(name) if !self.reads_authorization() => format!("ApiKey header=\"{name}\"").into(),
            _ => Bytes::from_static(b"Bearer realm=\"tollgate\", error=\"invalid_token\""),
        }
    }

    /// The user that a trusted proxy of `client_ip` names. What others send in that field is ignored.
    ///
    /// # Errors
    /// When the field is there more than once: one of them may be the client's own.
    pub(super) fn upstream_user(
        &self,
        request: &HttpRequest,
        client_ip: &ClientIp,
    ) -> Result<Option<User>, Unproved> {
        let Some(name) = &self.user_header else { return Ok(None) };
        let mut lines = request.headers().get_all(name);
        let Some(line) = lines.next() else { return Ok(None) };
        if !client_ip.is_from_trusted_proxy(request) {
            return Ok(None);
        }
        if lines.next().is_some() {
            return Err(Unproved::Wrong("the upstream names several users"));
        }
        Ok(Some(line).filter(|line| !line.is_empty()).map(|line| User::new(line.as_bytes())))
    }

    /// The user that `credential` belongs to.
    ///
    /// # Errors
    /// When it is wrong, or cannot be verified at the moment.
    pub(super) fn user_of(&self, credential: Credential<'_>) -> Result<User, Unproved> {
        let key_of = |key| self.api_keys.as_ref().and_then(|keys| keys.user_of(key)).cloned();
        match credential {
            Credential::Key(key) => key_of(key).ok_or(Unproved::Wrong("no such API key")),
            Credential::Bearer(token) => {
                let may_be_api_key = self.api_key_header.is_none();
                if let Some(user) = Some(token).filter(|_| may_be_api_key).and_then(key_of) {
                    return Ok(user);
                }
                match &self.jwt {
                    Some(jwt) => jwt.user_of(token),
                    None => Err(Unproved::Wrong("no such API key")),
                }
            }
            Credential::Unreadable(why) => Err(Unproved::Wrong(why)),
        }
    }
}
