//! The request that a proxy asks about: a [`Question`].

use std::borrow::Cow;
use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::Method;

use super::mistake::{Fault, Field, Mistake};
use super::proxy::{Described, Proxy};
use crate::actix::adapter::decoded_path;
use crate::app::assemble::Snapshot;
use crate::app::observation::FORWARD_AUTH;
use crate::domain::client::Client;
use crate::http::identity::{User, client};
use crate::http::preflight::is_preflight;
use crate::http::request::{RequestHead as _, authority, whole_value};
use crate::http::request_id::request_id;
use crate::limiter::Incoming;

const METHOD: &str = "x-forwarded-method";
const URI: &str = "x-forwarded-uri";
const HOST: &str = "x-forwarded-host";

/// The request of a client, as the proxy that received it describes it.
pub(super) struct Question<'a> {
    pub(super) proxy: Proxy,
    /// The request of the proxy, with the header fields of the client.
    request: &'a HttpRequest,
    snapshot: &'a Snapshot,
    method: &'a str,
    path: Cow<'a, str>,
    query: Option<&'a str>,
    host: Option<&'a str>,
    address: Option<IpAddr>,
    user: Option<User>,
}

impl<'a> Question<'a> {
    /// Reads what a proxy says in `request`, whose path continues with `rest` after that of the endpoint.
    ///
    /// # Errors
    /// When the peer may not ask, or nothing says which proxy asks, or about what. Nothing is guessed.
    pub(super) fn read(
        request: &'a HttpRequest,
        snapshot: &'a Snapshot,
        rest: &'a str,
    ) -> Result<Self, Mistake> {
        let client_ip = &snapshot.gate_client_ip;
        // If the peer is not trusted, this warns once that its field is not read.
        let address = client_ip.address(request);
        if !client_ip.is_from_trusted_proxy(request) {
            return Err(Mistake::Peer);
        }
        let proxy = proxy_of(request, rest)?;
        let (method, path, query, host) = match proxy.describes() {
            Described::InFields => (
                method(request).map_err(|it| Mistake::Field(Field::Method, it))?,
                path(request).map_err(|it| Mistake::Field(Field::Uri, it))?.into(),
                only_line(request, URI).ok().and_then(query),
                // The proxy's own, since it was seen that a proxy asks. It may leave the field out.
                only_line(request, HOST).ok(),
            ),
            Described::InTheRequest if rest.is_empty() => return Err(Mistake::NoPath),
            Described::InTheRequest => (
                request.method().as_str(),
                rest.into(),
                request.uri().query(),
                authority(None, request.lines("host")),
            ),
        };
        if !client_ip.is_told(request) {
            let is_there = request.lines(client_ip.header_name()).next().is_some();
            let fault = if is_there { Fault::Malformed } else { Fault::Missing };
            return Err(Mistake::Field(Field::Address, fault));
        }
        Ok(Self { proxy, request, snapshot, method, path, query, host, address, user: None })
    }

    /// The same, asked as `user`.
    pub(super) fn of(self, user: Option<User>) -> Self {
        Self { user, ..self }
    }
}

impl Incoming for Question<'_> {
    /// The server or the proxy that asks does not say when the request ends, or says it later.
    fn holds_slots(&self) -> bool {
        false
    }

    fn door(&self) -> &'static str {
        FORWARD_AUTH
    }

    fn method(&self) -> &str {
        self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn is_preflight(&self) -> bool {
        is_preflight(self.method, |name| self.request.lines(name).next().is_some())
    }

    fn request_id(&self) -> Option<Cow<'_, str>> {
        let name = self.snapshot.request_id_header.as_ref()?;
        let id = request_id(self.request, name.as_str(), &self.snapshot.gate_client_ip);
        id.map(Cow::Borrowed)
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        let headers = |name: &str| whole_value(name, self.request.lines(name));
        let client = client(self.address, self.user.as_ref()).with_headers(&headers);
        let client = self.query.map_or(client, |query| client.with_query(query));
        ask(&self.host.map_or(client, |host| client.with_host(host)))
    }
}

/// The proxy that sends `request`, whose path continues with `rest` after that of the endpoint.
///
/// Only Envoy appends a path, that of its client's request. The query is then the client's as well, so a proxy that it
/// names does not count.
fn proxy_of(request: &HttpRequest, rest: &str) -> Result<Proxy, Mistake> {
    let named = Proxy::named(request.query_string());
    match rest {
        "" => named.ok_or(Mistake::Proxy),
        // A slash too many in the settings of another proxy would have all its requests counted as "/".
        "/" if named.is_some_and(|it| it != Proxy::Envoy) => Err(Mistake::Slash),
        _ => Ok(Proxy::Envoy),
    }
}

/// The method in its field.
fn method(request: &HttpRequest) -> Result<&str, Fault> {
    let method = only_line(request, METHOD)?;
    Method::from_bytes(method.as_bytes()).map_err(|_| Fault::Malformed)?;
    Ok(method)
}

/// The path of the URI in its field, decoded.
fn path(request: &HttpRequest) -> Result<String, Fault> {
    decoded_path(only_line(request, URI)?).ok_or(Fault::Malformed)
}

/// The query of a URI. What follows `#` is no part of it.
fn query(uri: &str) -> Option<&str> {
    let (uri, _) = uri.split_once('#').unwrap_or((uri, ""));
    uri.split_once('?').map(|(_, query)| query)
}

fn only_line<'a>(request: &'a HttpRequest, name: &str) -> Result<&'a str, Fault> {
    let mut lines = request.lines(name);
    let line = lines.next().ok_or(Fault::Missing)?;
    if lines.next().is_some() {
        return Err(Fault::Repeated);
    }
    match std::str::from_utf8(line) {
        Ok("") => Err(Fault::Missing),
        Ok(text) => Ok(text),
        Err(_) => Err(Fault::Malformed),
    }
}
