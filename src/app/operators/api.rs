//! The API of the operators' commands: JSON under `/v1/`, on the operators' listener.
//!
//! [`guard`] refuses a request before any of this reads it.

use std::time::Duration;

use actix_web::error;
use actix_web::http::StatusCode;
use actix_web::web::{self, JsonConfig, QueryConfig};

pub(super) use self::guard::Guard;
use self::refused::refused;
use crate::app::config::ConnectionLimits;

mod answer;
mod changes;
mod events;
mod explain;
mod guard;
mod keys;
mod overview;
mod policies;
mod refused;
mod reload;
mod top;
mod usage;

/// The most bytes of a body.
const MOST_BYTES: usize = 65_536;

/// The longest time in which the head of a request arrives, and its body.
const LONGEST: Duration = Duration::from_secs(5);

/// The limits of a connection of operators, where those of clients are `limits`.
pub(crate) fn limits(limits: ConnectionLimits) -> ConnectionLimits {
    ConnectionLimits {
        header_timeout: limits.header_timeout.min(LONGEST),
        body_timeout: limits.body_timeout.min(LONGEST),
        ..limits
    }
}

/// Adds the API to an app.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    let bad = |text: String| {
        let response = refused(StatusCode::BAD_REQUEST, "Bad Request", &text);
        error::InternalError::from_response(text, response).into()
    };
    app.app_data(JsonConfig::default().limit(MOST_BYTES).error_handler(move |error, _| {
        let text = error.to_string();
        match error {
            error::JsonPayloadError::ContentType => {
                let text = "The body must have the content-type application/json.";
                let response =
                    refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type", text);
                error::InternalError::from_response(text, response).into()
            }
            error::JsonPayloadError::OverflowKnownLength { .. }
            | error::JsonPayloadError::Overflow { .. } => {
                let text = format!("The body is larger than {MOST_BYTES} bytes.");
                let response = refused(StatusCode::PAYLOAD_TOO_LARGE, "Content Too Large", &text);
                error::InternalError::from_response(text, response).into()
            }
            _ => bad(text),
        }
    }))
    .app_data(QueryConfig::default().error_handler(move |error, _| bad(error.to_string())))
    .route("/v1/keys", web::get().to(keys::peek))
    .route("/v1/keys/reset", web::post().to(keys::reset))
    .route("/v1/bans", web::post().to(changes::ban))
    .route("/v1/bans/end", web::post().to(changes::unban))
    .route("/v1/boosts", web::post().to(changes::boost))
    .route("/v1/boosts/end", web::post().to(changes::unboost))
    .route("/v1/policies/disable", web::post().to(changes::disable))
    .route("/v1/policies/enable", web::post().to(changes::enable))
    .route("/v1/policies", web::get().to(policies::policies))
    .route("/v1/explain", web::get().to(explain::explain))
    .route("/v1/overrides", web::get().to(changes::list))
    .route("/v1/overview", web::get().to(overview::overview))
    .route("/v1/events", web::get().to(events::events))
    .route("/v1/top", web::get().to(top::top))
    .route("/v1/audit", web::get().to(changes::audit))
    .route("/v1/reload", web::post().to(reload::reload));
}
