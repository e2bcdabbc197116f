//! The head of a request, which is to come whole in time.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::error::ParseError;
use actix_http::h1::{Message, MessageType};
use actix_http::{Request, StatusCode};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use tokio_util::codec::Decoder as _;

use super::wire::{Body, End, Wire};
use crate::app::connections::{Limit, Order};

/// How long a connection is to have idled before its age alone ends it: the next request of a busy one
/// may be on its way, and gets the last answer.
const IDLE_WHEN_OLD: Duration = Duration::from_secs(1);

impl<T: ActixStream> Wire<T> {
    /// The next request.
    pub(super) fn poll_request(&mut self, cx: &mut Context<'_>) -> Poll<Result<Request, End>> {
        loop {
            self.skip_empty_lines()?;
            if !self.input.is_empty() {
                if let Some(mut request) = self.decode_head()? {
                    request.head_mut().peer_addr = self.peer;
                    return Poll::Ready(Ok(request));
                }
                self.head_since.get_or_insert_with(Instant::now);
            }
            // Nothing more is asked of the client before it has read what it is owed.
            ready!(self.poll_flush(cx))?;
            match self.poll_read(cx) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Err(End::Gone)),
                Poll::Pending => {
                    self.give_back();
                    return self.poll_head_limits(cx).map(Err);
                }
            }
        }
    }

    /// Empty lines before a request are no part of it: some clients send one after a body. Nobody sends
    /// as many as a head may be long.
    fn skip_empty_lines(&mut self) -> Result<(), End> {
        while let Some(length) = match *self.input {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            _ => None,
        } {
            drop(self.input.split_to(length));
            self.skipped += length;
        }
        if self.skipped > self.limits.max_head_bytes {
            return Err(End::Refused(StatusCode::BAD_REQUEST));
        }
        Ok(())
    }

    fn decode_head(&mut self) -> Result<Option<Request>, End> {
        let before = self.input.len();
        let decoded = self.codec.decode(&mut self.input);
        let length = match &decoded {
            Ok(Some(_)) => before - self.input.len(),
            _ => before,
        };
        let refused = |limit, status| {
            self.registration.count(limit);
            Err(End::Refused(status))
        };
        if length > self.limits.max_head_bytes {
            return refused(Limit::MaxHeadBytes, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        let request = match decoded {
            Ok(Some(Message::Item(request))) => request,
            Ok(None) => return Ok(None),
            // Of a head that is not too long it is the fields that are too many.
            Err(ParseError::TooLarge) => {
                return refused(Limit::MaxHeaders, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
            }
            Err(error) => {
                self.say_malformed(&error);
                return Err(End::Refused(StatusCode::BAD_REQUEST));
            }
            Ok(Some(Message::Chunk(_))) => return Err(End::AtOnce),
        };
        if request.head().headers.len() > self.limits.max_headers {
            return refused(Limit::MaxHeaders, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        self.body = match self.codec.message_type() {
            MessageType::None => Body::Whole,
            MessageType::Payload | MessageType::Stream => Body::Coming {
                is_expected: request.head().expect(),
                length: content_length(&request),
                came: 0,
                besides: 0,
                since: None,
            },
        };
        self.head_since = None;
        self.skipped = 0;
        self.requests += 1;
        self.registration.goes_on();
        Ok(Some(request))
    }

    /// For whoever asks for it: clients could fill the log with it.
    #[cold]
    fn say_malformed(&self, error: &ParseError) {
        match self.peer {
            Some(peer) => log::debug!("A request from {} cannot be read: {error}.", peer.ip()),
            None => log::debug!("A request cannot be read: {error}."),
        }
    }

    /// Why a connection ends that waits for a head.
    fn poll_head_limits(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let order = self.registration.wait(cx);
        let begun = self.head_since;
        match (order, begun) {
            (Order::End, _) => return Poll::Ready(End::AtOnce),
            (Order::EndIdle, None) => return Poll::Ready(End::Idle),
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
        let deadline = self.deadline(order, deadline);
        ready!(self.timer.poll(cx, deadline));
        self.registration.count(limit);
        Poll::Ready(match begun {
            Some(_) => End::Refused(StatusCode::REQUEST_TIMEOUT),
            None => End::Idle,
        })
    }
}

fn content_length(request: &Request) -> Option<u64> {
    request.head().headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
