//! The operators' endpoints: `/healthz`, `/ready`, `/metrics`, the API of their commands, and their page.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::admin_state::AdminState;
use super::api;
use super::metrics::MEDIA_TYPE;
use super::page;
use crate::app::endpoints::{not_found, readable};

/// The body of `GET /healthz`.
#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

/// Adds the endpoints to an app, which report on `admin`.
pub(crate) fn configure(app: &mut web::ServiceConfig, admin: web::Data<AdminState>) {
    app.app_data(admin)
        .service(readable("/ready", ready))
        .service(readable("/metrics", exposition))
        .service(readable("/healthz", alive))
        .configure(api::configure)
        .configure(page::configure)
        .default_service(web::to(not_found));
}

async fn ready(admin: web::Data<AdminState>) -> HttpResponse {
    let (status, readiness) = admin.readiness();
    HttpResponse::build(status).json(readiness)
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: "alive" })
}

async fn exposition(admin: web::Data<AdminState>) -> HttpResponse {
    match admin.metrics().text() {
        Ok(text) => HttpResponse::Ok().content_type(MEDIA_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
