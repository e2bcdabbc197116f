//! Servers whose addresses are taken, and which accept nothing before they are awaited.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use actix_http::body::MessageBody;
use actix_http::{KeepAlive, Request, Response, ServiceConfigBuilder};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, Service as _, ServiceFactory};
use actix_web::dev::{AppConfig, Server, ServiceRequest, ServiceResponse, fn_factory, fn_service};
use actix_web::middleware::Condition;
use actix_web::rt::net::{ActixStream, TcpStream, UnixStream};
use actix_web::web::Data;
use actix_web::{App, Error, HttpResponse};

use super::connection::{Shared, serve};
use super::files;
use super::unix_socket::{self, SocketFile};
use crate::actix::rate_limit::RateLimit;
use crate::app::auth::Authenticate;
use crate::app::config::{Config, ConnectionLimits, Listen};
use crate::app::endpoints;
use crate::app::operators;
use crate::app::operators::Admin;
use crate::app::serve::registry::{Connections, Limit};
use crate::http::problem;
use crate::http::problem::Refusal;

/// What requests are answered with.
pub(super) struct Parts {
    pub(super) rate_limit: RateLimit,
    pub(super) authenticate: Authenticate,
    /// Whether there is any way to be authenticated.
    pub(super) authenticates: bool,
    pub(super) admin: Data<Admin>,
}

/// The parts, which are made after the addresses are taken.
pub(super) type Late = Arc<OnceLock<Parts>>;

const IN_TIME: &str = "the parts are there before a server is awaited";

/// A server with its addresses.
pub(super) struct Bound {
    pub(super) server: Server,
    /// The addresses, as the log names them.
    pub(super) places: Vec<String>,
    /// It goes with this.
    _socket_file: Option<SocketFile>,
}

/// The server of the app.
///
/// # Errors
/// When its address cannot be listened on.
pub(super) async fn app(
    config: &Config,
    connections: Arc<Connections>,
    parts: Late,
) -> io::Result<Bound> {
    let limits = config.server.limits;
    let counted = connections.clone();
    let app = move || {
        let parts = parts.get().expect(IN_TIME);
        let connections = counted.clone();
        App::new()
            .configure(endpoints::configure)
            .wrap_fn(move |request, service| {
                let is_too_large = endpoints::is_larger(&request, limits.max_body_bytes);
                let answer = if is_too_large {
                    connections.count(Limit::MaxBodyBytes);
                    Err(request)
                } else {
                    Ok(service.call(request))
                };
                answer_or(answer, problem::too_large)
            })
            .wrap(parts.rate_limit.clone())
            // What is wrapped later runs earlier: quotas need to know who is asking.
            .wrap(Condition::new(parts.authenticates, parts.authenticate.clone()))
    };
    let builder = builder(files::workers(config));
    let backlog = config.server.backlog;
    match &config.server.listen {
        Listen::Tcp(address) => {
            let (builder, places) = listen(builder, address, backlog, limits, &connections, app)?;
            Ok(Bound { server: builder.run(), places, _socket_file: None })
        }
        listen @ Listen::Unix(path) => {
            let (listener, file) = unix_socket::bind(path).await?;
            rustix::net::listen(&listener, backlog)?;
            let service = move || service(connections.clone(), limits, app());
            let builder = builder.listen_uds("app", listener, service)?;
            let places = vec![listen.to_string()];
            Ok(Bound { server: builder.run(), places, _socket_file: Some(file) })
        }
    }
}

/// The server of the operators' endpoints at `address`.
///
/// # Errors
/// When it cannot be listened on.
pub(super) fn admin(
    address: &str,
    config: &Config,
    connections: Arc<Connections>,
    parts: Late,
) -> io::Result<Bound> {
    let app = move || {
        let admin = parts.get().expect(IN_TIME).admin.clone();
        App::new().configure(|app| operators::configure(app, admin.clone())).wrap_fn(
            move |request, service| {
                let answer = match admin.is_called_by(request.uri(), request.headers()) {
                    true => Ok(service.call(request)),
                    false => Err(request),
                };
                answer_or(answer, problem::misdirected)
            },
        )
    };
    let (limits, backlog) = (config.server.limits, config.server.backlog);
    let (builder, places) = listen(builder(1), address, backlog, limits, &connections, app)?;
    Ok(Bound { server: builder.run(), places, _socket_file: None })
}

/// A server that leaves to us what it does of its own accord: signals, and a most of connections.
fn builder(workers: usize) -> ServerBuilder {
    ServerBuilder::new()
        .workers(workers)
        .worker_max_blocking_threads(1)
        .max_concurrent_connections(usize::MAX / 2)
        .disable_signals()
}

/// Adds the addresses of `address`, each of which serves `app`.
fn listen<A, I, S, B>(
    mut builder: ServerBuilder,
    address: &str,
    backlog: i32,
    limits: ConnectionLimits,
    connections: &Arc<Connections>,
    app: A,
) -> io::Result<(ServerBuilder, Vec<String>)>
where
    A: Fn() -> I + Clone + Send + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error: Into<Error>, Response: Into<Response<B>>>
        + 'static,
    B: MessageBody + 'static,
{
    let mut places = Vec::new();
    for listener in bind(address)? {
        // Its own backlog is not ours to choose, but to change.
        rustix::net::listen(&listener, backlog)?;
        let place = format!("http://{}", listener.local_addr()?);
        let (connections, app) = (connections.clone(), app.clone());
        let service = move || service(connections.clone(), limits, app());
        builder = builder.listen(&place, listener, service)?;
        places.push(place);
    }
    Ok((builder, places))
}

/// Takes the addresses that `address` resolves to, those of them that can be had.
fn bind(address: &str) -> io::Result<Vec<TcpListener>> {
    let mut refused = None;
    let mut bound = Vec::new();
    for address in address.to_socket_addrs()? {
        match TcpListener::bind(address) {
            Ok(listener) => bound.push(listener),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

/// Makes what answers a worker's connections, out of the app that it makes.
fn service<T, I, S, B>(
    connections: Arc<Connections>,
    limits: ConnectionLimits,
    app: I,
) -> impl ServiceFactory<T, Config = ()>
where
    T: Accepted,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error: Into<Error>, Response: Into<Response<B>>>
        + 'static,
    B: MessageBody + 'static,
{
    let app = Rc::new(app.into_factory());
    let keep_alive = KeepAlive::Timeout(limits.keep_alive);
    fn_factory(move || {
        let (app, connections) = (app.clone(), connections.clone());
        async move {
            let service = app.new_service(AppConfig::default()).await?;
            let config = ServiceConfigBuilder::new().keep_alive(keep_alive).build();
            let shared = Rc::new(Shared { service, config, limits });
            Ok::<_, S::InitError>(fn_service(move |io: T| {
                let (shared, connections) = (shared.clone(), connections.clone());
                async move {
                    // It is closed where it is gone already, or one too many.
                    if let Ok(peer) = io.prepare() {
                        let address = peer.map(|peer| peer.ip());
                        connections.wait_for_room(address).await;
                        if let Ok(registration) = connections.take_up(address) {
                            serve(io, peer, &shared, registration).await;
                        }
                    }
                    Ok::<_, Infallible>(())
                }
            }))
        }
    })
}

/// A connection that was accepted.
trait Accepted: ActixStream + 'static {
    /// Makes it ready to be served, and says where it comes from, if that can be said.
    ///
    /// # Errors
    /// When it is closed already.
    fn prepare(&self) -> io::Result<Option<SocketAddr>>;
}

impl Accepted for TcpStream {
    fn prepare(&self) -> io::Result<Option<SocketAddr>> {
        // Or whoever sends several requests at a time waits for acknowledgements in between.
        self.set_nodelay(true)?;
        self.peer_addr().map(Some)
    }
}

impl Accepted for UnixStream {
    fn prepare(&self) -> io::Result<Option<SocketAddr>> {
        Ok(None)
    }
}

/// The answer that a service is to give, or the refusal of a request that it was not given.
async fn answer_or<F>(
    answer: Result<F, ServiceRequest>,
    refusal: fn(&ServiceRequest) -> Refusal,
) -> F::Output
where
    F: Future<Output = Result<ServiceResponse, Error>>,
{
    match answer {
        Ok(answer) => answer.await,
        Err(request) => {
            let refusal = refusal(&request);
            Ok(request.into_response(HttpResponse::from(refusal)))
        }
    }
}
