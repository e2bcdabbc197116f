//! The apps that Tollgate is compared with, each as a process of its own.

use std::sync::LazyLock;

use actix_web::{App, HttpResponse, HttpServer, Responder, web};
use clap::{Args, ValueEnum};
use redis::Script;
use redis::aio::MultiplexedConnection;
use serde::Serialize;

use crate::Result;
use crate::latency::FIXED_WINDOW;

/// Hashed once, as its name for `EVALSHA`.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(FIXED_WINDOW));

const WINDOW_MS: u64 = 3_600_000;

#[derive(Args)]
pub(crate) struct Options {
    app: Baseline,
    #[arg(long)]
    listen: String,
    #[arg(long)]
    redis: String,
    /// Units allowed per hour
    #[arg(long)]
    units: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Baseline {
    /// No limiter at all
    Bare,
    /// A pooled connection and one EVALSHA per request, in a blocking thread
    Plain,
    /// One asynchronous multiplexed connection per worker, one EVALSHA per request
    Multiplexed,
}

#[derive(Serialize)]
struct Data {
    message: &'static str,
}

type Pool = r2d2::Pool<redis::Client>;

#[derive(Clone, Copy)]
struct Units(u64);

/// Serves until the process is ended.
pub(crate) fn serve(options: Options) -> Result<()> {
    let Options { app, listen, redis, units } = options;
    let client = redis::Client::open(redis)?;
    let units = web::Data::new(Units(units));
    // The first to be asked must not find the script missing.
    if app != Baseline::Bare {
        SCRIPT.load(&mut client.get_connection()?)?;
    }
    actix_web::rt::System::new().block_on(async move {
        match app {
            Baseline::Bare => {
                let app = || App::new().route("/api/data", web::get().to(bare));
                HttpServer::new(app).bind(listen)?.run().await?;
            }
            Baseline::Plain => {
                // Without the PING at checkout that r2d2 sends by default.
                let pool = Pool::builder().test_on_check_out(false).build(client)?;
                let app = move || {
                    App::new()
                        .app_data(web::Data::new(pool.clone()))
                        .app_data(units.clone())
                        .route("/api/data", web::get().to(plain))
                };
                HttpServer::new(app).bind(listen)?.run().await?;
            }
            Baseline::Multiplexed => {
                let app = move || {
                    let client = client.clone();
                    App::new()
                        .data_factory(move || {
                            let client = client.clone();
                            async move { client.get_multiplexed_async_connection().await }
                        })
                        .app_data(units.clone())
                        .route("/api/data", web::get().to(multiplexed))
                };
                HttpServer::new(app).bind(listen)?.run().await?;
            }
        }
        Ok(())
    })
}

async fn bare() -> impl Responder {
    data()
}

async fn plain(
    request: actix_web::HttpRequest,
    pool: web::Data<Pool>,
    units: web::Data<Units>,
) -> HttpResponse {
    let key = key("plain", &request);
    let units = units.0;
    let admitted = web::block(move || -> Option<bool> {
        let mut connection = pool.get().ok()?;
        SCRIPT.key(key).arg(units).arg(WINDOW_MS).invoke(&mut connection).ok()
    });
    answer(admitted.await.ok().flatten())
}

async fn multiplexed(
    request: actix_web::HttpRequest,
    connection: web::Data<MultiplexedConnection>,
    units: web::Data<Units>,
) -> HttpResponse {
    let mut connection = MultiplexedConnection::clone(&connection);
    let mut call = SCRIPT.key(key("multiplexed", &request));
    call.arg(units.0).arg(WINDOW_MS);
    answer(call.invoke_async(&mut connection).await.ok())
}

fn key(prefix: &str, request: &actix_web::HttpRequest) -> String {
    let client = request.headers().get("x-client").and_then(|value| value.to_str().ok());
    format!("{prefix}:{}", client.unwrap_or_default())
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
