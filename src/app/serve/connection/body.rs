//! The body of a request, which is read only when the service asks for it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::error::PayloadError;
use actix_http::h1::{Message, MessageType};
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use actix_web::web::Bytes;
use futures_core::Stream;
use tokio_util::codec::Decoder as _;

use super::wire::{Body, Wire};
use crate::app::connections::{Directive, Limit};

/// The bytes per second that a body must keep up after its time limit.
const LOWEST_RATE: u64 = 500;

/// The bytes that a client may send around its chunks: in all, and more for each byte of the body.
const CHUNK_OVERHEAD: u64 = 16 * 1_024;
const CHUNK_OVERHEAD_PER_BYTE: u64 = 16;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How much of a body is still to be received, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remaining {
    Bytes(u64),
    Unknown,
}

/// The body of the request of this number, as a service reads it.
#[derive(Debug)]
pub(super) struct BodyStream<T> {
    wire: Rc<RefCell<Wire<T>>>,
    request: u64,
}

impl<T> BodyStream<T> {
    pub(super) fn new(wire: Rc<RefCell<Wire<T>>>, request: u64) -> Self {
        Self { wire, request }
    }
}

impl<T: ActixStream> Stream for BodyStream<T> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.wire.borrow_mut().poll_body(context, self.request)
    }
}

impl<T: ActixStream> Wire<T> {
    /// The next chunk of the body of the request with this number; `None` at its end.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        request: u64,
    ) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if request != self.requests {
            return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
        }
        let result = ready!(self.poll_chunk(cx)).transpose();
        if let Some(Err(_)) = &result {
            self.body = Body::Broken;
        }
        Poll::Ready(result)
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, PayloadError>> {
        loop {
            let Body::Partial { awaits_continue, received, overhead, waiting_since, .. } =
                &mut self.body
            else {
                return Poll::Ready(match self.body {
                    Body::Broken => Err(PayloadError::Incomplete(None)),
                    _ => Ok(None),
                });
            };
            let before = self.input.len();
            let decoded = self.codec.decode(&mut self.input);
            let length = match &decoded {
                Ok(Some(Message::Chunk(Some(part)))) => part.len(),
                _ => 0,
            };
            *received += length as u64;
            *overhead += (before - self.input.len() - length) as u64;
            let is_too_large = *received > self.limits.max_body_bytes
                || *overhead > CHUNK_OVERHEAD + received.saturating_mul(CHUNK_OVERHEAD_PER_BYTE);
            if is_too_large {
                self.registration.count(Limit::MaxBodyBytes);
                return Poll::Ready(Err(PayloadError::Overflow));
            }
            match decoded {
                Ok(Some(Message::Chunk(Some(part)))) => return Poll::Ready(Ok(Some(part))),
                Ok(Some(Message::Chunk(None))) => {
                    self.body = Body::Complete;
                    self.registration.progressed();
                    return Poll::Ready(Ok(None));
                }
                Ok(Some(Message::Item(_))) | Err(_) => {
                    return Poll::Ready(Err(PayloadError::EncodingCorrupted));
                }
                Ok(None) => {}
            }
            if std::mem::take(awaits_continue) {
                self.output.extend_from_slice(CONTINUE);
            }
            let since = *waiting_since.get_or_insert_with(Instant::now);
            let more = Duration::from_millis(received.saturating_mul(1_000) / LOWEST_RATE);
            let deadline = since + self.limits.body_timeout.max(more);
            let gone = |_| PayloadError::Incomplete(None);
            ready!(self.poll_flush(cx)).map_err(gone)?;
            match self.poll_read(cx) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Err(PayloadError::Incomplete(None))),
                Poll::Pending => {
                    let directive = self.registration.wait(cx);
                    if directive != Directive::Close {
                        let deadline = self.deadline(directive, deadline);
                        ready!(self.timer.poll(cx, deadline));
                        self.registration.count(Limit::BodyTimeout);
                    }
                    return Poll::Ready(Err(PayloadError::Incomplete(None)));
                }
            }
        }
    }

    /// Whether the whole body was received.
    pub(super) fn body_is_complete(&self) -> bool {
        self.body == Body::Complete
    }

    /// How much of the body the client is still sending; `None` if it sends no more, or only after 100
    /// (Continue).
    pub(super) fn remaining_body(&self) -> Option<Remaining> {
        let Body::Partial { awaits_continue: false, length, received, .. } = self.body else {
            return None;
        };
        match self.codec.message_type() {
            MessageType::Payload => Some(match length {
                Some(length) => Remaining::Bytes(length - received.min(length)),
                None => Remaining::Unknown,
            }),
            _ => None,
        }
    }
}
