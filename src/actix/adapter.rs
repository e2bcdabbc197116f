//! Implements the traits of `crate::http` for requests and responses of actix-web.

use std::borrow::Cow;
use std::net::IpAddr;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
#[cfg(feature = "server")]
use actix_web::dev::Url;
use actix_web::http::StatusCode;
#[cfg(feature = "server")]
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use bytes::Bytes;

use crate::http::client_ip::ClientIp;
use crate::http::identity::User;
use crate::http::problem::Refusal;
use crate::http::request::{RequestHead, authority, whole_value};
use crate::http::response::{ResponseField, ResponseFields};

static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

impl RequestHead for ServiceRequest {
    fn peer(&self) -> Option<IpAddr> {
        self.request().peer()
    }

    fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.request().lines(name)
    }
}

impl RequestHead for HttpRequest {
    fn peer(&self) -> Option<IpAddr> {
        self.peer_addr().map(|peer| peer.ip())
    }

    fn lines<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        let headers = self.headers();
        // The framework parses a text as a name each time. So the names that most requests need are constants,
        // and other names are compared with those of the request.
        let lines = match name {
            "x-forwarded-for" => headers.get_all(&header::X_FORWARDED_FOR),
            "forwarded" => headers.get_all(&header::FORWARDED),
            "x-real-ip" => headers.get_all(&X_REAL_IP),
            "accept" => headers.get_all(&header::ACCEPT),
            _ => match headers.keys().find(|key| key.as_str() == name) {
                Some(key) => headers.get_all(key),
                None => [].iter(),
            },
        };
        lines.map(HeaderValue::as_bytes)
    }
}

/// Leaves out a value that is not valid in a header field. Tollgate writes no such value.
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
        self.get_all(name(field)).map(HeaderValue::as_bytes)
    }
}

/// The framework's form of a name, made at compile time.
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

impl From<Refusal> for HttpResponse {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Self::with_body(status, BoxBody::new(refusal.body));
        for (field, value) in refusal.fields {
            ResponseFields::append(response.headers_mut(), field, value);
        }
        response
    }
}

/// The user that the host application put into the request's extensions.
pub(super) fn user_of(request: &ServiceRequest) -> Option<User> {
    request.extensions().get::<User>().cloned()
}

/// The whole value of a request's header field.
pub(super) fn field<'a>(request: &'a ServiceRequest, name: &HeaderName) -> Option<Cow<'a, [u8]>> {
    whole_value(name.as_str(), request.headers().get_all(name).map(HeaderValue::as_bytes))
}

/// The host that a request is for, and perhaps a port.
pub(super) fn host_of(request: &ServiceRequest) -> Option<&str> {
    let of_target = request.uri().authority().map(|authority| authority.as_str());
    authority(of_target, request.headers().get_all(header::HOST).map(HeaderValue::as_bytes))
}

/// The client's address, cached in the request's extensions.
#[derive(Debug)]
struct Found {
    by: ClientIp,
    address: Option<IpAddr>,
}

/// The client's address by `client_ip`, computed once for each request.
pub(crate) fn address_once(client_ip: &ClientIp, request: &HttpRequest) -> Option<IpAddr> {
    if !client_ip.reads_fields() {
        return client_ip.address(request);
    }
    let found = request.extensions().get::<Found>().map(|it| (it.by.is(client_ip), it.address));
    if let Some((true, address)) = found {
        return address;
    }
    let address = client_ip.address(request);
    request.extensions_mut().insert(Found { by: client_ip.clone(), address });
    address
}

/// The path of `target`, decoded as the framework's router decodes it. `None` if that is neither an absolute path
/// nor an absolute URI.
#[cfg(feature = "server")]
pub(crate) fn decoded_path(target: &str) -> Option<String> {
    let uri: Uri = target.parse().ok()?;
    let is_absolute = target.starts_with('/') || uri.scheme().is_some();
    is_absolute.then(|| Url::new(uri).path().to_owned())
}

#[cfg(test)]
mod tests;
