//! The body of a request, which is read when somebody asks for it, and not before.

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
use crate::app::connections::{Limit, Order};

/// The bytes per second that a body must keep up, once its time limit is over.
const LEAST_RATE: u64 = 500;

/// The bytes that a client may say about its chunks, and for each byte of them.
const ABOUT_CHUNKS: u64 = 16 * 1_024;
const ABOUT_A_BYTE: u64 = 16;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How much of a body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToCome {
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
    /// The next part of the body of the request of this number; nothing at its end.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        request: u64,
    ) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if request != self.requests {
            return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
        }
        let result = ready!(self.poll_part(cx)).transpose();
        if let Some(Err(_)) = &result {
            self.body = Body::Broken;
        }
        Poll::Ready(result)
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, PayloadError>> {
        loop {
            let Body::Coming { is_expected, came, besides, since, .. } = &mut self.body else {
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
            *came += length as u64;
            *besides += (before - self.input.len() - length) as u64;
            let is_too_large = *came > self.limits.max_body_bytes
                || *besides > ABOUT_CHUNKS + came.saturating_mul(ABOUT_A_BYTE);
            if is_too_large {
                self.registration.count(Limit::MaxBodyBytes);
                return Poll::Ready(Err(PayloadError::Overflow));
            }
            match decoded {
                Ok(Some(Message::Chunk(Some(part)))) => return Poll::Ready(Ok(Some(part))),
                Ok(Some(Message::Chunk(None))) => {
                    self.body = Body::Whole;
                    self.registration.goes_on();
                    return Poll::Ready(Ok(None));
                }
                Ok(Some(Message::Item(_))) | Err(_) => {
                    return Poll::Ready(Err(PayloadError::EncodingCorrupted));
                }
                Ok(None) => {}
            }
            if std::mem::take(is_expected) {
                self.output.extend_from_slice(CONTINUE);
            }
            let since = *since.get_or_insert_with(Instant::now);
            let more = Duration::from_millis(came.saturating_mul(1_000) / LEAST_RATE);
            let deadline = since + self.limits.body_timeout.max(more);
            let gone = |_| PayloadError::Incomplete(None);
            ready!(self.poll_flush(cx)).map_err(gone)?;
            match self.poll_read(cx) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Poll::Ready(Err(PayloadError::Incomplete(None))),
                Poll::Pending => {
                    let order = self.registration.wait(cx);
                    if order != Order::End {
                        let deadline = self.deadline(order, deadline);
                        ready!(self.timer.poll(cx, deadline));
                        self.registration.count(Limit::BodyTimeout);
                    }
                    return Poll::Ready(Err(PayloadError::Incomplete(None)));
                }
            }
        }
    }

    /// Whether the body has come whole.
    pub(super) fn body_is_whole(&self) -> bool {
        self.body == Body::Whole
    }

    /// The bytes of the body that are still to come, of a body that the client sends without being asked;
    /// none where it does not.
    pub(super) fn body_to_come(&self) -> Option<ToCome> {
        let Body::Coming { is_expected: false, length, came, .. } = self.body else { return None };
        match self.codec.message_type() {
            MessageType::Payload => Some(match length {
                Some(length) => ToCome::Bytes(length - came.min(length)),
                None => ToCome::Unknown,
            }),
            _ => None,
        }
    }
}
