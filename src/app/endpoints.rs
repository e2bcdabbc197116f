//! The endpoints of the app, and its answers where there is none.

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, web};
use serde::Serialize;

use crate::http::problem;

#[derive(Serialize)]
struct Data {
    message: &'static str,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// Adds the endpoints to an app.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.service(readable("/api/data", data))
        .service(readable("/api/status", status))
        .default_service(web::to(not_found));
}

/// A resource at `path` that `GET` and `HEAD` read.
pub(crate) fn readable<Read, Of>(path: &str, read: Read) -> Resource
where
    Read: Handler<Of, Output = HttpResponse>,
    Of: FromRequest + 'static,
{
    web::resource(path)
        .route(web::get().to(read.clone()))
        .route(web::head().to(read))
        .default_service(web::to(method_not_allowed))
}

fn data() -> std::future::Ready<HttpResponse> {
    std::future::ready(HttpResponse::Ok().json(Data { message: "Here is your data!" }))
}

fn status() -> std::future::Ready<HttpResponse> {
    std::future::ready(HttpResponse::Ok().json(Status { status: "OK" }))
}

pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    problem::not_found(&request).into()
}

async fn method_not_allowed(request: HttpRequest) -> HttpResponse {
    problem::method_not_allowed(&request).into()
}

/// Whether the body of `request` is said to be larger than `most` bytes.
pub(crate) fn is_larger(request: &ServiceRequest, most: u64) -> bool {
    if matches!(request.parts(), (_, Payload::None)) {
        return false;
    }
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    length.is_some_and(|length| length > most)
}
