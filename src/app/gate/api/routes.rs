//! The routes of the API.

use actix_web::http::StatusCode;
use actix_web::http::header::ALLOW;
use actix_web::{HttpResponse, Resource, web};

use super::{check, document, health, refund, report};
use crate::app::gate::problem::Problem;

/// Adds the API to an app.
pub(in crate::app::gate) fn configure(app: &mut web::ServiceConfig) {
    app.service(asked("/v1/check").route(web::post().to(check::check)))
        .service(asked("/v1/refund").route(web::post().to(refund::refund)))
        .service(asked("/v1/report").route(web::post().to(report::report)))
        .service(
            read("/healthz")
                .route(web::get().to(health::health))
                .route(web::head().to(health::health)),
        )
        .service(
            read("/openapi.json")
                .route(web::get().to(document::document))
                .route(web::head().to(document::document)),
        );
}

/// A resource that is asked by `POST` alone.
fn asked(path: &str) -> Resource {
    web::resource(path).default_service(web::to(async || method_not_allowed("POST")))
}

/// A resource that is only read.
fn read(path: &str) -> Resource {
    web::resource(path).default_service(web::to(async || method_not_allowed("GET, HEAD")))
}

fn method_not_allowed(allowed: &'static str) -> HttpResponse {
    let detail = format!("This path takes no such method: expected {allowed}.");
    let mut response = HttpResponse::from(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail));
    response
        .headers_mut()
        .insert(ALLOW, actix_web::http::header::HeaderValue::from_static(allowed));
    response
}
