//! The PROXY protocol: a trusted proxy says, before the first byte of its client, where that client connects from.
//!
//! A peer that is not trusted is closed before anything is read, and so is a trusted one that sends no such header. A
//! header is never optional: where it were, a client could send one through a proxy that adds none.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::rt::net::ActixStream;
use tokio::io::ReadBuf;

use self::header::{HeaderError, Source, Step};
use super::connection::Timer;
use crate::app::connections::{Directive, Limit, Registration};

mod header;

/// Says which peers are proxies that are to send the header.
#[derive(Clone)]
pub(super) struct HeaderRequired(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl HeaderRequired {
    /// The proxies are those for which `is_trusted` returns true.
    pub(super) fn from_trusted(
        is_trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(is_trusted))
    }

    /// Whether the header of `peer` is believed. A peer without an address came over a Unix socket: whoever may connect
    /// there is a proxy.
    pub(super) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.is_none_or(|address| (self.0)(address))
    }
}

impl fmt::Debug for HeaderRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderRequired")
    }
}

/// Why a connection is closed before its first request.
#[derive(Debug)]
enum Broken {
    /// The peer closed it, or it is to be closed for another reason.
    Gone,
    Header(HeaderError),
}

/// Where the client of the connection from `peer` connects from: what the header says, or `peer` itself if that speaks
/// for itself. Returns `None` if the connection is to be closed.
///
/// Exactly the header is read, so `io` is then at the first byte of the client.
pub(super) async fn client_of<T: ActixStream>(
    io: &mut T,
    peer: Option<SocketAddr>,
    registration: &mut Registration,
    time_limit: Duration,
) -> Option<Option<SocketAddr>> {
    let deadline = registration.opened() + time_limit;
    let mut header = Vec::new();
    let mut timer = Timer::default();
    let read = poll_fn(|context| {
        if let Poll::Ready(read) = poll_header(io, &mut header, context) {
            return Poll::Ready(read);
        }
        if registration.wait(context) != Directive::Stay {
            return Poll::Ready(Err(Broken::Gone));
        }
        timer.poll(context, deadline).map(|()| {
            registration.count(Limit::HeaderTimeout);
            Err(Broken::Gone)
        })
    })
    .await;
    registration.progressed();
    match read {
        Ok(Source::Peer) => Some(peer),
        Ok(Source::Client(client)) => {
            registration.count_by(client.ip()).is_ok().then_some(Some(client))
        }
        Err(Broken::Gone) => None,
        Err(Broken::Header(error)) => {
            registration.refuse_header(peer.map(|peer| peer.ip()), &error);
            None
        }
    }
}

/// Reads on until `header` is whole.
fn poll_header<T: ActixStream>(
    io: &mut T,
    header: &mut Vec<u8>,
    context: &mut Context<'_>,
) -> Poll<Result<Source, Broken>> {
    loop {
        let missing = match header::step(header) {
            Ok(Step::Done(source)) => return Poll::Ready(Ok(source)),
            Ok(Step::Read(missing)) => missing,
            Err(error) => return Poll::Ready(Err(Broken::Header(error))),
        };
        let read = header.len();
        header.resize(read + missing, 0);
        let mut buffer = ReadBuf::new(&mut header[read..]);
        let polled = Pin::new(&mut *io).poll_read(context, &mut buffer);
        let received = buffer.filled().len();
        header.truncate(read + received);
        let result: io::Result<()> = ready!(polled);
        if result.is_err() || received == 0 {
            // A balancer that only looks whether the port is open sends nothing.
            let is_empty = result.is_err() || header.is_empty();
            let broken = if is_empty { Broken::Gone } else { Broken::Header(HeaderError::CutOff) };
            return Poll::Ready(Err(broken));
        }
    }
}
