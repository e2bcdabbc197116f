//! A connection over HTTP/1.1: one request after the other, each answered before the next is read.
//!
//! The framework's own parser and writer of HTTP/1.1 do the work; this decides when they do. Its own
//! loop reads on while answers are not written out, keeps time for the first head alone, and asks for
//! bodies that nobody reads: a server on the internet needs a bound for each of these.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::{Payload, Request, Response, ServiceConfig};
use actix_web::dev::Service;
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use tokio::task::yield_now;

use self::body::{BodyStream, ToCome};
use self::wire::{End, WRITE_AT_ONCE, Wire};
use crate::app::config::ConnectionLimits;
use crate::app::connections::Registration;

mod body;
mod head;
mod timer;
mod wire;

/// Bytes of a refused request's body that are read after all, so that the connection can be kept.
const READ_AFTER_REFUSAL: u64 = 16 * 1_024;

/// How long a client that was refused may still send before its connection is cut.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1_024;

/// What all connections of a worker share.
#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) service: S,
    /// The date in answers is made once for all of them.
    pub(super) config: ServiceConfig,
    pub(super) limits: ConnectionLimits,
}

/// Answers the requests of a connection from `peer` until it ends.
pub(super) async fn serve<S, B, T>(
    io: T,
    peer: Option<SocketAddr>,
    shared: &Shared<S>,
    registration: Registration,
) where
    S: Service<Request, Error: Into<actix_web::Error>, Response: Into<Response<B>>>,
    B: MessageBody,
    T: ActixStream + 'static,
{
    let wire = Wire::new(io, peer, shared.config.clone(), shared.limits, registration);
    let connection = Connection(Rc::new(RefCell::new(wire)));
    let end = connection.answer_all(&shared.service).await;
    connection.close(end).await;
}

struct Connection<T>(Rc<RefCell<Wire<T>>>);

impl<T: ActixStream + 'static> Connection<T> {
    /// Answers one request after the other. How that ends.
    async fn answer_all<S, B>(&self, service: &S) -> Result<(), End>
    where
        S: Service<Request, Error: Into<actix_web::Error>, Response: Into<Response<B>>>,
        B: MessageBody,
    {
        loop {
            let mut request = self.wire(|wire, context| wire.poll_request(context)).await?;
            self.attach_body(&mut request);
            let keeps_alive = match self.while_writing(service.call(request)).await {
                Ok(response) => self.answer(response.into()).await?,
                Err(error) => {
                    let error: actix_web::Error = error.into();
                    self.answer::<BoxBody>(error.error_response().into()).await?
                }
            };
            if !keeps_alive {
                return Ok(());
            }
        }
    }

    fn attach_body(&self, request: &mut Request) {
        let wire = self.0.borrow();
        if !wire.body_is_whole() {
            let body = BodyStream::new(self.0.clone(), wire.request());
            *request.payload() = Payload::Stream { payload: Box::pin(body) };
        }
    }

    /// Writes an answer, if not yet to the client. Whether the connection goes on.
    async fn answer<B: MessageBody>(&self, response: Response<B>) -> Result<bool, End> {
        let (response, body) = response.into_parts();
        let status = response.status();
        let reads_on = self.reads_on(status.is_client_error() || status.is_server_error()).await;
        let size = body.size();
        self.0.borrow_mut().answer(response, size, !reads_on)?;
        if !matches!(size, BodySize::None | BodySize::Sized(0)) {
            self.answer_body(body).await?;
        }
        self.flush_much().await?;
        let keeps_alive = self.0.borrow().keeps_alive();
        Ok(keeps_alive && self.drop_body().await)
    }

    async fn answer_body<B: MessageBody>(&self, body: B) -> Result<(), End> {
        match body.try_into_bytes() {
            Ok(all) => self.0.borrow_mut().answer_part(Some(all))?,
            Err(body) => {
                let mut body = pin!(body);
                let mut next = async || {
                    self.while_writing(poll_fn(|context| body.as_mut().poll_next(context))).await
                };
                while let Some(part) = next().await {
                    let part = part.map_err(|_| End::AtOnce)?;
                    self.0.borrow_mut().answer_part(Some(part))?;
                    self.flush_much().await?;
                }
            }
        }
        self.0.borrow_mut().answer_part(None)
    }

    /// Whether the connection can go on after the answer: what is left of the request's body is then
    /// read and dropped. Of a request that is refused that is little.
    async fn reads_on(&self, is_refusal: bool) -> bool {
        let (to_come, is_whole, most) = {
            let wire = self.0.borrow();
            let most = if is_refusal { READ_AFTER_REFUSAL } else { u64::MAX };
            let most = most.min(wire.limits.max_body_bytes);
            (wire.body_to_come(), wire.body_is_whole(), most)
        };
        match to_come {
            _ if is_whole => true,
            None => false,
            Some(ToCome::Bytes(bytes)) => bytes <= most,
            Some(ToCome::Unknown) if is_refusal => self.drop_what_came(most).await,
            Some(ToCome::Unknown) => true,
        }
    }

    /// Drops the part of a request's body that has come, and at most `most` bytes. Whether that is the
    /// whole of it.
    async fn drop_what_came(&self, most: u64) -> bool {
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

    /// Reads the rest of a request's body and drops it. Whether it came to its end.
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

    /// Writes to the client where there is much to write.
    async fn flush_much(&self) -> Result<(), End> {
        if self.0.borrow().unwritten() >= WRITE_AT_ONCE {
            self.wire(|wire, context| wire.poll_flush(context)).await?;
            // Other connections come first now: this client may ask for much more.
            yield_now().await;
        }
        Ok(())
    }

    /// Waits for `answer`, and sends earlier ones on their way meanwhile.
    async fn while_writing<F: Future>(&self, answer: F) -> F::Output {
        let mut answer = pin!(answer);
        poll_fn(|context| {
            let poll = answer.as_mut().poll(context);
            if poll.is_pending() {
                // What goes wrong with it shows when they are waited for.
                let _ = self.0.borrow_mut().poll_write(context);
            }
            poll
        })
        .await
    }

    /// Ends the connection as its last request or `end` has it.
    async fn close(&self, end: Result<(), End>) {
        match end {
            Err(End::Gone | End::AtOnce) => return,
            Err(End::Refused(status)) => {
                let refusal = Response::with_body(status, ());
                if self.0.borrow_mut().answer(refusal, BodySize::Sized(0), true).is_err() {
                    return;
                }
            }
            Ok(()) | Err(End::Idle) => {}
        }
        // Who idles sends nothing that would be lost.
        let lingers = !matches!(end, Err(End::Idle));
        if self.wire(|wire, context| wire.poll_shutdown(context)).await.is_ok() && lingers {
            let deadline = Instant::now() + LINGER;
            let mut most = LINGER_BYTES;
            self.wire(|wire, context| wire.poll_linger(context, deadline, &mut most)).await;
        }
    }

    /// Waits until the wire is ready with what `poll` asks of it.
    async fn wire<R>(&self, mut poll: impl FnMut(&mut Wire<T>, &mut Context<'_>) -> Poll<R>) -> R {
        poll_fn(|context| poll(&mut self.0.borrow_mut(), context)).await
    }
}
