//! Requests over HTTP/2 for the service that HTTP/1.1 has as well. The framework's types are those of another version of
//! the same crate.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::body::{BoxBody, MessageBody};
use actix_http::error::PayloadError;
use actix_http::header::{HOST, HeaderName, HeaderValue};
use actix_http::{Method, Payload, Request, Response, Uri, Version};
use actix_web::dev::Service;
use bytes::Bytes;
use futures_core::Stream;
use http::StatusCode;
use http_body::Body as _;

use super::request_body::{BodyError, RequestBody};

/// Fields that are about one connection of HTTP/1.1, which HTTP/2 forbids (RFC 9113, section 8.2.2).
const OF_A_CONNECTION: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// The answer of `service` to a request of `peer`.
pub(super) async fn call<S, B>(
    service: &S,
    request: http::Request<RequestBody>,
    peer: Option<SocketAddr>,
) -> http::Response<BoxBody>
where
    S: Service<Request, Error: Into<actix_web::Error>, Response: Into<Response<B>>>,
    B: MessageBody + 'static,
{
    let is_head = request.method() == http::Method::HEAD;
    let Some(request) = converted(request, peer) else {
        return responded(Response::bad_request().map_body(|_, body| body.boxed()), is_head);
    };
    let response = match service.call(request).await {
        Ok(response) => response.into().map_body(|_, body| body.boxed()),
        Err(error) => {
            let error: actix_web::Error = error.into();
            error.error_response().into()
        }
    };
    responded(response, is_head)
}

/// The request as the framework has it; `None` if that has no such request.
fn converted(request: http::Request<RequestBody>, peer: Option<SocketAddr>) -> Option<Request> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |it| it.as_str());
    let mut request = Request::new();
    *request.payload() = Payload::Stream { payload: Box::pin(Chunks(body)) };
    let converted = request.head_mut();
    converted.method = Method::from_bytes(head.method.as_str().as_bytes()).ok()?;
    converted.uri = path.parse::<Uri>().ok()?;
    converted.version = Version::HTTP_2;
    converted.peer_addr = peer;
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        converted.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    // HTTP/2 has the host elsewhere, where it may stand as well.
    if let Some(host) = head.uri.authority() {
        converted.headers.insert(HOST, HeaderValue::from_str(host.as_str()).ok()?);
    }
    Some(request)
}

/// The response as HTTP/2 has it. That to a `HEAD` has no body.
fn responded(response: Response<BoxBody>, is_head: bool) -> http::Response<BoxBody> {
    let (response, body) = response.into_parts();
    let body = if is_head { BoxBody::new(()) } else { body };
    let mut responded = http::Response::new(body);
    *responded.status_mut() = StatusCode::from_u16(response.status().as_u16())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = responded.headers_mut();
    for (name, value) in response.headers() {
        let name = name.as_str();
        let value = http::HeaderValue::from_bytes(value.as_bytes());
        let name = (!OF_A_CONNECTION.contains(&name)).then(|| name.parse::<http::HeaderName>());
        if let (Some(Ok(name)), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    responded
}

/// The body of a request as the framework reads it.
#[derive(Debug)]
struct Chunks(RequestBody);

impl Stream for Chunks {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.0).poll_frame(context)) else {
                return Poll::Ready(None);
            };
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => return Poll::Ready(Some(Ok(data))),
                // Trailers say nothing here.
                Ok(Err(_)) => {}
                Err(BodyError::TooLarge) => return Poll::Ready(Some(Err(PayloadError::Overflow))),
                Err(BodyError::Broken(_) | BodyError::TooSlow) => {
                    return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
                }
            }
        }
    }
}
