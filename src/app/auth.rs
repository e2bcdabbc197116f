//! Who is asking, proved: by an API key, a token, or the word of a trusted upstream.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderName;
use bytes::Bytes;

pub(crate) use self::api_keys::NewKey;
pub use self::api_keys::{ApiKeys, KeyDigest, KeyDigestError};
pub(crate) use self::authenticate::Authenticate;
use self::credential::Credential;
use self::jwt::Unproved;
pub use self::jwt::{
    Jwks, JwksUrl, JwksUrlError, JwtAlgorithm, JwtAlgorithmError, JwtKeys, JwtRules,
};
pub(crate) use self::jwt::{Jwt, check_keys};
pub use self::secret::Secret;
use crate::http::{ClientIp, User};

mod api_keys;
mod authenticate;
mod credential;
mod jwt;
mod secret;

/// The name of the policy that wrong credentials are charged under.
pub(crate) const FAILURES: &str = "auth-failures";

/// The ways in which a request may prove whose it is; none of them by default.
#[derive(Debug)]
pub(crate) struct Proofs {
    /// The keys there are; none where keys prove nothing.
    pub(crate) api_keys: Option<ApiKeys>,
    /// The field that keys are sent in; none where that is `Authorization`.
    pub(crate) api_key_header: Option<HeaderName>,
    /// What tokens must be; none where they prove nothing.
    pub(crate) jwt: Option<Jwt>,
    /// The field in which trusted proxies say who the user is.
    pub(crate) user_header: Option<HeaderName>,
    /// Which proxies are trusted, and whom wrong credentials are charged to.
    pub(crate) client_ip: ClientIp,
}

impl Proofs {
    /// Whether there is any way.
    pub(crate) fn is_any(&self) -> bool {
        self.api_keys.is_some() || self.jwt.is_some() || self.user_header.is_some()
    }

    /// Whether `Authorization` is read. Where nothing would take it, it is the app's own matter.
    fn reads_authorization(&self) -> bool {
        self.jwt.is_some() || self.api_keys.is_some() && self.api_key_header.is_none()
    }

    /// What a client that sent wrong credentials is told to send.
    fn challenge(&self) -> Bytes {
        match &self.api_key_header {
            Some(name) if !self.reads_authorization() => format!("ApiKey header=\"{name}\"").into(),
            _ => Bytes::from_static(b"Bearer realm=\"tollgate\", error=\"invalid_token\""),
        }
    }

    /// The user that a trusted proxy says it is; nobody else is asked, let alone believed.
    ///
    /// # Errors
    /// When it says several: one of them is the client's own.
    fn upstream_user(&self, request: &ServiceRequest) -> Result<Option<User>, Unproved> {
        let Some(name) = &self.user_header else { return Ok(None) };
        let mut lines = request.headers().get_all(name);
        let Some(line) = lines.next() else { return Ok(None) };
        if !self.client_ip.is_from_trusted_proxy(request) {
            return Ok(None);
        }
        if lines.next().is_some() {
            return Err(Unproved::Wrong("the upstream names several users"));
        }
        Ok(Some(line).filter(|line| !line.is_empty()).map(|line| User::new(line.as_bytes())))
    }

    /// Whose `credential` is.
    ///
    /// # Errors
    /// When it is nobody's, or cannot be told at the moment.
    fn user_of(&self, credential: Credential<'_>) -> Result<User, Unproved> {
        let key_of = |key| self.api_keys.as_ref().and_then(|keys| keys.user_of(key)).cloned();
        match credential {
            Credential::Key(key) => key_of(key).ok_or(Unproved::Wrong("no API key is like it")),
            Credential::Bearer(token) => {
                let keys_come_so = self.api_key_header.is_none();
                if let Some(user) = Some(token).filter(|_| keys_come_so).and_then(key_of) {
                    return Ok(user);
                }
                match &self.jwt {
                    Some(jwt) => jwt.user_of(token),
                    None => Err(Unproved::Wrong("no API key is like it")),
                }
            }
            Credential::Unreadable(why) => Err(Unproved::Wrong(why)),
        }
    }
}
