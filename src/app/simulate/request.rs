//! A request of a log, as the limiter and the search for its client's address see it.

use std::borrow::Cow;
use std::net::IpAddr;

use actix_web::dev::Url;

use crate::app::access_log::LoggedRequest;
use crate::domain::client::Client;
use crate::http::identity::client;
use crate::http::preflight::is_preflight;
use crate::http::{RequestHead, User};
use crate::limiter::Incoming;

/// A request of a log, from `address` and perhaps of a user.
pub(in crate::app) struct Replayed<'a> {
    request: &'a LoggedRequest,
    path: Cow<'a, str>,
    pub(super) address: Option<IpAddr>,
    pub(super) user: Option<User>,
}

impl<'a> Replayed<'a> {
    pub(super) fn new(
        request: &'a LoggedRequest,
        address: Option<IpAddr>,
        user: Option<User>,
    ) -> Self {
        Self { request, path: path(request.target()), address, user }
    }
}

impl Replayed<'_> {
    fn query(&self) -> Option<&str> {
        let target = str::from_utf8(self.request.target()).ok()?;
        target.split_once('?').map(|(_, query)| query)
    }

    fn host(&self) -> Option<&str> {
        str::from_utf8(self.request.field("host")?).ok()
    }
}

impl Incoming for Replayed<'_> {
    fn door(&self) -> &'static str {
        "simulate"
    }

    fn method(&self) -> &str {
        str::from_utf8(self.request.method()).unwrap_or_default()
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn settles(&self) -> bool {
        self.request.status().is_some()
    }

    fn is_preflight(&self) -> bool {
        is_preflight(self.method(), |name| self.request.field(name).is_some())
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        let headers = |name: &str| self.request.field(name).map(Cow::Borrowed);
        let client = client(self.address, self.user.as_ref()).with_headers(&headers);
        let client = match self.query() {
            Some(query) => client.with_query(query),
            None => client,
        };
        ask(&match self.host() {
            Some(host) => client.with_host(host),
            None => client,
        })
    }
}

/// The head of a request, as a log has it.
pub(super) struct Head<'a>(pub(super) &'a LoggedRequest);

impl RequestHead for Head<'_> {
    fn peer(&self) -> Option<IpAddr> {
        self.0.peer()
    }

    fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.0.field(name).into_iter()
    }
}

/// The path of `target`, decoded as the router of the server decodes it. It is empty if no server would take the
/// target.
fn path(target: &[u8]) -> Cow<'_, str> {
    let Ok(text) = str::from_utf8(target) else { return Cow::Borrowed("") };
    let path = text.split_once('?').map_or(text, |(path, _)| path);
    if path.starts_with('/') && path.bytes().all(is_plain) {
        return Cow::Borrowed(path);
    }
    match text.parse() {
        Ok(uri) => Cow::Owned(Url::new(uri).path().to_owned()),
        Err(_) => Cow::Borrowed(""),
    }
}

/// Whether the router leaves such a byte as it is, and any server takes it.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_as_the_router_decodes_it() {
        for (target, expected) in [
            ("/api/data?x=/y", "/api/data"),
            ("/api/d%61ta", "/api/data"),
            ("/a%2Fb", "/a%2Fb"),
            ("/caf%C3%A9", "/café"),
            ("http://example.org/api?x", "/api"),
            ("", ""),
            ("*", "*"),
            ("\\x16\\x03", ""),
        ] {
            assert_eq!(path(target.as_bytes()), expected, "{target}");
        }
        assert_eq!(path(b"/\xff"), "");
    }
}
