//! What serves the connections of a worker thread.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::MessageBody;
use actix_http::{KeepAlive, Request, Response, ServiceConfigBuilder};
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::Error;
use actix_web::dev::{AppConfig, fn_factory, fn_service};
use actix_web::rt::net::{ActixStream, TcpStream, UnixStream};

use super::connection::{Shared, serve};
use super::greeting::Greeting;
use super::proxy_protocol::{self, HeaderRequired};
use crate::app::config::ConnectionLimits;
use crate::app::connections::{Connections, Registration};
use crate::app::gate::Grpc;
use crate::store::DeferTask;

/// How a listener serves its connections.
#[derive(Clone)]
pub(super) struct Manner<G> {
    pub(super) connections: Arc<Connections>,
    pub(super) limits: ConnectionLimits,
    /// Whose connections begin with a header of the PROXY protocol; `None` if none does.
    pub(super) header: Option<HeaderRequired>,
    /// What comes before the first request, after that header.
    pub(super) greeting: G,
    /// Makes the services of gRPC; `None` where nobody speaks HTTP/2.
    pub(super) grpc: Option<MakeGrpc>,
}

/// Makes the services of gRPC of a worker, once the app is assembled.
pub(super) type MakeGrpc = Arc<dyn Fn() -> Grpc + Send + Sync>;

/// Makes the service of a worker's connections, which answers their requests by `app`.
pub(super) fn service<T, G, I, S, B>(
    manner: Manner<G>,
    app: I,
) -> impl ServiceFactory<T, Config = ()>
where
    T: Accepted,
    G: Greeting<T>,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error: Into<Error>, Response: Into<Response<B>>>
        + 'static,
    B: MessageBody + 'static,
{
    let app = Rc::new(app.into_factory());
    let manner = Rc::new(manner);
    fn_factory(move || {
        let (app, manner) = (app.clone(), manner.clone());
        async move {
            let service = app.new_service(AppConfig::default()).await?;
            let limits = manner.limits;
            let keep_alive = KeepAlive::Timeout(limits.keep_alive);
            let config = ServiceConfigBuilder::new().keep_alive(keep_alive).build();
            let grpc = manner.grpc.as_ref().map(|make| make());
            if grpc.is_some() {
                // What the requests of one turn ask goes to the store together.
                actix_web::rt::spawn(DeferTask::default());
            }
            let shared = Rc::new(Shared { service, config, limits, grpc });
            Ok::<_, S::InitError>(fn_service(move |mut io: T| {
                let (shared, manner) = (shared.clone(), manner.clone());
                async move {
                    // Dropping the connection closes it, if it is closed already or one too many.
                    if let Ok(peer) = io.prepare()
                        && let Some((registration, client)) = admit(&mut io, peer, &manner).await
                    {
                        let time_limit = limits.header_timeout;
                        let greeted = manner.greeting.greet(io, &registration, time_limit).await;
                        if let Some(io) = greeted {
                            serve(io, client, &shared, registration).await;
                        }
                    }
                    Ok::<_, Infallible>(())
                }
            }))
        }
    })
}

/// Registers the connection `io` from `peer`, and returns where its client connects from. Returns `None` if it is to be
/// closed.
async fn admit<T: Accepted, G>(
    io: &mut T,
    peer: Option<SocketAddr>,
    manner: &Manner<G>,
) -> Option<(Registration, Option<SocketAddr>)> {
    let Manner { connections, header, limits, .. } = manner;
    let address = peer.map(|peer| peer.ip());
    let Some(header) = header else {
        connections.wait_for_room(address).await;
        return Some((Registration::open(connections, address).ok()?, peer));
    };
    if !header.trusts(address) {
        connections.refuse_stranger(address);
        return None;
    }
    // The proxy itself is not counted by its address.
    connections.wait_for_room(None).await;
    let mut registration = Registration::open(connections, None).ok()?;
    let time_limit = limits.header_timeout;
    let client = proxy_protocol::client_of(io, peer, &mut registration, time_limit).await?;
    Some((registration, client))
}

/// A connection that was accepted.
pub(super) trait Accepted: ActixStream + 'static {
    /// Makes it ready to be served, and returns the address of its peer, if it has one.
    ///
    /// # Errors
    /// When it is closed already.
    fn prepare(&self) -> io::Result<Option<SocketAddr>>;
}

impl Accepted for TcpStream {
    fn prepare(&self) -> io::Result<Option<SocketAddr>> {
        // Otherwise a client that sends several requests at once waits for acknowledgements in between.
        self.set_nodelay(true)?;
        self.peer_addr().map(Some)
    }
}

impl Accepted for UnixStream {
    fn prepare(&self) -> io::Result<Option<SocketAddr>> {
        Ok(None)
    }
}
