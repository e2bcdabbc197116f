//! The head of a request, which has to be received within its time limit.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::error::ParseError;
use actix_http::h1::{Message, MessageType};
use actix_http::{Request, StatusCode};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use actix_web::web::Buf as _;
use tokio_util::codec::Decoder as _;

use super::http2::PREFACE;
use super::wire::{Body, CloseReason, Wire};
use crate::app::connections::{Directive, Limit};

/// How long an old connection has to be idle before its age alone closes it. On a busy one, the next
/// request may be on its way; its response is then the last.
const IDLE_WHEN_OLD: Duration = Duration::from_secs(1);

impl<T: ActixStream> Wire<T> {
    /// The next request.
    pub(super) fn poll_request(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Request, CloseReason>> {
        loop {
            let may_speak_http2 = self.may_speak_http2()?;
            if !may_speak_http2 {
                self.skip_empty_lines()?;
            }
            if !self.input.is_empty() {
                let request = if may_speak_http2 { None } else { self.decode_head()? };
                if let Some(mut request) = request {
                    request.head_mut().peer_addr = self.peer;
                    return Poll::Ready(Ok(request));
                }
                self.head_since.get_or_insert_with(Instant::now);
            }
            // The client has to read its responses before more is read from it.
            ready!(self.poll_flush(cx))?;
            match self.poll_read(cx) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Err(CloseReason::Gone)),
                Poll::Pending => {
                    self.release_buffers();
                    return self.poll_head_limits(cx).map(Err);
                }
            }
        }
    }

    /// Whether the connection has begun as one over HTTP/2 does, and more of that is to come. It can do so only before
    /// the first request.
    fn may_speak_http2(&self) -> Result<bool, CloseReason> {
        if !self.offers_http2 || self.requests > 0 || self.skipped > 0 || self.input.is_empty() {
            return Ok(false);
        }
        match self.input.starts_with(PREFACE) {
            true => Err(CloseReason::SpeaksHttp2),
            false => Ok(PREFACE.starts_with(&self.input)),
        }
    }

    /// Skips empty lines before a request, since some clients send one after a body. As many bytes of them
    /// as a head may have are too many.
    fn skip_empty_lines(&mut self) -> Result<(), CloseReason> {
        while let Some(length) = match *self.input {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            _ => None,
        } {
            self.input.advance(length);
            self.skipped += length;
        }
        if self.skipped > self.limits.max_head_bytes {
            return Err(CloseReason::Refused(StatusCode::BAD_REQUEST));
        }
        Ok(())
    }

    fn decode_head(&mut self) -> Result<Option<Request>, CloseReason> {
        let before = self.input.len();
        let decoded = self.codec.decode(&mut self.input);
        let length = match &decoded {
            Ok(Some(_)) => before - self.input.len(),
            _ => before,
        };
        let refused = |limit, status| {
            self.registration.count(limit);
            Err(CloseReason::Refused(status))
        };
        if length > self.limits.max_head_bytes {
            return refused(Limit::MaxHeadBytes, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        let request = match decoded {
            Ok(Some(Message::Item(request))) => request,
            Ok(None) => return Ok(None),
            // The head is not too long, so it has too many fields.
            Err(ParseError::TooLarge) => {
                return refused(Limit::MaxHeaders, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
            }
            Err(error) => {
                self.log_malformed(&error);
                return Err(CloseReason::Refused(StatusCode::BAD_REQUEST));
            }
            Ok(Some(Message::Chunk(_))) => return Err(CloseReason::AtOnce),
        };
        if request.head().headers.len() > self.limits.max_headers {
            return refused(Limit::MaxHeaders, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        self.body = match self.codec.message_type() {
            MessageType::None => Body::Complete,
            MessageType::Payload | MessageType::Stream => Body::Partial {
                awaits_continue: request.head().expect(),
                length: content_length(&request),
                received: 0,
                overhead: 0,
                waiting_since: None,
            },
        };
        self.head_since = None;
        self.skipped = 0;
        self.requests += 1;
        self.registration.progressed();
        Ok(Some(request))
    }

    /// Logs at the level `debug` alone, because clients could fill the log.
    #[cold]
    fn log_malformed(&self, error: &ParseError) {
        match self.peer {
            Some(peer) => log::debug!("A request from {} cannot be read: {error}.", peer.ip()),
            None => log::debug!("A request cannot be read: {error}."),
        }
    }

    /// Waits for a reason to close a connection that waits for a head.
    fn poll_head_limits(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let directive = self.registration.wait(cx);
        let begun = self.head_since;
        match (directive, begun) {
            (Directive::Close, _) => return Poll::Ready(CloseReason::AtOnce),
            (Directive::CloseIfIdle, None) => return Poll::Ready(CloseReason::Idle),
            _ => {}
        }
        let limits = &self.limits;
        let (deadline, limit) = match begun {
            Some(since) => (since + limits.header_timeout, Limit::HeaderTimeout),
            None if self.requests == 0 => {
                (self.opened + limits.header_timeout, Limit::HeaderTimeout)
            }
            None => {
                let idle = self.idle_since + limits.keep_alive;
                let old = (self.opened + limits.max_age).max(self.idle_since + IDLE_WHEN_OLD);
                if old < idle { (old, Limit::MaxConnectionAge) } else { (idle, Limit::KeepAlive) }
            }
        };
        let deadline = self.deadline(directive, deadline);
        ready!(self.timer.poll(cx, deadline));
        self.registration.count(limit);
        Poll::Ready(match begun {
            Some(_) => CloseReason::Refused(StatusCode::REQUEST_TIMEOUT),
            None => CloseReason::Idle,
        })
    }
}

fn content_length(request: &Request) -> Option<u64> {
    request.head().headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
