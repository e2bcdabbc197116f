//! A connection over HTTP/2: requests beside each other, each of gRPC or for the service that HTTP/1.1 has as well.
//!
//! hyper speaks the protocol. It runs in tasks of this worker thread, so the requests of all connections of the
//! worker reach the store together.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::{Request, Response};
use actix_web::dev::Service;
use actix_web::rt::net::ActixStream;
use actix_web::rt::time::Instant;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};

use self::request_body::RequestBody;
use self::response_body::Kind;
use self::rewound::Rewound;
use self::streams::Streams;
use super::shared::Shared;
use super::timer::Timer;
use super::wire::Wire;
use crate::app::config::ConnectionLimits;
use crate::app::connections::{Directive, Limit, Registration};
use crate::app::gate::Grpc;

mod plain;
mod request_body;
mod response_body;
mod rewound;
mod streams;

/// What a client sends first that speaks HTTP/2 (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Requests that a connection may have in progress at a time. Envoy opens another connection for more.
const MOST_STREAMS: u32 = 256;

/// Requests that a client may cancel before they are looked at, and ones that may break a rule, before the connection
/// closes. Otherwise a client could have any number of them begun (CVE-2023-44487).
const MOST_RESETS: usize = 20;

/// The bytes of all requests in progress that a client may send before any of them is read.
const WINDOW: u32 = 1_024 * 1_024;

/// How often a client is asked whether it is still there, and how long it may take to answer.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long requests in progress may still take once the client was told to send no more.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// Answers the requests of the connection that has begun in `wire`.
pub(super) async fn serve<S, B, T>(wire: Wire<T>, shared: &Rc<Shared<S>>, grpc: &Grpc)
where
    S: Service<Request, Error: Into<actix_web::Error>, Response: Into<Response<B>>> + 'static,
    B: MessageBody + 'static,
    T: ActixStream + 'static,
{
    let Wire { io, input, peer, limits, registration, timer, .. } = wire;
    let (streams, connections) = (Streams::new(), registration.connections().clone());
    let service = service_fn(|request: http::Request<Incoming>| {
        let stream = streams.open();
        let (shared, grpc) = (shared.clone(), grpc.clone());
        let request = request.map(|body| RequestBody::new(body, &limits, connections.clone()));
        async move {
            let response = if Grpc::is_asked_by(request.headers()) {
                let request = request.map(RequestBody::of_grpc);
                grpc.call(request, peer).await.map(Kind::Grpc)
            } else {
                plain::call(&shared.service, request, peer).await.map(Kind::Plain)
            };
            Ok::<_, Infallible>(response.map(|body| body.within(stream)))
        }
    });
    let io = TokioIo::new(Rewound::new(input.freeze(), io));
    let mut connection = pin!(builder(&limits).serve_connection(io, service));
    let mut waiting =
        Waiting { limits, registration, streams: &streams, timer, ending_since: None };
    poll_fn(|context| {
        loop {
            if let Poll::Ready(result) = connection.as_mut().poll(context) {
                if let Err(error) = result {
                    // At this level alone, because clients could fill the log.
                    log::debug!("A connection over HTTP/2 failed: {error}.");
                }
                return Poll::Ready(());
            }
            match ready!(waiting.poll(context)) {
                End::InOrder => connection.as_mut().graceful_shutdown(),
                End::AtOnce => return Poll::Ready(()),
            }
        }
    })
    .await;
}

fn builder(limits: &ConnectionLimits) -> Builder<OfThisThread> {
    let mut builder = Builder::new(OfThisThread);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_pending_accept_reset_streams(MOST_RESETS)
        .max_local_error_reset_streams(MOST_RESETS)
        .max_header_list_size(u32::try_from(limits.max_head_bytes).unwrap_or(u32::MAX))
        .initial_connection_window_size(WINDOW)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// Runs the tasks of a connection on the thread of the connection.
#[derive(Clone, Copy, Debug)]
struct OfThisThread;

impl<F: Future<Output = ()> + 'static> Executor<F> for OfThisThread {
    fn execute(&self, task: F) {
        actix_web::rt::spawn(task);
    }
}

/// How a connection ends.
enum End {
    /// Requests in progress are answered, and the client is told to send no more.
    InOrder,
    AtOnce,
}

/// What a connection waits for besides requests.
struct Waiting<'a> {
    limits: ConnectionLimits,
    registration: Registration,
    streams: &'a Streams,
    timer: Timer,
    /// When the client was told to send no more.
    ending_since: Option<Instant>,
}

impl Waiting<'_> {
    /// Waits for a reason to end the connection.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let idle_since = self.streams.idle_since(context);
        let directive = match idle_since {
            Some(_) => self.registration.wait(context),
            None => {
                self.registration.progressed();
                self.registration.watch(context)
            }
        };
        if directive == Directive::Close {
            return Poll::Ready(End::AtOnce);
        }
        if let Some(since) = self.ending_since {
            return self.timer.poll(context, since + LAST_PATIENCE).map(|()| End::AtOnce);
        }
        if !self.registration.is_last_response() {
            let (deadline, limit) = self.deadline(idle_since);
            ready!(self.timer.poll(context, deadline));
            self.registration.count(limit);
        }
        self.ending_since = Some(Instant::now());
        Poll::Ready(End::InOrder)
    }

    /// When the connection ends by itself, and by which limit.
    fn deadline(&self, idle_since: Option<Instant>) -> (Instant, Limit) {
        let limits = &self.limits;
        let old = (self.registration.opened() + limits.max_age, Limit::MaxConnectionAge);
        let idle = idle_since.map(|since| match self.streams.has_begun() {
            true => (since + limits.keep_alive, Limit::KeepAlive),
            false => (since + limits.keep_alive.max(limits.header_timeout), Limit::HeaderTimeout),
        });
        idle.filter(|(deadline, _)| *deadline < old.0).unwrap_or(old)
    }
}
