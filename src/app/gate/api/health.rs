//! `GET /healthz`: whether the process is alive.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// The process is alive.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `alive`.
    #[schema(example = "alive")]
    status: &'static str,
}

/// Tells that the process is alive.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    security(()),
    responses((status = 200, description = "The process is alive.", body = Health))
)]
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "alive" })
}
