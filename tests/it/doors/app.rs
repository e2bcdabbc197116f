//! The application behind the doors, without a framework: each maps its requests to [`Head`], and an
//! [`Answer`] to its responses.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpRequest;
use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use http::request::Parts;
use hyper::body::{Body, Frame, SizeHint};
use tollgate::User;

/// The head of a request.
pub(super) struct Head {
    pub(super) path: String,
    lines: Vec<(String, String)>,
}

impl Head {
    /// The first line of a header field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(it, _)| it == name).map(|(_, value)| &**value)
    }

    /// The user that the application has authenticated: without any proof, since this is a test.
    pub(super) fn user(&self) -> Option<User> {
        let user = User::new(self.field("x-user")?);
        let user = match self.field("x-plan") {
            Some(plan) => user.with_plan(plan),
            None => user,
        };
        Some(match self.field("x-claim") {
            Some(org) => user.with_claim("org", org),
            None => user,
        })
    }

    fn new<'a>(path: &str, lines: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let lines = lines.map(|(name, value)| (name.to_owned(), text(value))).collect();
        Self { path: path.to_owned(), lines }
    }
}

impl From<&HttpRequest> for Head {
    fn from(request: &HttpRequest) -> Self {
        let lines = request.headers().iter();
        Self::new(request.path(), lines.map(|(name, value)| (name.as_str(), value.as_bytes())))
    }
}

impl From<&Parts> for Head {
    fn from(request: &Parts) -> Self {
        let lines = request.headers.iter();
        Self::new(request.uri.path(), lines.map(|(name, value)| (name.as_str(), value.as_bytes())))
    }
}

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) lines: Vec<(&'static str, &'static str)>,
    pub(super) content: Content,
}

/// What the application answers: it does as `X-Answer` says.
pub(super) fn answer(head: &Head) -> Answer {
    let (status, lines, content) = match head.field("x-answer") {
        Some("404") => (404, vec![], Content::whole("There is nothing here.")),
        Some("500") => (500, vec![("x-trace", "7")], Content::whole("It went wrong.")),
        Some("304") => (304, vec![("etag", "\"1\"")], Content::whole("")),
        Some("endless") => (200, vec![], Content::endless()),
        Some("stream") => (200, vec![], Content::stream(["a ", "stream ", "of ", "parts"])),
        Some("exposes") => {
            let exposed = ("access-control-expose-headers", "ETag, ratelimit");
            (200, vec![exposed], Content::whole(""))
        }
        _ => (200, vec![("content-type", "text/plain")], Content::whole("Hello")),
    };
    Answer { status, lines, content }
}

/// Waits for ever if the request asks for that.
pub(super) async fn wait(head: &Head) {
    if head.field("x-answer") == Some("never") {
        std::future::pending::<()>().await;
    }
}

/// The body of a response, of known length or as it comes.
#[derive(Debug)]
pub(super) struct Content {
    parts: VecDeque<Bytes>,
    is_stream: bool,
    /// Whether its first part comes again and again.
    is_endless: bool,
}

impl Content {
    fn whole(text: &'static str) -> Self {
        let parts = if text.is_empty() { vec![] } else { vec![Bytes::from(text)] };
        Self { parts: parts.into(), is_stream: false, is_endless: false }
    }

    fn stream(parts: impl IntoIterator<Item = &'static str>) -> Self {
        let parts = parts.into_iter().map(Bytes::from).collect();
        Self { parts, is_stream: true, is_endless: false }
    }

    fn endless() -> Self {
        Self { is_endless: true, ..Self::stream(["again and again "]) }
    }

    fn next(&mut self) -> Option<Bytes> {
        if self.is_endless { self.parts.front().cloned() } else { self.parts.pop_front() }
    }

    fn length(&self) -> u64 {
        self.parts.iter().map(|part| part.len() as u64).sum()
    }
}

impl MessageBody for Content {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        if self.is_stream { BodySize::Stream } else { BodySize::Sized(self.length()) }
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.next().map(Ok))
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|part| Ok(Frame::data(part))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_stream { SizeHint::new() } else { SizeHint::with_exact(self.length()) }
    }
}
