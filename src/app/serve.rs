//! The command `serve`: the HTTP server around the assembled app.

use std::error::Error;
use std::sync::Arc;
use std::{fmt, io, thread};

use actix_web::web::Data;

use self::file_limit::{ADMIN_CONNECTIONS, FileLimit};
use self::listener::{Assembled, WhenAssembled};
use self::signals::Signals;
use self::stop::Stop;
use crate::app::assemble::{CurrentSnapshot, Lasting, Snapshot, redis_options};
use crate::app::coarse_clock::CoarseClock;
use crate::app::config::{Config, Listen, Sources, StoreUrl};
use crate::app::connections::{Capacity, Connections, Listeners};
use crate::app::error::AppError;
use crate::app::operators::{AdminState, StoreWatch};
use crate::app::reload::{ReloadStatus, Reloader};
use crate::app::service_manager;
use crate::domain::client::Client;
use crate::limiter::Access;
use crate::store::RedisStore;

mod bind;
mod connection;
mod file_limit;
mod greeting;
mod listener;
mod proxy_protocol;
mod signals;
mod stop;
mod under_snapshot;
mod unix_socket;
mod worker;

/// Serves `config`, which was read from `sources`, until the process is told to stop.
///
/// # Errors
/// When an address cannot be listened on, or the app cannot be assembled.
pub(crate) fn serve(config: &Config, sources: &Sources) -> Result<(), AppError> {
    // Before anything opens files that there may be too few of.
    let file_limit = FileLimit::raise();
    let connections = file_limit.connections(config)?;
    actix_web::rt::System::new().block_on(async {
        let mut signals = Signals::receive()
            .map_err(|error| AppError::new("signals cannot be received", error))?;
        let listeners = listeners(config, connections);
        // Addresses come first: if one is taken, that is the only message worth printing.
        let assembled = WhenAssembled::default();
        let admin = match &config.admin.listen {
            None => None,
            Some(listen) => {
                let connections = listeners.admin.clone();
                let bound = listener::admin(listen, config, connections, assembled.clone()).await;
                Some(bound.map_err(|error| cannot_listen(listen, error))?)
            }
        };
        let gate = match &config.gate.listen {
            None => None,
            Some(listen) => {
                let connections = listeners.gate.clone();
                let bound = listener::gate(listen, config, connections, assembled.clone()).await;
                Some(bound.map_err(|error| cannot_listen(listen, error))?)
            }
        };
        let app = listener::app(config, listeners.app.clone(), assembled.clone()).await;
        let app = app.map_err(|error| cannot_listen(&config.server.listen, error))?;
        file_limit.log(config, connections);
        let stop = Stop::new(config, listeners.app.clone());
        let assembling = assemble_aside(config.clone(), sources.clone(), listeners);
        if let Some(result) = signals.while_starting(assembling).await {
            let (now_assembled, reloader) = result?;
            let noted = now_assembled.admin.clone();
            let generation = now_assembled.snapshot.load().generation;
            // The cell is empty until now.
            let _ = assembled.set(now_assembled);
            let _admin_socket = admin.map(|admin| {
                actix_web::rt::spawn(async move { noted.note_counts().await });
                for address in &admin.addresses {
                    log::info!("Operators find /ready and /metrics on {address}.");
                }
                // This server ends with the process, after the other one.
                actix_web::rt::spawn(admin.server);
                admin.socket_file
            });
            let _gate_socket = gate.map(|gate| {
                for address in &gate.addresses {
                    log::info!("Proxies find /v1/check and /v1/auth on {address}.");
                }
                // This server ends with the process, after the app's.
                actix_web::rt::spawn(gate.server);
                gate.socket_file
            });
            for address in &app.addresses {
                log::info!("Listening on {address}.");
            }
            service_manager::ready(generation);
            let ended = signals.while_serving(app.server, stop, &reloader).await;
            ended.map_err(|error| AppError::new("the server failed", error))?;
        }
        if let Some(assembled) = assembled.get() {
            assembled.snapshot.load().limiter.end_leases().await;
            assembled.admin.sum_up_denials();
        }
        // Lines that were only counted are summed up before the last one.
        log::logger().flush();
        log::info!("Stopped.");
        Ok(())
    })
}

/// Assembles the app on a thread of its own, because Redis or a JWKS URL may not answer for a while.
/// Signals are handled meanwhile.
async fn assemble_aside(
    config: Config,
    sources: Sources,
    listeners: Listeners,
) -> Result<(Assembled, Reloader), AppError> {
    let (sender, assembled) = oneshot::channel();
    let assemble = move || {
        // The receiver is gone if the process was told to stop.
        let _ = sender.send(assemble(&config, sources, listeners));
    };
    let failed = |error: Box<dyn Error + Send + Sync>| AppError::new("the start failed", error);
    thread::Builder::new()
        .name("start".to_owned())
        .spawn(assemble)
        .map_err(|it| failed(it.into()))?;
    assembled.await.map_err(|panicked| failed(panicked.into()))?
}

fn assemble(
    config: &Config,
    sources: Sources,
    listeners: Listeners,
) -> Result<(Assembled, Reloader), AppError> {
    let lasting = Lasting::start(&config.store)?;
    let stores = &lasting.stores;
    let watch = stores.redis.as_deref().map(|redis| watch(config, redis)).transpose()?.flatten();
    match stores.redis {
        None => log::info!("Counting in this process."),
        Some(_) => log::info!("Counting under the key prefix {:?}.", config.store.key_prefix),
    }
    let snapshot = CurrentSnapshot::new(Snapshot::new(config, &lasting, None)?);
    let status = Arc::new(ReloadStatus::new());
    let lists = snapshot.clone();
    listeners
        .app
        .spare(move |address| lists.load().limiter.access(&Client::at(address)) == Access::Allowed);
    let (config_now, current) = (config.clone(), snapshot.clone());
    let reloader = Reloader::start(sources, config_now, lasting.clone(), current, status.clone())
        .map_err(|error| AppError::new("the configuration cannot be watched", error))?;
    let admin = AdminState::new(&config.admin, lasting, snapshot.clone(), status, watch, listeners);
    admin.reload_by(reloader.clone());
    Ok((Assembled { snapshot, admin: Data::new(admin) }, reloader))
}

/// Starts to watch `redis`, which is the store of `config`.
fn watch(config: &Config, redis: &RedisStore) -> Result<Option<StoreWatch>, AppError> {
    let StoreUrl::Redis(url) = &config.store.url else { return Ok(None) };
    let options = redis_options(&config.store, url);
    let interval = config.store.examine_interval;
    let watch = StoreWatch::start(redis.address().to_owned(), options, interval);
    watch.map(Some).map_err(|error| AppError::new("the store cannot be watched", error))
}

/// The connections of each listener, of which the app's may have `total`.
fn listeners(config: &Config, total: usize) -> Listeners {
    let clock = Arc::new(CoarseClock::start());
    let knows_peers =
        matches!(config.server.listen, Listen::Tcp(_)) || config.server.proxy_protocol;
    // Where client_ip.hops only counts proxies, every peer is a proxy.
    let tells_clients_apart = knows_peers && config.client_ip.hops.is_none();
    // One address never gets more than half of them.
    let per_address = config.server.max_connections_per_ip.min(total.div_ceil(2));
    let app = Capacity {
        total,
        per_address: tells_clients_apart.then_some(per_address),
        ipv6_prefix: config.client_ip.ipv6_prefix,
        proxies: config.client_ip.trusted_proxies.iter().copied().collect(),
    };
    let admin = Capacity { total: ADMIN_CONNECTIONS, ..Capacity::default() };
    let gate = Capacity { total: config.gate.max_connections, ..Capacity::default() };
    Listeners {
        app: Connections::new("server", app, clock.clone()),
        admin: Connections::new("admin", admin, clock.clone()),
        gate: Connections::new("gate", gate, clock),
    }
}

fn cannot_listen(address: impl fmt::Display, error: io::Error) -> AppError {
    AppError::new(format!("cannot listen on {address}"), error)
}
