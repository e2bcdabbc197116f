//! The endpoints of the gate.

use actix_web::web;

use crate::app::assemble::CurrentSnapshot;
use crate::app::endpoints::not_found;

/// Adds the endpoints to an app, which decide by the snapshot that is in force.
pub(crate) fn configure(app: &mut web::ServiceConfig, snapshot: CurrentSnapshot) {
    app.app_data(web::Data::new(snapshot)).default_service(web::to(not_found));
}
