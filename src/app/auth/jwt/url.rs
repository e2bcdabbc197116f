//! The URL of a JWK Set.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use actix_web::http::Uri;

/// The URL of a JWK Set: `https://`, or `http://` on this machine alone. Anyone who can change the set on
/// its way could sign tokens for every user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JwksUrl {
    text: Box<str>,
    is_https: bool,
    is_on_this_machine: bool,
}

impl JwksUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn is_https(&self) -> bool {
        self.is_https
    }

    pub(super) fn is_on_this_machine(&self) -> bool {
        self.is_on_this_machine
    }
}

impl FromStr for JwksUrl {
    type Err = JwksUrlError;

    fn from_str(text: &str) -> Result<Self, JwksUrlError> {
        let uri: Uri = text.parse().map_err(|_| JwksUrlError::NotAUrl)?;
        let authority = uri.authority().ok_or(JwksUrlError::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(JwksUrlError::Credentials);
        }
        let is_on_this_machine = is_loopback(authority.host());
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_on_this_machine => false,
            Some("http") => return Err(JwksUrlError::Plain),
            _ => return Err(JwksUrlError::NotAUrl),
        };
        Ok(Self { text: text.into(), is_https, is_on_this_machine })
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A text is not the URL of a JWK Set. The error does not hold the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwksUrlError {
    /// It is no URL, or has another scheme.
    NotAUrl,
    /// It has a user or a password.
    Credentials,
    /// It is plain HTTP to another machine.
    Plain,
}

impl fmt::Display for JwksUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAUrl => "not the URL of a JWK Set: expected https://host/path",
            Self::Credentials => "a JWK Set is public: expected https://host/path without a user",
            Self::Plain => {
                "keys that come over plain HTTP could be anyone's: expected https://host/path \
                 (http:// only on this machine, as in http://127.0.0.1:8081/jwks.json)"
            }
        })
    }
}

impl std::error::Error for JwksUrlError {}

#[cfg(test)]
mod tests;
