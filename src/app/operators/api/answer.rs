//! What handlers answer, and by which limiter.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use crate::app::operators::admin_state::AdminState;
use crate::limiter::Limiter;

/// The limiter in force.
pub(super) fn limiter(admin: &Data<AdminState>) -> Limiter {
    admin.snapshot().limiter.clone()
}

/// An answer in JSON that no cache keeps.
pub(super) fn answer(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(body)
}
