//! The two directions of a connection: bytes that come and go, each within its limits.
//!
//! What is not written out stops what is read, so that a client that does not read its answers costs
//! no more than two buffers.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::BodySize;
use actix_http::h1::{Codec, Message, MessageType};
use actix_http::{ConnectionType, Response, ServiceConfig, StatusCode};
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use actix_web::web::{Bytes, BytesMut};
use tokio_util::codec::Encoder as _;
use tokio_util::io::poll_read_buf;

use super::timer::Timer;
use crate::app::config::ConnectionLimits;
use crate::app::connections::{Limit, Order, Registration};

/// Bytes that are read at once, at most.
const READ_AT_ONCE: usize = 8 * 1_024;

/// Bytes of a buffer that are kept while a connection idles.
const KEPT: usize = 8 * 1_024;

/// Bytes that are gathered before they are written, with one answer or one part of a body over it.
pub(super) const WRITE_AT_ONCE: usize = 32 * 1_024;

/// How long the server waits for a client while it stops.
const PATIENCE_OF_A_STOP: Duration = Duration::from_secs(5);

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The client ended it, or it is out of reach.
    Gone,
    /// It had nothing under way, and was told to end or idled too long.
    Idle,
    /// What the client did, or did not do in time, is answered with this status.
    Refused(StatusCode),
    /// It ends at once.
    AtOnce,
}

/// How far the body of the request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// There is none, or all of it has come.
    Whole,
    /// Some of it is to come, if there is nothing wrong with it.
    Coming {
        /// Whether the client waits to be asked for it.
        is_expected: bool,
        /// Its length, where the client said it.
        length: Option<u64>,
        /// The bytes that have come.
        came: u64,
        /// The bytes that came besides: what is said about chunks.
        besides: u64,
        /// When the server began to wait for it.
        since: Option<Instant>,
    },
    /// It cannot be read to its end.
    Broken,
}

/// The two directions of a connection.
#[derive(Debug)]
pub(super) struct Wire<T> {
    pub(super) io: T,
    pub(super) peer: Option<SocketAddr>,
    pub(super) codec: Codec,
    pub(super) limits: ConnectionLimits,
    pub(super) registration: Registration,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    /// Whether a buffer is larger than what is kept of it.
    pub(super) is_large: bool,
    pub(super) timer: Timer,
    pub(super) opened: Instant,
    /// When the last answer was given, or the connection opened.
    pub(super) idle_since: Instant,
    /// When the head that is being read began to come.
    pub(super) head_since: Option<Instant>,
    /// The bytes of empty lines that came before it.
    pub(super) skipped: usize,
    /// When the connection was told that the server stops.
    pub(super) stops_since: Option<Instant>,
    /// When the client was first waited for to read what is written.
    pub(super) unread_since: Option<Instant>,
    pub(super) body: Body,
    pub(super) requests: u64,
}

impl<T: ActixStream> Wire<T> {
    pub(super) fn new(
        io: T,
        peer: Option<SocketAddr>,
        config: ServiceConfig,
        limits: ConnectionLimits,
        registration: Registration,
    ) -> Self {
        let now = Instant::now();
        Self {
            io,
            peer,
            codec: Codec::new(config),
            limits,
            registration,
            input: BytesMut::new(),
            output: BytesMut::new(),
            is_large: false,
            timer: Timer::default(),
            opened: now,
            idle_since: now,
            head_since: None,
            skipped: 0,
            stops_since: None,
            unread_since: None,
            body: Body::Whole,
            requests: 0,
        }
    }

    /// The number of the request that came last.
    pub(super) fn request(&self) -> u64 {
        self.requests
    }

    /// Writes the head of an answer, which is the last of the connection if `is_last`, to the output.
    pub(super) fn answer(
        &mut self,
        mut response: Response<()>,
        size: BodySize,
        is_last: bool,
    ) -> Result<(), End> {
        let now = Instant::now();
        let is_old = now - self.opened >= self.limits.max_age;
        if is_old {
            self.registration.count(Limit::MaxConnectionAge);
        }
        let is_stream = self.codec.message_type() == MessageType::Stream;
        if is_last
            || is_old
            || is_stream
            || self.codec.upgrade()
            || self.limits.keep_alive.is_zero()
            || self.registration.is_last_answer()
        {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        self.idle_since = now;
        self.encode(Message::Item((response, size)))
    }

    /// Writes a part of an answer's body, or its end, to the output.
    pub(super) fn answer_part(&mut self, part: Option<Bytes>) -> Result<(), End> {
        self.encode(Message::Chunk(part))
    }

    fn encode(&mut self, message: Message<(Response<()>, BodySize)>) -> Result<(), End> {
        self.codec.encode(message, &mut self.output).map_err(|_| End::AtOnce)?;
        self.is_large |= self.output.len() > KEPT;
        Ok(())
    }

    /// Whether the answer before is not the last of the connection.
    pub(super) fn keeps_alive(&self) -> bool {
        self.codec.keep_alive()
    }

    /// Bytes that are yet to be written.
    pub(super) fn unwritten(&self) -> usize {
        self.output.len()
    }

    /// Writes the output to the client, which is to read it in time.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        if self.output.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match self.poll_write(cx) {
            Poll::Ready(Ok(())) => {
                if self.unread_since.take().is_some() {
                    self.registration.goes_on();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(End::Gone)),
            Poll::Pending => self.poll_write_limits(cx).map(Err),
        }
    }

    /// Writes the output, as much of it as the client takes.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.output)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(length) => drop(self.output.split_to(length)),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Why a connection ends that waits to write.
    fn poll_write_limits(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let order = self.registration.wait(cx);
        if order == Order::End {
            return Poll::Ready(End::AtOnce);
        }
        let since = *self.unread_since.get_or_insert_with(Instant::now);
        let deadline = self.deadline(order, since + self.limits.write_timeout);
        ready!(self.timer.poll(cx, deadline));
        self.registration.count(Limit::WriteTimeout);
        Poll::Ready(End::AtOnce)
    }

    /// When waiting for the client ends: at `deadline`, or sooner while the server stops.
    pub(super) fn deadline(&mut self, order: Order, deadline: Instant) -> Instant {
        match order {
            Order::EndIdle => {
                // From the stop on, however long the server had waited before.
                let since = *self.stops_since.get_or_insert_with(Instant::now);
                deadline.min(since + PATIENCE_OF_A_STOP)
            }
            Order::Stay | Order::End => deadline,
        }
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.input.capacity() - self.input.len() < READ_AT_ONCE / 8 {
            self.input.reserve(READ_AT_ONCE);
        }
        let read = poll_read_buf(Pin::new(&mut self.io), cx, &mut self.input);
        self.is_large |= self.input.len() > KEPT;
        read
    }

    /// Gives back what a large head or many answers took: the connection may idle for long.
    pub(super) fn give_back(&mut self) {
        if self.is_large && self.input.is_empty() && self.output.is_empty() {
            self.is_large = false;
            self.input = BytesMut::new();
            self.output = BytesMut::new();
        }
    }

    /// Ends the direction to the client.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx).map_err(|_| End::Gone)
    }

    /// Reads what still comes, and drops it, until `deadline` and at most `bytes` of it: a client that is
    /// cut off while it writes may lose the answer before it has read it.
    pub(super) fn poll_linger(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Instant,
        bytes: &mut usize,
    ) -> Poll<()> {
        loop {
            self.input.clear();
            match self.poll_read(cx) {
                Poll::Ready(Ok(length @ 1..)) if length < *bytes => *bytes -= length,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending if self.registration.wait(cx) == Order::End => {
                    return Poll::Ready(());
                }
                Poll::Pending => return self.timer.poll(cx, deadline),
            }
        }
    }
}
