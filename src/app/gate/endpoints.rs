//! The endpoints of the gate.

use actix_rt::Arbiter;
use actix_web::web;

use super::{api, forward_auth};
use crate::app::assemble::CurrentSnapshot;
use crate::app::endpoints::not_found;
use crate::store::DeferTask;

/// Adds the endpoints to an app, which decide by the snapshot that is in force.
pub(crate) fn configure(app: &mut web::ServiceConfig, snapshot: CurrentSnapshot) {
    // So that what a worker is asked at the same time goes to the store together.
    if let Some(worker) = Arbiter::try_current() {
        worker.spawn(DeferTask::default());
    }
    let auth = web::resource(["/v1/auth", "/v1/auth{path:/.*}"]);
    app.app_data(web::Data::new(snapshot))
        .service(auth.to(forward_auth::decide))
        .configure(api::configure)
        .default_service(web::to(not_found));
}
