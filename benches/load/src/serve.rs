//! The apps that Tollgate is compared with, each as a process of its own.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, web};
use clap::{Args, ValueEnum};
use redis::aio::MultiplexedConnection;
use serde::Serialize;

use crate::result::Result;
use crate::script::{ACQUIRE, Asking, INCR, WINDOW_MS, is_admitted};
use crate::setting::CLIENT_FIELD;

#[derive(Args)]
pub(crate) struct Options {
    app: Baseline,
    #[arg(long)]
    listen: String,
    #[arg(long)]
    redis: String,
    #[command(flatten)]
    quota: Quota,
}

/// One policy for each algorithm.
#[derive(Args, Clone)]
struct Quota {
    /// Units allowed per hour
    #[arg(long)]
    units: u64,
    #[arg(long, value_delimiter = ',')]
    algorithms: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Baseline {
    /// No limiter at all
    Bare,
    /// A pooled connection and one EVALSHA per request, in a blocking thread
    Plain,
    /// One asynchronous multiplexed connection per worker, one EVALSHA per request
    Multiplexed,
    /// The same, with a counter for a script
    Incr,
    /// The same, with the command INCREX in place of a script
    Increx,
}

/// Allowed per hour.
struct Units(u64);

#[derive(Serialize)]
struct Data {
    message: &'static str,
}

type Pool = r2d2::Pool<redis::Client>;

/// Serves until the process is ended.
pub(crate) fn serve(options: Options) -> Result<()> {
    let Options { app, listen, redis, quota } = options;
    let client = redis::Client::open(redis)?;
    let asking = |name| Asking::new(name, &quota.algorithms, quota.units).map(web::Data::new);
    let units = web::Data::new(Units(quota.units));
    actix_web::rt::System::new().block_on(async move {
        match app {
            Baseline::Bare => {
                let app = || App::new().route("/api/data", web::get().to(bare));
                HttpServer::new(app).bind(listen)?.run().await?;
            }
            Baseline::Plain => {
                ACQUIRE.load(&mut client.get_connection()?)?;
                let asking = asking("plain")?;
                // Without the PING at checkout that r2d2 sends by default.
                let pool = Pool::builder().test_on_check_out(false).build(client)?;
                let app = move || {
                    App::new()
                        .app_data(web::Data::new(pool.clone()))
                        .app_data(asking.clone())
                        .route("/api/data", web::get().to(plain))
                };
                HttpServer::new(app).bind(listen)?.run().await?;
            }
            Baseline::Multiplexed | Baseline::Incr | Baseline::Increx => {
                // The first to be asked must not find its script missing.
                ACQUIRE.load(&mut client.get_connection()?)?;
                INCR.load(&mut client.get_connection()?)?;
                let asking = asking("multiplexed")?;
                let service = move || {
                    let client = client.clone();
                    let service = App::new()
                        .data_factory(move || {
                            let client = client.clone();
                            async move { client.get_multiplexed_async_connection().await }
                        })
                        .app_data(asking.clone())
                        .app_data(units.clone());
                    match app {
                        Baseline::Incr => service.route("/api/data", web::get().to(incr)),
                        Baseline::Increx => service.route("/api/data", web::get().to(increx)),
                        _ => service.route("/api/data", web::get().to(multiplexed)),
                    }
                };
                HttpServer::new(service).bind(listen)?.run().await?;
            }
        }
        Ok(())
    })
}

async fn bare() -> impl Responder {
    data()
}

async fn plain(
    request: HttpRequest,
    pool: web::Data<Pool>,
    asking: web::Data<Asking>,
) -> HttpResponse {
    let call = asking.call(client(&request));
    let reply = web::block(move || -> Option<Vec<u8>> {
        let mut connection = pool.get().ok()?;
        call.invoke(&mut connection).ok()
    });
    answer(reply.await.ok().flatten().map(|reply| is_admitted(&reply)))
}

async fn multiplexed(
    request: HttpRequest,
    connection: web::Data<MultiplexedConnection>,
    asking: web::Data<Asking>,
) -> HttpResponse {
    let mut connection = MultiplexedConnection::clone(&connection);
    let call = asking.call(client(&request));
    let reply: Option<Vec<u8>> = call.invoke_async(&mut connection).await.ok();
    answer(reply.map(|reply| is_admitted(&reply)))
}

async fn incr(
    request: HttpRequest,
    connection: web::Data<MultiplexedConnection>,
    units: web::Data<Units>,
) -> HttpResponse {
    let mut connection = MultiplexedConnection::clone(&connection);
    let mut call = INCR.key(format!("incr:{}", client(&request)));
    call.arg(units.0).arg(WINDOW_MS);
    answer(call.invoke_async(&mut connection).await.ok())
}

async fn increx(
    request: HttpRequest,
    connection: web::Data<MultiplexedConnection>,
    units: web::Data<Units>,
) -> HttpResponse {
    let mut connection = MultiplexedConnection::clone(&connection);
    let mut call = redis::cmd("INCREX");
    call.arg(format!("increx:{}", client(&request))).arg("UBOUND").arg(units.0);
    // ENX: the window begins with the first request, and no later one makes it longer.
    call.arg("PX").arg(WINDOW_MS).arg("ENX");
    let reply: Option<(u64, u64)> = call.query_async(&mut connection).await.ok();
    answer(reply.map(|(_, added)| added > 0))
}

fn client(request: &HttpRequest) -> &str {
    let client = request.headers().get(CLIENT_FIELD).and_then(|value| value.to_str().ok());
    client.unwrap_or_default()
}

fn answer(admitted: Option<bool>) -> HttpResponse {
    match admitted {
        Some(true) => data(),
        Some(false) => HttpResponse::TooManyRequests().finish(),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn data() -> HttpResponse {
    HttpResponse::Ok().json(Data { message: "Here is your data!" })
}
