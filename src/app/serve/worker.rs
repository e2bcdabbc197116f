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
use crate::app::config::ConnectionLimits;
use crate::app::connections::{Connections, Registration};
use crate::app::gate::Grpc;
use crate::store::DeferTask;

/// How a listener serves its connections.
#[derive(Clone)]
pub(super) struct Manner<G> {
    pub(super) connections: Arc<Connections>,
    pub(super) limits: ConnectionLimits,
    /// What comes before the first request.
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
            Ok::<_, S::InitError>(fn_service(move |io: T| {
                let (shared, manner) = (shared.clone(), manner.clone());
                async move {
                    let Manner { connections, greeting, .. } = &*manner;
                    // Dropping the connection closes it, if it is closed already or one too many.
                    if let Ok(peer) = io.prepare() {
                        let address = peer.map(|peer| peer.ip());
                        connections.wait_for_room(address).await;
                        if let Ok(registration) = Registration::open(connections, address) {
                            let time_limit = limits.header_timeout;
                            if let Some(io) = greeting.greet(io, &registration, time_limit).await {
                                serve(io, peer, &shared, registration).await;
                            }
                        }
                    }
                    Ok::<_, Infallible>(())
                }
            }))
        }
    })
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
