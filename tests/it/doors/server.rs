//! Servers of the application, one for each door.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use actix_web::body::BoxBody;
use actix_web::dev::{ServerHandle, Service as _};
use actix_web::http::StatusCode;
use actix_web::middleware::Condition;
use actix_web::{App as ActixApp, HttpMessage as _, HttpRequest, HttpResponse, HttpServer, web};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request as AxumRequest};
use axum::middleware::map_request;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tollgate::{RateLimit, RateLimitLayer};
use tower::util::BoxCloneService;
use tower::{ServiceExt as _, service_fn};
use tower_layer::Layer as _;

use super::app::{Answer, Content, Head, answer, wait};
use super::{App, Door, Limit};

/// What keeps a server under way.
#[allow(dead_code)] // it is kept for its drop
pub(super) enum Running {
    Actix(Actix),
    Tokio(Runtime),
}

/// Serves `app` through `door` on a free port. Counts in `reached` the requests that get to the
/// application.
pub(super) fn start(door: Door, app: App, reached: Arc<AtomicUsize>) -> (SocketAddr, Running) {
    match door {
        Door::Actix => actix(app, reached),
        Door::Axum => on_tokio(|listener| axum(listener, app, reached)),
        Door::Hyper => on_tokio(|listener| hyper(listener, app, reached)),
    }
}

/// A server of actix-web on a thread of its own.
pub(super) struct Actix {
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Actix {
    fn drop(&mut self) {
        // It is told at once; the future only waits for the end, as the thread does.
        drop(self.server.stop(false));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(())) | None), "the server panicked");
    }
}

fn actix(app: App, reached: Arc<AtomicUsize>) -> (SocketAddr, Running) {
    let inner = middleware(&app.inner);
    let outer = app.outer.as_ref().map(middleware);
    let (sender, started) = mpsc::channel();
    let thread = thread::spawn(move || {
        let reached = web::Data::from(reached);
        let server = HttpServer::new(move || {
            // Where there is no outer limit, the inner one stands for its type and does nothing.
            let around = outer.clone().unwrap_or_else(|| inner.clone());
            ActixApp::new()
                .app_data(reached.clone())
                .wrap(inner.clone())
                .wrap(Condition::new(outer.is_some(), around))
                .wrap_fn(|request, service| {
                    if let Some(user) = Head::from(request.request()).user() {
                        request.extensions_mut().insert(user);
                    }
                    service.call(request)
                })
                .default_service(web::to(handler))
        });
        // It notices at once when a client hangs up.
        let server = server.workers(2).disable_signals().h1_allow_half_closed(false);
        let server = server.bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = server.addrs()[0];
        actix_web::rt::System::new().block_on(async {
            let server = server.run();
            sender.send((address, server.handle())).expect("the test waits");
            server.await.expect("it serves");
        });
    });
    let (address, server) = started.recv().expect("it starts");
    (address, Running::Actix(Actix { server, thread: Some(thread) }))
}

async fn handler(request: HttpRequest, reached: web::Data<AtomicUsize>) -> HttpResponse {
    reached.fetch_add(1, Ordering::SeqCst);
    let head = Head::from(&request);
    wait(&head).await;
    let Answer { status, lines, content } = answer(&head);
    let status = StatusCode::from_u16(status).expect("a status");
    let mut response = HttpResponse::build(status);
    for line in lines {
        response.append_header(line);
    }
    response.body(BoxBody::new(content))
}

fn middleware(limit: &Limit) -> RateLimit {
    let mut it = RateLimit::new(limit.limiter.clone())
        .client_ip(limit.client_ip.clone())
        .send_headers(limit.formats.iter().copied())
        .expect("formats that go together")
        .retry_jitter(limit.jitter)
        .expose_headers(limit.expose);
    if let Some(refusals) = &limit.refusals {
        it = it.refusals(refusals.clone());
    }
    if let Some(name) = limit.request_id_header {
        it = it.request_id_header(name.parse().expect("a header field"));
    }
    if let Some(policies) = &limit.policies {
        it = it.policies(policies).expect("policies that exist");
    }
    if let Some(user) = limit.user {
        it = it.user(move |request| user(&Head::from(request.request())));
    }
    if let Some(cost) = limit.cost {
        it = it.cost(move |request| cost(&Head::from(request.request())));
    }
    if let Some(skip) = limit.skip {
        it = it.skip(move |request| skip(&Head::from(request.request())));
    }
    it
}

fn layer(limit: &Limit) -> RateLimitLayer {
    let mut it = RateLimitLayer::new(limit.limiter.clone())
        .client_ip(limit.client_ip.clone())
        .send_headers(limit.formats.iter().copied())
        .expect("formats that go together")
        .retry_jitter(limit.jitter)
        .expose_headers(limit.expose);
    if let Some(refusals) = &limit.refusals {
        it = it.refusals(refusals.clone());
    }
    if let Some(name) = limit.request_id_header {
        it = it.request_id_header(name.parse().expect("a header field"));
    }
    if let Some(policies) = &limit.policies {
        it = it.policies(policies).expect("policies that exist");
    }
    if let Some(user) = limit.user {
        it = it.user(move |request| user(&Head::from(request)));
    }
    if let Some(cost) = limit.cost {
        it = it.cost(move |request| cost(&Head::from(request)));
    }
    if let Some(skip) = limit.skip {
        it = it.skip(move |request| skip(&Head::from(request)));
    }
    it
}

/// A server on tokio's runtime with several threads.
fn on_tokio<F>(serve: impl FnOnce(TcpListener) -> F) -> (SocketAddr, Running)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = runtime.block_on(listener).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    runtime.spawn(serve(listener));
    (address, Running::Tokio(runtime))
}

async fn axum(listener: TcpListener, app: App, reached: Arc<AtomicUsize>) {
    let by_connection =
        |limit: &Limit| layer(limit).peer(|peer: &ConnectInfo<SocketAddr>| Some(peer.0));
    let mut router = Router::new()
        .fallback(move |request: AxumRequest| {
            let response = respond(request, reached.clone());
            async { response.await.map(Body::new) }
        })
        .layer(by_connection(&app.inner));
    if let Some(outer) = &app.outer {
        router = router.layer(by_connection(outer));
    }
    let router = router.layer(map_request(|request: AxumRequest| async { authenticated(request) }));
    let app = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await.expect("it serves");
}

async fn hyper(listener: TcpListener, app: App, reached: Arc<AtomicUsize>) {
    let application = service_fn(move |request: Request<Incoming>| {
        let response = respond(request, reached.clone());
        async { Ok(response.await.map(BodyExt::boxed_unsync)) }
    });
    let mut service = limited(&app.inner, application.boxed_clone());
    if let Some(outer) = &app.outer {
        service = limited(outer, service);
    }
    while let Ok((stream, peer)) = listener.accept().await {
        let service = service.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            authenticated(request)
        });
        let service = TowerToHyperService::new(service);
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

type Plain =
    BoxCloneService<Request<Incoming>, Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible>;

fn limited(limit: &Limit, service: Plain) -> Plain {
    let service = layer(limit).layer(service);
    service.map_response(|response| response.map(BodyExt::boxed_unsync)).boxed_clone()
}

fn respond<B>(
    request: Request<B>,
    reached: Arc<AtomicUsize>,
) -> impl Future<Output = Response<Content>> + use<B> {
    let head = Head::from(&request.into_parts().0);
    async move {
        reached.fetch_add(1, Ordering::SeqCst);
        wait(&head).await;
        response(&head)
    }
}

fn response(head: &Head) -> Response<Content> {
    let Answer { status, lines, content } = answer(head);
    let mut response = Response::builder().status(status);
    for (name, value) in lines {
        response = response.header(name, value);
    }
    response.body(content).expect("a response that can be written")
}

fn authenticated<B>(request: Request<B>) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    if let Some(user) = Head::from(&parts).user() {
        parts.extensions.insert(user);
    }
    Request::from_parts(parts, body)
}
