//! The app of the benches around another limiter: peers NAME LISTEN REDIS

mod limitador_service;

use std::error::Error;
use std::time::Duration;

use actix_extensible_rate_limit::RateLimiter;
use actix_extensible_rate_limit::backend::SimpleInputFunctionBuilder;
use actix_extensible_rate_limit::backend::redis::RedisBackend;
use actix_web::dev::ServiceRequest;
use actix_web::{App, HttpResponse, HttpServer, web};

const HOUR: Duration = Duration::from_secs(3_600);
const PLENTY: u32 = 1_000_000_000;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, listen, redis] = &arguments[..] else { return Err("NAME LISTEN REDIS".into()) };
    match name.as_str() {
        "actix-limitation" => limitation(listen, redis).await,
        "actix-extensible-rate-limit" => extensible(listen, redis).await,
        "limitador" => limitador_service::serve(listen, redis).await,
        other => Err(format!("no peer is called {other:?}").into()),
    }
}

async fn limitation(listen: &str, redis: &str) -> Result<(), Box<dyn Error>> {
    let limiter = actix_limitation::Limiter::builder(redis)
        .key_by(|request| Some(format!("limitation:{}", client(request)?)))
        .limit(PLENTY as usize)
        .period(HOUR)
        .build()?;
    let limiter = web::Data::new(limiter);
    let app = move || {
        App::new()
            .wrap(actix_limitation::RateLimiter::default())
            .app_data(limiter.clone())
            .route("/api/data", web::get().to(data))
    };
    Ok(HttpServer::new(app).bind(listen)?.run().await?)
}

async fn extensible(listen: &str, redis: &str) -> Result<(), Box<dyn Error>> {
    let manager = redis::aio::ConnectionManager::new(redis::Client::open(redis)?).await?;
    let backend = RedisBackend::builder(manager).key_prefix(Some("extensible:")).build();
    let app = move || {
        let input = SimpleInputFunctionBuilder::new(HOUR, PLENTY.into())
            .custom_fn(|request| Ok(client(request).unwrap_or_default()))
            .build();
        App::new()
            .wrap(RateLimiter::builder(backend.clone(), input).add_headers().build())
            .route("/api/data", web::get().to(data))
    };
    Ok(HttpServer::new(app).bind(listen)?.run().await?)
}

fn client(request: &ServiceRequest) -> Option<String> {
    Some(request.headers().get("x-client")?.to_str().ok()?.to_owned())
}

async fn data() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "message": "Here is your data!" }))
}
