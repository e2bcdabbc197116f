//! The two directions of a connection: input and output, each within its limits.
//!
//! Nothing is read while there is output to write, so that a client that does not read its responses
//! costs no more than two buffers.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::BodySize;
use actix_http::h1::{Codec, Message, MessageType};
use actix_http::{ConnectionType, Response, StatusCode};
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use actix_web::web::{Buf as _, Bytes, BytesMut};
use tokio_util::codec::Encoder as _;
use tokio_util::io::poll_read_buf;

use super::shared::Shared;
use super::timer::Timer;
use crate::app::config::ConnectionLimits;
use crate::app::connections::{Directive, Limit, Registration};

/// Bytes that are read at once, at most.
const READ_SIZE: usize = 8 * 1_024;

/// A buffer larger than this, in bytes, is released while a connection is idle.
const LARGEST_IDLE_BUFFER: usize = 8 * 1_024;

/// Output of this many bytes is written before more is added.
pub(super) const FLUSH_ABOVE: usize = 32 * 1_024;

/// How long the server waits for a client while it stops.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Why a connection closes.
#[derive(Debug)]
pub(super) enum CloseReason {
    /// The client closed it, or cannot be reached.
    Gone,
    /// It was idle for too long, or was told to close while it was idle.
    Idle,
    /// The client broke a rule or a time limit, and gets this status.
    Refused(StatusCode),
    /// It has to close without another response.
    AtOnce,
    /// It does not close: the client speaks HTTP/2 on it.
    SpeaksHttp2,
}

/// How far the body of the request was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// There is none, or all of it was received.
    Complete,
    /// A part of it is still to be received.
    Partial {
        /// Whether the client waits for 100 (Continue) before it sends the body.
        awaits_continue: bool,
        /// Its length in bytes, if the client told it.
        length: Option<u64>,
        /// The bytes that were received.
        received: u64,
        /// The bytes that were received around chunks: their sizes, extensions and trailers.
        overhead: u64,
        /// When the server began to wait for it.
        waiting_since: Option<Instant>,
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
    /// Whether the client may speak HTTP/2.
    pub(super) offers_http2: bool,
    pub(super) registration: Registration,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    /// Whether the connection may hold output that was written to it: TLS keeps what a full socket does not take.
    is_unflushed: bool,
    /// Whether a buffer is too large to keep while the connection is idle.
    pub(super) is_large: bool,
    pub(super) timer: Timer,
    pub(super) opened: Instant,
    /// When the last response was written, within a few milliseconds, or the connection was opened.
    pub(super) idle_since: Instant,
    /// When the first bytes of the current head were received.
    pub(super) head_since: Option<Instant>,
    /// The bytes of empty lines before that head.
    pub(super) skipped: usize,
    /// When the connection learned that the server stops.
    pub(super) stops_since: Option<Instant>,
    /// When the server began to wait for the client to read the output.
    pub(super) unread_since: Option<Instant>,
    pub(super) body: Body,
    /// How many requests were read.
    pub(super) requests: u64,
}

impl<T: ActixStream> Wire<T> {
    pub(super) fn new<S>(
        io: T,
        peer: Option<SocketAddr>,
        shared: &Shared<S>,
        registration: Registration,
    ) -> Self {
        let opened = registration.opened();
        Self {
            io,
            peer,
            codec: Codec::new(shared.config.clone()),
            limits: shared.limits,
            offers_http2: shared.grpc.is_some(),
            registration,
            input: BytesMut::new(),
            output: BytesMut::new(),
            is_unflushed: false,
            is_large: false,
            timer: Timer::default(),
            opened,
            idle_since: opened,
            head_since: None,
            skipped: 0,
            stops_since: None,
            unread_since: None,
            body: Body::Complete,
            requests: 0,
        }
    }

    /// The number of the last request.
    pub(super) fn request(&self) -> u64 {
        self.requests
    }

    /// Adds the head of a response to the output. If it `is_last`, the connection closes after it.
    pub(super) fn write_head(
        &mut self,
        mut response: Response<()>,
        size: BodySize,
        is_last: bool,
    ) -> Result<(), CloseReason> {
        let now = self.registration.now();
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
            || self.registration.is_last_response()
        {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        self.idle_since = now;
        self.encode(Message::Item((response, size)))
    }

    /// Adds a chunk of a response's body to the output, or its end.
    pub(super) fn write_chunk(&mut self, chunk: Option<Bytes>) -> Result<(), CloseReason> {
        self.encode(Message::Chunk(chunk))
    }

    fn encode(&mut self, message: Message<(Response<()>, BodySize)>) -> Result<(), CloseReason> {
        self.codec.encode(message, &mut self.output).map_err(|_| CloseReason::AtOnce)?;
        self.is_large |= self.output.len() > LARGEST_IDLE_BUFFER;
        Ok(())
    }

    /// Whether the connection stays open after the response that was written.
    pub(super) fn keeps_alive(&self) -> bool {
        self.codec.keep_alive()
    }

    /// Bytes of output that are still to be written to the client.
    pub(super) fn unwritten(&self) -> usize {
        self.output.len()
    }

    /// Writes all output to the client, within the time limit for its reading.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        if self.output.is_empty() && !self.is_unflushed {
            return Poll::Ready(Ok(()));
        }
        match self.poll_write(cx) {
            Poll::Ready(Ok(())) => {
                if self.unread_since.take().is_some() {
                    self.registration.progressed();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(CloseReason::Gone)),
            Poll::Pending => self.poll_write_limits(cx).map(Err),
        }
    }

    /// Writes output to the client, as much as it takes.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.output)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(length) if length == self.output.len() => self.output.clear(),
                Ok(length) => self.output.advance(length),
                Err(error) => return Poll::Ready(Err(error)),
            }
            self.is_unflushed = true;
        }
        if self.is_unflushed {
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Waits for a reason to close a connection that cannot write.
    fn poll_write_limits(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let directive = self.registration.wait(cx);
        if directive == Directive::Close {
            return Poll::Ready(CloseReason::AtOnce);
        }
        let since = *self.unread_since.get_or_insert_with(Instant::now);
        let deadline = self.deadline(directive, since + self.limits.write_timeout);
        ready!(self.timer.poll(cx, deadline));
        self.registration.count(Limit::WriteTimeout);
        Poll::Ready(CloseReason::AtOnce)
    }

    /// When the server stops waiting for the client: at `deadline`, or sooner while the server stops.
    pub(super) fn deadline(&mut self, directive: Directive, deadline: Instant) -> Instant {
        match directive {
            Directive::CloseIfIdle => {
                // The time before the stop does not count.
                let since = *self.stops_since.get_or_insert_with(Instant::now);
                deadline.min(since + STOP_PATIENCE)
            }
            Directive::Stay | Directive::Close => deadline,
        }
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.input.capacity() - self.input.len() < READ_SIZE / 8 {
            self.input.reserve(READ_SIZE);
        }
        let read = poll_read_buf(Pin::new(&mut self.io), cx, &mut self.input);
        self.is_large |= self.input.len() > LARGEST_IDLE_BUFFER;
        read
    }

    /// Releases large buffers that are empty, because the connection may be idle for long.
    pub(super) fn release_buffers(&mut self) {
        if self.is_large && self.input.is_empty() && self.output.is_empty() {
            self.is_large = false;
            self.input = BytesMut::new();
            self.output = BytesMut::new();
        }
    }

    /// Writes all output, and closes the direction to the client.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx).map_err(|_| CloseReason::Gone)
    }

    /// Reads and drops what the client still sends, until `deadline` and at most `bytes`. A client that is
    /// cut off while it writes may lose the response before it has read it.
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
                Poll::Pending if self.registration.wait(cx) == Directive::Close => {
                    return Poll::Ready(());
                }
                Poll::Pending => return self.timer.poll(cx, deadline),
            }
        }
    }
}
