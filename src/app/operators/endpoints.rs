//! The operators' endpoints: `/ready`, `/metrics` and `/v1/top`.

use actix_web::{HttpResponse, web};

use self::top::top;
use super::admin_state::AdminState;
use super::metrics::MEDIA_TYPE;
use crate::app::endpoints::{not_found, readable};

mod top;

/// Adds the endpoints to an app, which report on `admin`.
pub(crate) fn configure(app: &mut web::ServiceConfig, admin: web::Data<AdminState>) {
    app.app_data(admin)
        .service(readable("/ready", ready))
        .service(readable("/metrics", exposition))
        .service(readable("/v1/top", top))
        .default_service(web::to(not_found));
}

async fn ready(admin: web::Data<AdminState>) -> HttpResponse {
    let (status, readiness) = admin.readiness();
    HttpResponse::build(status).json(readiness)
}

async fn exposition(admin: web::Data<AdminState>) -> HttpResponse {
    match admin.metrics().text() {
        Ok(text) => HttpResponse::Ok().content_type(MEDIA_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
