//! A connection over HTTP/1.1: one request after the other, each answered before the next is read.
//!
//! The framework's parser and writer of HTTP/1.1 do the work, and this loop decides when. The framework's
//! own loop reads on while responses are not written out, times only the first head, and asks for bodies
//! that nobody reads. A server on the internet needs a bound for each of these.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::{Payload, Request, Response};
use actix_web::dev::Service;
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use actix_web::web::Bytes;
use tokio::task::yield_now;

use self::body::{BodyStream, Remaining};
pub(super) use self::shared::Shared;
pub(super) use self::timer::Timer;
use self::wire::{CloseReason, FLUSH_ABOVE, Wire};
use crate::app::connections::Registration;

mod body;
mod head;
mod http2;
mod shared;
mod timer;
mod wire;

/// Bytes of a refused request's body that are still read, so that the connection can stay open.
const READ_AFTER_REFUSAL: u64 = 16 * 1_024;

/// How long, and how many bytes, a client may still send after the last response before its connection
/// is cut.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1_024;

/// Answers the requests of a connection from `peer` until it ends.
pub(super) async fn serve<S, B, T>(
    io: T,
    peer: Option<SocketAddr>,
    shared: &Rc<Shared<S>>,
    registration: Registration,
) where
    S: Service<Request, Error: Into<actix_web::Error>, Response: Into<Response<B>>> + 'static,
    B: MessageBody + 'static,
    T: ActixStream + 'static,
{
    let wire = Wire::new(io, peer, shared, registration);
    let connection = Connection(Rc::new(RefCell::new(wire)));
    let result = connection.serve_requests(&shared.service).await;
    match (result, &shared.grpc) {
        (Err(CloseReason::SpeaksHttp2), Some(grpc)) => {
            // No request has begun, so nothing else has a hold on it.
            if let Some(wire) = Rc::into_inner(connection.0) {
                http2::serve(wire.into_inner(), shared, grpc).await;
            }
        }
        (result, _) => connection.close(result).await,
    }
}

struct Connection<T>(Rc<RefCell<Wire<T>>>);

impl<T: ActixStream + 'static> Connection<T> {
    /// Answers one request after the other until the connection is to close.
    ///
    /// # Errors
    /// With the reason to close it, unless that is the last response.
    async fn serve_requests<S, B>(&self, service: &S) -> Result<(), CloseReason>
    where
        S: Service<Request, Error: Into<actix_web::Error>, Response: Into<Response<B>>>,
        B: MessageBody,
    {
        loop {
            let mut request = self.wire(|wire, context| wire.poll_request(context)).await?;
            self.attach_body(&mut request);
            let response = {
                let response = pin!(service.call(request));
                self.while_writing(response).await
            };
            let keeps_alive = match response {
                Ok(response) => self.respond(response.into()).await?,
                Err(error) => {
                    let error: actix_web::Error = error.into();
                    self.respond::<BoxBody>(error.error_response().into()).await?
                }
            };
            if !keeps_alive {
                return Ok(());
            }
        }
    }

    fn attach_body(&self, request: &mut Request) {
        if !self.has_whole_body() {
            let body = BodyStream::new(self.0.clone(), self.0.borrow().request());
            *request.payload() = Payload::Stream { payload: Box::pin(body) };
        }
    }

    /// Writes a response to the output. Returns whether the connection stays open.
    async fn respond<B: MessageBody>(&self, response: Response<B>) -> Result<bool, CloseReason> {
        let (response, body) = response.into_parts();
        let status = response.status();
        let is_refusal = status.is_client_error() || status.is_server_error();
        let reads_on = self.has_whole_body() || self.reads_on(is_refusal).await;
        let size = body.size();
        self.0.borrow_mut().write_head(response, size, !reads_on)?;
        if !matches!(size, BodySize::None | BodySize::Sized(0)) {
            match body.try_into_bytes() {
                Ok(all) => self.0.borrow_mut().write_chunk(Some(all))?,
                Err(body) => self.write_parts(body).await?,
            }
            self.0.borrow_mut().write_chunk(None)?;
        }
        if self.is_full() {
            self.flush().await?;
        }
        let keeps_alive = self.0.borrow().keeps_alive();
        Ok(keeps_alive && (self.has_whole_body() || self.drop_body().await))
    }

    /// Writes the parts of a body as they come.
    async fn write_parts<B: MessageBody>(&self, body: B) -> Result<(), CloseReason> {
        let mut body = pin!(body);
        while let Some(part) = self.next_part(body.as_mut()).await? {
            self.0.borrow_mut().write_chunk(Some(part))?;
            if self.is_full() {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Waits for the next part of a body, and writes earlier ones meanwhile. If they cannot be written, nobody waits for
    /// more.
    async fn next_part<B: MessageBody>(
        &self,
        mut body: Pin<&mut B>,
    ) -> Result<Option<Bytes>, CloseReason> {
        poll_fn(|context| match body.as_mut().poll_next(context) {
            Poll::Ready(part) => Poll::Ready(part.transpose().map_err(|_| CloseReason::AtOnce)),
            Poll::Pending => match self.0.borrow_mut().poll_write(context) {
                Poll::Ready(Err(_)) => Poll::Ready(Err(CloseReason::Gone)),
                _ => Poll::Pending,
            },
        })
        .await
    }

    /// Whether the whole body of the request was received.
    fn has_whole_body(&self) -> bool {
        self.0.borrow().body_is_complete()
    }

    /// Whether the connection can stay open after the response, before the whole body of the request was received. The
    /// rest is then read and dropped; after a refusal, only if that is little.
    async fn reads_on(&self, is_refusal: bool) -> bool {
        let (remaining, most) = {
            let wire = self.0.borrow();
            let most = if is_refusal { READ_AFTER_REFUSAL } else { u64::MAX };
            (wire.remaining_body(), most.min(wire.limits.max_body_bytes))
        };
        match remaining {
            None => false,
            Some(Remaining::Bytes(bytes)) => bytes <= most,
            Some(Remaining::Unknown) if is_refusal => self.drop_received(most).await,
            Some(Remaining::Unknown) => true,
        }
    }

    /// Drops the part of a request's body that was received already, and at most `most` bytes. Returns
    /// whether that was the whole body.
    async fn drop_received(&self, most: u64) -> bool {
        let request = self.0.borrow().request();
        let mut dropped = 0;
        poll_fn(|context| {
            loop {
                match self.0.borrow_mut().poll_body(context, request) {
                    Poll::Ready(Some(Ok(part))) if dropped < most => dropped += part.len() as u64,
                    Poll::Ready(None) => return Poll::Ready(true),
                    _ => return Poll::Ready(false),
                }
            }
        })
        .await
    }

    /// Reads the rest of a request's body and drops it. Returns whether it reached the end.
    async fn drop_body(&self) -> bool {
        let request = self.0.borrow().request();
        loop {
            match self.wire(|wire, context| wire.poll_body(context, request)).await {
                None => return true,
                Some(Ok(_)) => {}
                Some(Err(_)) => return false,
            }
        }
    }

    /// Whether there is so much output that it is to be written before more is added.
    fn is_full(&self) -> bool {
        self.0.borrow().unwritten() >= FLUSH_ABOVE
    }

    /// Writes the output to the client.
    async fn flush(&self) -> Result<(), CloseReason> {
        self.wire(|wire, context| wire.poll_flush(context)).await?;
        // This client may ask for much more, so other connections get their turn first.
        yield_now().await;
        Ok(())
    }

    /// Waits for `response`, and goes on writing earlier ones meanwhile.
    async fn while_writing<F: Future>(&self, mut response: Pin<&mut F>) -> F::Output {
        poll_fn(|context| {
            let poll = response.as_mut().poll(context);
            if poll.is_pending() {
                // An error shows again at the next flush.
                let _ = self.0.borrow_mut().poll_write(context);
            }
            poll
        })
        .await
    }

    /// Closes the connection after its last response, or for the reason in `result`.
    async fn close(&self, result: Result<(), CloseReason>) {
        match result {
            Err(CloseReason::Gone | CloseReason::AtOnce | CloseReason::SpeaksHttp2) => return,
            Err(CloseReason::Refused(status)) => {
                let refusal = Response::with_body(status, ());
                if self.0.borrow_mut().write_head(refusal, BodySize::Sized(0), true).is_err() {
                    return;
                }
            }
            Ok(()) | Err(CloseReason::Idle) => {}
        }
        // An idle client sends nothing, so it loses no response.
        let lingers = !matches!(result, Err(CloseReason::Idle));
        if self.wire(|wire, context| wire.poll_shutdown(context)).await.is_ok() && lingers {
            let deadline = Instant::now() + LINGER;
            let mut most = LINGER_BYTES;
            self.wire(|wire, context| wire.poll_linger(context, deadline, &mut most)).await;
        }
    }

    /// Waits until `poll` is ready.
    async fn wire<R>(&self, mut poll: impl FnMut(&mut Wire<T>, &mut Context<'_>) -> Poll<R>) -> R {
        poll_fn(|context| poll(&mut self.0.borrow_mut(), context)).await
    }
}
