//! What operators and their tools ask, on an address of its own that clients do not reach.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::config::Config;
use crate::policy::{OnStoreFailure, Policy};
use crate::routes::{not_found, readable};
use crate::store::RedisStore;
use crate::telemetry::{self, Metrics};

/// What the endpoints tell of.
#[derive(Debug)]
pub(crate) struct Admin {
    /// None where this process counts.
    store: Option<Arc<RedisStore>>,
    /// Whether a policy refuses requests while the store is down.
    refuses: bool,
    metrics: Metrics,
}

/// The body of `GET /ready`.
#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    store: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
}

impl Admin {
    pub(crate) fn new(config: &Config, store: Option<Arc<RedisStore>>) -> Self {
        let refuses = |policy: &Policy| policy.on_store_failure() == OnStoreFailure::Deny;
        let refuses = config.policies.iter().any(refuses);
        let metrics = Metrics::of(store.as_ref());
        Self { store, refuses, metrics }
    }

    /// Who decides without Redis is ready all the same: to send its clients elsewhere would help nobody.
    fn readiness(&self) -> (StatusCode, Readiness) {
        let status = self.store.as_ref().map(|store| store.status());
        match status.filter(|status| status.down_for.is_some()) {
            None => (StatusCode::OK, Readiness { status: "ready", store: "up", cause: None }),
            Some(down) if self.refuses => {
                let readiness = Readiness { status: "refusing", store: "down", cause: down.cause };
                (StatusCode::SERVICE_UNAVAILABLE, readiness)
            }
            Some(down) => {
                (StatusCode::OK, Readiness { status: "ready", store: "down", cause: down.cause })
            }
        }
    }
}

/// Adds the endpoints to an app, which tell of `admin`.
pub(crate) fn configure(app: &mut web::ServiceConfig, admin: web::Data<Admin>) {
    app.app_data(admin)
        .service(readable("/ready", ready))
        .service(readable("/metrics", metrics))
        .default_service(web::to(not_found));
}

async fn ready(admin: web::Data<Admin>) -> HttpResponse {
    let (status, readiness) = admin.readiness();
    HttpResponse::build(status).json(readiness)
}

async fn metrics(admin: web::Data<Admin>) -> HttpResponse {
    match admin.metrics.text() {
        Ok(text) => HttpResponse::Ok().content_type(telemetry::MEDIA_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
