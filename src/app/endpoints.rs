//! The endpoints of the app, and its answers where there is none.

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_LENGTH};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, web};
use serde::Serialize;

#[derive(Serialize)]
struct Data {
    message: &'static str,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// Problem details (RFC 9457) that say no more than the status does.
#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    message: &'static str,
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

pub(crate) async fn not_found() -> HttpResponse {
    problem(StatusCode::NOT_FOUND, "There is nothing at this path.")
}

async fn method_not_allowed() -> HttpResponse {
    let mut response =
        problem(StatusCode::METHOD_NOT_ALLOWED, "This path is only read, by GET or HEAD.");
    response
        .headers_mut()
        .insert(ALLOW, actix_web::http::header::HeaderValue::from_static("GET, HEAD"));
    response
}

/// Whether the body of `request` is said to be larger than `most` bytes.
pub(crate) fn is_larger(request: &ServiceRequest, most: u64) -> bool {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    length.is_some_and(|length| length > most)
}

pub(crate) fn too_large() -> HttpResponse {
    problem(StatusCode::PAYLOAD_TOO_LARGE, "The body of this request is too large.")
}

pub(crate) fn misdirected() -> HttpResponse {
    problem(StatusCode::MISDIRECTED_REQUEST, "This is not the host that the request names.")
}

fn problem(status: StatusCode, message: &'static str) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or_default();
    HttpResponse::build(status).json(Problem {
        r#type: "about:blank",
        title,
        status: status.as_u16(),
        message,
    })
}
