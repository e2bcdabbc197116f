//! `GET /v1/explain`: what would happen to a request now, and why.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};

use self::asked::Asked;
use self::told::Told;
use super::answer::answer;
use super::changes::listed;
use super::refused::{not_made, refused};
use crate::app::operators::admin_state::AdminState;

mod asked;
mod origin;
mod place;
mod told;

pub(super) async fn explain(
    admin: Data<AdminState>,
    query: Query<Vec<(String, String)>>,
) -> HttpResponse {
    let mut asked = match Asked::read(query.into_inner()) {
        Ok(asked) => asked,
        Err(why) => return refused(StatusCode::BAD_REQUEST, "Bad Request", &why),
    };
    let snapshot = admin.snapshot().clone();
    let known = asked.user.as_ref().filter(|_| asked.plan.is_none());
    let known = known.and_then(|user| snapshot.plan_of_keys(user.as_bytes()));
    let is_plan_known = known.is_some();
    asked.plan = asked.plan.or(known);
    let explanation = snapshot.limiter.explain(&asked).await;
    let overrides = match listed(&snapshot.limiter).await {
        Ok(listed) => listed,
        Err(error) => return not_made(&error),
    };
    answer(Told::new(&snapshot, &asked, is_plan_known, &explanation, overrides))
}
