//! Servers whose addresses are taken, and which accept nothing before they are awaited.

use std::io;
use std::sync::{Arc, OnceLock};

use actix_http::body::{BoxBody, MessageBody};
use actix_http::{Request, Response};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, Service as _, ServiceFactory};
use actix_web::dev::{AppConfig, Server, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::rt::net::{TcpStream, UnixStream};
use actix_web::web::Data;
use actix_web::{App, Error, HttpResponse};

use super::bind::bind;
use super::file_limit;
use super::greeting::{Greeting, Plain, Tls};
use super::proxy_protocol::HeaderRequired;
use super::under_snapshot::UnderSnapshot;
use super::unix_socket::{self, SocketAccess, SocketFile};
use super::worker::{MakeGrpc, Manner, service};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::config::{Config, Listen};
use crate::app::connections::{Connections, Limit};
use crate::app::endpoints;
use crate::app::gate;
use crate::app::gate::Grpc;
use crate::app::operators;
use crate::app::operators::AdminState;
use crate::http::ClientIp;
use crate::http::problem;
use crate::http::problem::Refusal;

/// What the servers need to answer requests.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) snapshot: CurrentSnapshot,
    pub(super) admin: Data<AdminState>,
}

/// A cell that is filled after the addresses are taken, and before a server is awaited.
pub(super) type WhenAssembled = Arc<OnceLock<Assembled>>;

const IN_TIME: &str = "the app is assembled before a server is awaited";

/// A server with its addresses.
pub(super) struct Bound {
    pub(super) server: Server,
    /// The addresses, as the log names them.
    pub(super) addresses: Vec<String>,
    /// Dropping it removes the socket's file.
    pub(super) socket_file: Option<SocketFile>,
}

/// The server of the app.
///
/// # Errors
/// When its address cannot be listened on.
pub(super) async fn app(
    config: &Config,
    connections: Arc<Connections>,
    assembled: WhenAssembled,
) -> io::Result<Bound> {
    let limits = config.server.limits;
    let header = header_required(config.server.proxy_protocol, &assembled, |it| &it.client_ip);
    let counts = connections.clone();
    let app = move || {
        let assembled = assembled.get().expect(IN_TIME);
        let connections = counts.clone();
        App::new()
            .configure(endpoints::configure)
            .wrap_fn(move |request, service| {
                let is_too_large = endpoints::is_larger(&request, limits.max_body_bytes);
                let response = if is_too_large {
                    connections.count(Limit::MaxBodyBytes);
                    Err(request)
                } else {
                    Ok(service.call(request))
                };
                respond_or_refuse(response, problem::too_large)
            })
            // What is wrapped last runs first.
            .wrap(UnderSnapshot::new(assembled.snapshot.clone()))
    };
    let builder = builder(file_limit::workers(config));
    let Config { server, .. } = config;
    let access = SocketAccess::ByUmask;
    let manner = Manner { connections, limits, header, greeting: Plain, grpc: None };
    serve(builder, &server.listen, access, server.backlog, manner, app).await
}

/// The server of the operators' endpoints at `address`.
///
/// # Errors
/// When it cannot be listened on.
pub(super) async fn admin(
    address: &Listen,
    config: &Config,
    connections: Arc<Connections>,
    assembled: WhenAssembled,
) -> io::Result<Bound> {
    let app = move || {
        let admin = assembled.get().expect(IN_TIME).admin.clone();
        let guard = admin.clone();
        App::new()
            .configure(|app| operators::configure(app, admin.clone()))
            .wrap(from_fn(move |request: ServiceRequest, next: Next<BoxBody>| {
                let guard = guard.clone();
                async move {
                    match guard.admit(&request).await {
                        Ok(()) => next.call(request).await,
                        Err(response) => Ok(request.into_response(response)),
                    }
                }
            }))
            // What is wrapped last runs first.
            .wrap_fn(move |request, service| {
                let response = match admin.is_called_by(request.uri(), request.headers()) {
                    true => Ok(service.call(request)),
                    false => Err(request),
                };
                respond_or_refuse(response, problem::misdirected)
            })
    };
    let limits = operators::limits(config.server.limits);
    let manner = Manner { connections, limits, header: None, greeting: Plain, grpc: None };
    serve(builder(1), address, SocketAccess::Owner, config.server.backlog, manner, app).await
}

/// The server of the gate at `address`.
///
/// # Errors
/// When it cannot be listened on.
pub(super) async fn gate(
    address: &Listen,
    config: &Config,
    connections: Arc<Connections>,
    assembled: WhenAssembled,
) -> io::Result<Bound> {
    let limits = config.gate.limits;
    let header = header_required(config.gate.proxy_protocol, &assembled, |it| &it.gate_client_ip);
    let counts = connections.clone();
    let of_grpc = assembled.clone();
    let grpc: Option<MakeGrpc> =
        Some(Arc::new(move || Grpc::new(of_grpc.get().expect(IN_TIME).snapshot.clone())));
    let app = move || {
        let snapshot = assembled.get().expect(IN_TIME).snapshot.clone();
        let (guarded, counts) = (snapshot.clone(), counts.clone());
        App::new().configure(|app| gate::configure(app, snapshot)).wrap(from_fn(
            move |request: ServiceRequest, next: Next<BoxBody>| {
                let (snapshot, counts) = (guarded.clone(), counts.clone());
                async move {
                    if endpoints::is_larger(&request, limits.max_body_bytes) {
                        counts.count(Limit::MaxBodyBytes);
                        return Ok(request.into_response(gate::too_large(limits.max_body_bytes)));
                    }
                    match gate::admit(&request, &snapshot).await {
                        Ok(()) => next.call(request).await,
                        Err(response) => Ok(request.into_response(response)),
                    }
                }
            },
        ))
    };
    let backlog = config.server.backlog;
    let builder = builder(file_limit::workers(config));
    match &config.gate.tls {
        None => {
            let manner = Manner { connections, limits, header, greeting: Plain, grpc };
            serve(builder, address, SocketAccess::ByUmask, backlog, manner, app).await
        }
        Some(tls) => {
            let greeting = Tls::new(tls.config().map_err(io::Error::other)?);
            let manner = Manner { connections, limits, header, greeting, grpc };
            serve(builder, address, SocketAccess::ByUmask, backlog, manner, app).await
        }
    }
}

/// The header of the PROXY protocol, if it `is_required`: from the proxies that `client_ip` of the snapshot in force lists.
fn header_required(
    is_required: bool,
    assembled: &WhenAssembled,
    client_ip: fn(&Snapshot) -> &ClientIp,
) -> Option<HeaderRequired> {
    let assembled = assembled.clone();
    is_required.then(|| {
        HeaderRequired::from_trusted(move |peer| {
            let assembled = assembled.get().expect(IN_TIME);
            client_ip(&assembled.snapshot.load()).lists(peer)
        })
    })
}

/// The builder of a server without its own handling of signals and its own limit of connections, both of
/// which the app has itself.
fn builder(workers: usize) -> ServerBuilder {
    ServerBuilder::new()
        .workers(workers)
        .worker_max_blocking_threads(1)
        .max_concurrent_connections(usize::MAX / 2)
        .disable_signals()
}

/// The server of `app` at `address`. If that is a socket, `access` says who may connect.
///
/// # Errors
/// When it cannot be listened on.
async fn serve<A, G, I, S, B>(
    builder: ServerBuilder,
    address: &Listen,
    access: SocketAccess,
    backlog: i32,
    manner: Manner<G>,
    app: A,
) -> io::Result<Bound>
where
    A: Fn() -> I + Clone + Send + 'static,
    G: Greeting<TcpStream> + Greeting<UnixStream>,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error: Into<Error>, Response: Into<Response<B>>>
        + 'static,
    B: MessageBody + 'static,
{
    match address {
        Listen::Tcp(address) => {
            let (builder, addresses) = listen(builder, address, backlog, &manner, app)?;
            Ok(Bound { server: builder.run(), addresses, socket_file: None })
        }
        Listen::Unix(path) => {
            let (listener, file) = unix_socket::bind(path, access).await?;
            rustix::net::listen(&listener, backlog)?;
            let shown = address.to_string();
            let service = move || service(manner.clone(), app());
            let builder = builder.listen_uds(&shown, listener, service)?;
            Ok(Bound { server: builder.run(), addresses: vec![shown], socket_file: Some(file) })
        }
    }
}

/// Listens on every address that `address` resolves to, and serves `app` there.
fn listen<A, G, I, S, B>(
    mut builder: ServerBuilder,
    address: &str,
    backlog: i32,
    manner: &Manner<G>,
    app: A,
) -> io::Result<(ServerBuilder, Vec<String>)>
where
    A: Fn() -> I + Clone + Send + 'static,
    G: Greeting<TcpStream> + Greeting<UnixStream>,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error: Into<Error>, Response: Into<Response<B>>>
        + 'static,
    B: MessageBody + 'static,
{
    let mut addresses = Vec::new();
    for listener in bind(address)? {
        // The standard library chooses a backlog of its own; to listen again changes it.
        rustix::net::listen(&listener, backlog)?;
        let shown = format!("{}://{}", <G as Greeting<TcpStream>>::SCHEME, listener.local_addr()?);
        let (manner, app) = (manner.clone(), app.clone());
        let service = move || service(manner.clone(), app());
        builder = builder.listen(&shown, listener, service)?;
        addresses.push(shown);
    }
    Ok((builder, addresses))
}

/// Waits for the response of a service, or refuses a request that no service got.
async fn respond_or_refuse<F>(
    response: Result<F, ServiceRequest>,
    refusal: fn(&ServiceRequest) -> Refusal,
) -> F::Output
where
    F: Future<Output = Result<ServiceResponse, Error>>,
{
    match response {
        Ok(response) => response.await,
        Err(request) => {
            let refusal = refusal(&request);
            Ok(request.into_response(HttpResponse::from(refusal)))
        }
    }
}
