//! Servers whose addresses are taken, and which accept nothing before they are awaited.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use actix_web::dev::Server;
use actix_web::middleware::Condition;
use actix_web::web::Data;
use actix_web::{App, HttpServer};

use super::signals::GRACE_SECONDS;
use super::unix_socket::{self, SocketFile};
use crate::admin::{self, Admin};
use crate::auth::Authenticate;
use crate::config::{Config, Listen};
use crate::middleware::RateLimit;
use crate::routes;

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
pub(super) async fn app(config: &Config, parts: Late) -> io::Result<Bound> {
    let app = move || {
        let parts = parts.get().expect(IN_TIME);
        App::new()
            .wrap(parts.rate_limit.clone())
            // What is wrapped later runs earlier: quotas need to know who is asking.
            .wrap(Condition::new(parts.authenticates, parts.authenticate.clone()))
            .configure(routes::configure)
    };
    // Or whoever sends several requests at a time waits for acknowledgements in between.
    let mut server = HttpServer::new(app).tcp_nodelay(true);
    if config.server.workers > 0 {
        server = server.workers(config.server.workers);
    }
    let (server, places, socket_file) = match &config.server.listen {
        Listen::Tcp(address) => {
            let server = server.bind(&**address)?;
            let places = urls(&server.addrs());
            (server, places, None)
        }
        listen @ Listen::Unix(path) => {
            let (listener, file) = unix_socket::bind(path).await?;
            (server.listen_uds(listener)?, vec![listen.to_string()], Some(file))
        }
    };
    let server = server.disable_signals().shutdown_timeout(GRACE_SECONDS).run();
    Ok(Bound { server, places, _socket_file: socket_file })
}

/// The server of the operators' endpoints at `address`.
///
/// # Errors
/// When it cannot be listened on.
pub(super) fn admin(address: &str, parts: Late) -> io::Result<Bound> {
    let admin = move || parts.get().expect(IN_TIME).admin.clone();
    let app = move || App::new().configure(|app| admin::configure(app, admin()));
    let server = HttpServer::new(app).workers(1).disable_signals().bind(address)?;
    let places = urls(&server.addrs());
    Ok(Bound { server: server.run(), places, _socket_file: None })
}

fn urls(addresses: &[SocketAddr]) -> Vec<String> {
    addresses.iter().map(|address| format!("http://{address}")).collect()
}
