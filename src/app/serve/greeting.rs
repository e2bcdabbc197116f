//! What happens on a connection before its first request: nothing, or the handshake of TLS.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::{ActixStream, Ready};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connection::Timer;
use crate::app::connections::{Directive, Limit, Registration};

/// What happens on a connection before its first request.
pub(super) trait Greeting<T>: Clone + Send + 'static {
    /// The connection for requests.
    type Stream: ActixStream + 'static;

    /// How its URLs begin.
    const SCHEME: &'static str;

    /// The connection once it is ready for requests, within `time_limit`; `None` if it is to be closed.
    async fn greet(
        &self,
        io: T,
        registration: &Registration,
        time_limit: Duration,
    ) -> Option<Self::Stream>;
}

/// Requests follow at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

/// The handshake of TLS comes first.
#[derive(Clone)]
pub(super) struct Tls(TlsAcceptor);

impl Tls {
    pub(super) fn new(config: Arc<ServerConfig>) -> Self {
        Self(config.into())
    }
}

impl<T: ActixStream + 'static> Greeting<T> for Plain {
    type Stream = T;

    const SCHEME: &'static str = "http";

    async fn greet(&self, io: T, _: &Registration, _: Duration) -> Option<T> {
        Some(io)
    }
}

impl<T: ActixStream + 'static> Greeting<T> for Tls {
    type Stream = Encrypted<T>;

    const SCHEME: &'static str = "https";

    async fn greet(
        &self,
        io: T,
        registration: &Registration,
        time_limit: Duration,
    ) -> Option<Encrypted<T>> {
        let deadline = registration.opened() + time_limit;
        let mut handshake = pin!(self.0.accept(io));
        let mut timer = Timer::default();
        let shaken = poll_fn(|context| {
            if let Poll::Ready(result) = handshake.as_mut().poll(context) {
                return Poll::Ready(Some(result));
            }
            if registration.wait(context) != Directive::Stay {
                return Poll::Ready(None);
            }
            timer.poll(context, deadline).map(|()| {
                registration.count(Limit::HeaderTimeout);
                Some(Err(io::ErrorKind::TimedOut.into()))
            })
        })
        .await;
        registration.progressed();
        match shaken? {
            Ok(stream) => Some(Encrypted(stream)),
            Err(error) => {
                // At this level alone, because clients could fill the log.
                log::debug!("A handshake of TLS failed: {error}.");
                registration.count_failed_handshake();
                None
            }
        }
    }
}

/// A connection with TLS.
#[derive(Debug)]
pub(super) struct Encrypted<T>(TlsStream<T>);

impl<T: ActixStream> AsyncRead for Encrypted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<T: ActixStream> AsyncWrite for Encrypted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl<T: ActixStream> ActixStream for Encrypted<T> {
    fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.0.get_ref().0.poll_read_ready(context)
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.0.get_ref().0.poll_write_ready(context)
    }
}
