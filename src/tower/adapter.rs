//! Implements the traits of `crate::http` for requests and responses of the `http` crate.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body::Body;

use super::body::ResponseBody;
use super::settings::Settings;
use crate::domain::client::Client;
use crate::domain::quota::Cost;
use crate::http::identity::client;
use crate::http::preflight::is_preflight;
use crate::http::problem::Refusal;
use crate::http::request::{RequestHead, authority, whole_value};
use crate::http::request_id::request_id;
use crate::http::response::{ResponseField, ResponseFields};
use crate::limiter::{Incoming, Policies};

/// A request, as a service with these settings sees it.
pub(super) struct Seen<'a> {
    pub(super) request: &'a Parts,
    pub(super) settings: &'a Settings,
}

impl Incoming for Seen<'_> {
    fn door(&self) -> &'static str {
        "tower"
    }

    fn method(&self) -> &str {
        self.request.method.as_str()
    }

    /// As it was sent: routers on tower match it so.
    fn path(&self) -> &str {
        self.request.uri.path()
    }

    fn request_id(&self) -> Option<Cow<'_, str>> {
        let name = self.settings.request_id.as_ref()?;
        request_id(self, name.as_str(), &self.settings.client_ip).map(Cow::Borrowed)
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        let Self { request, settings } = self;
        let user = (settings.user)(request);
        let headers = |name: &str| {
            let names = &settings.key_headers;
            let at = names.binary_search_by(|it| it.as_str().cmp(name)).ok()?;
            let lines = request.headers.get_all(&names[at]).iter().map(HeaderValue::as_bytes);
            whole_value(name, lines)
        };
        let found = OnceCell::new();
        let address = || *found.get_or_init(|| settings.client_ip.address(self));
        let client = client(None, user.as_ref()).with_address_by(&address).with_headers(&headers);
        let client = match request.uri.query() {
            Some(query) if settings.limiter.counts_by_query() => client.with_query(query),
            _ => client,
        };
        ask(&match settings.limiter.counts_by_host().then(|| self.host()).flatten() {
            Some(host) => client.with_host(host),
            None => client,
        })
    }

    fn is_skipped(&self) -> bool {
        (self.settings.skip)(self.request)
    }

    fn settles(&self) -> bool {
        true
    }

    fn is_preflight(&self) -> bool {
        is_preflight(self.method(), |name| self.request.headers.contains_key(name))
    }

    fn policies(&self) -> Option<&Policies> {
        self.settings.policies.as_ref()
    }

    fn cost(&self) -> Option<Cost> {
        self.settings.cost.as_ref().map(|cost| cost(self.request))
    }
}

impl Seen<'_> {
    /// The host that the request is for, and perhaps a port.
    fn host(&self) -> Option<&str> {
        let of_target = self.request.uri.authority().map(|authority| authority.as_str());
        authority(of_target, lines(&self.request.headers, header::HOST.as_str()))
    }
}

impl RequestHead for Seen<'_> {
    fn peer(&self) -> Option<IpAddr> {
        self.settings.peer_of(self.request)
    }

    fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        lines(&self.request.headers, name)
    }
}

/// Where the connection came from is not asked of what is refused.
impl RequestHead for HeaderMap {
    fn peer(&self) -> Option<IpAddr> {
        None
    }

    fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        lines(self, name)
    }
}

fn lines<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a> {
    headers.get_all(name).into_iter().map(HeaderValue::as_bytes)
}

impl ResponseFields for HeaderMap {
    fn append(&mut self, field: ResponseField, value: Bytes) {
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            self.append(name(field), value);
        }
    }

    fn set(&mut self, field: ResponseField, value: Bytes) {
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            self.insert(name(field), value);
        }
    }

    fn lines(&self, field: ResponseField) -> impl Iterator<Item = &[u8]> {
        self.get_all(name(field)).into_iter().map(HeaderValue::as_bytes)
    }
}

/// The `http` crate's form of a name, made at compile time.
fn name(field: ResponseField) -> HeaderName {
    const fn of(field: ResponseField) -> HeaderName {
        HeaderName::from_static(field.name())
    }
    match field {
        ResponseField::AccessControlExposeHeaders => header::ACCESS_CONTROL_EXPOSE_HEADERS,
        #[cfg(feature = "server")]
        ResponseField::Allow => header::ALLOW,
        ResponseField::CacheControl => header::CACHE_CONTROL,
        ResponseField::ContentType => header::CONTENT_TYPE,
        ResponseField::RateLimit => const { of(ResponseField::RateLimit) },
        ResponseField::RateLimitLimit => const { of(ResponseField::RateLimitLimit) },
        ResponseField::RateLimitPolicy => const { of(ResponseField::RateLimitPolicy) },
        ResponseField::RateLimitRemaining => const { of(ResponseField::RateLimitRemaining) },
        ResponseField::RateLimitReset => const { of(ResponseField::RateLimitReset) },
        ResponseField::RetryAfter => header::RETRY_AFTER,
        ResponseField::Vary => header::VARY,
        #[cfg(feature = "server")]
        ResponseField::WwwAuthenticate => header::WWW_AUTHENTICATE,
        ResponseField::XRateLimitLimit => const { of(ResponseField::XRateLimitLimit) },
        ResponseField::XRateLimitRemaining => const { of(ResponseField::XRateLimitRemaining) },
        ResponseField::XRateLimitReset => const { of(ResponseField::XRateLimitReset) },
    }
}

/// The response of a refusal.
pub(super) fn response<B: Body>(refusal: Refusal) -> Response<ResponseBody<B>> {
    let status = StatusCode::from_u16(refusal.status);
    let mut response = Response::new(ResponseBody::refusal(refusal.body));
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (field, value) in refusal.fields {
        ResponseFields::append(response.headers_mut(), field, value);
    }
    response
}
