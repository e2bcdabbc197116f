//! Has the configuration read again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde::Serialize;

use super::answer::answer;
use super::refused::refused;
use crate::app::operators::admin_state::AdminState;
use crate::app::reload::{Difference, ReloadReport};

/// How a reload ended.
#[derive(Serialize)]
struct Report {
    generation: u64,
    changes: Vec<Change>,
    /// What is wrong with the configuration. Then the one before is still in force.
    errors: Vec<String>,
}

#[derive(Serialize)]
struct Change {
    option: String,
    takes_effect: &'static str,
}

pub(super) async fn reload(admin: Data<AdminState>) -> HttpResponse {
    let Some(reloader) = admin.reloader() else {
        let why = "The process has not finished its start.";
        return refused(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", why);
    };
    let Some(report) = reloader.reload_and_report("An operator").await else {
        let why = "The configuration is not read any more.";
        return refused(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", why);
    };
    let ReloadReport { generation, differences, errors } = report;
    let change = |it: Difference| Change { takes_effect: it.effect().words(), option: it.key };
    answer(Report { generation, changes: differences.into_iter().map(change).collect(), errors })
}
