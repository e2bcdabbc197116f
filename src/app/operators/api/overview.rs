//! `GET /v1/overview`: how the process stands, and what it decided over the last hour.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use serde::Serialize;

use self::findings::{Finding, findings};
use self::policies::{Shown, shown};
use super::changes::{AllListed, listed};
use super::policies::Store;
use super::top::{Item, items};
use crate::app::observation::{LastHour, MINUTES, Rank};
use crate::app::operators::admin_state::AdminState;
use crate::app::operators::readiness::Readiness;
use crate::domain::clock::{Clock as _, Millis};
use crate::domain::policy::Policy;
use crate::store::SystemClock;

mod findings;
mod policies;

/// How many keys are listed.
const LISTED: usize = 10;

#[derive(Serialize)]
struct Overview {
    version: &'static str,
    /// When this was so, in milliseconds since the Unix epoch.
    now: Millis,
    readiness: Readiness,
    generation: u64,
    /// When the process began to count.
    counted_since: Millis,
    /// When the configuration came into force.
    in_force_since: Millis,
    store: Waits,
    /// When the first of the minutes began that policies have counts of.
    first_minute: Millis,
    minutes: usize,
    policies: Vec<Shown>,
    #[serde(flatten)]
    overrides: Overrides,
    most_refused: Vec<Item>,
    busiest: Vec<Item>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Overrides {
    overrides: AllListed,
    /// Why they cannot be told.
    overrides_error: Option<String>,
}

/// The store, and how long decisions wait for it.
#[derive(Serialize)]
struct Waits {
    #[serde(flatten)]
    store: Store,
    outages: u64,
    /// Over the last five minutes, in microseconds; nothing where no decision waited.
    wait_p50_micros: Option<u64>,
    wait_p99_micros: Option<u64>,
}

pub(super) async fn overview(admin: Data<AdminState>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(text(&admin).await.to_string())
}

/// The overview as JSON. It is made at most twice a second, however many ask.
pub(super) async fn text(admin: &Data<AdminState>) -> Arc<str> {
    admin.live().recent(|| made(admin)).await
}

async fn made(admin: &Data<AdminState>) -> String {
    let snapshot = Arc::clone(&admin.snapshot());
    let hour = admin.live().last_hour();
    let (overrides, overrides_error) = match listed(&snapshot.limiter).await {
        Ok(listed) => (listed, None),
        Err(error) => (AllListed::default(), Some(error.to_string())),
    };
    let is_met: BTreeMap<&str, bool> = snapshot.observer.policies().collect();
    let mut policies: Vec<&Policy> = snapshot.limiter.all_policies().map(|(it, _)| it).collect();
    policies.sort_by_key(|it| it.name());
    let busiest = |name: &str| {
        let policy = policies.iter().find(|it| it.name() == name)?;
        admin.busiest_key(policy)
    };
    let shown = shown(&policies, &is_met, &hour);
    let findings = findings(&shown, busiest);
    let overview = Overview {
        version: env!("CARGO_PKG_VERSION"),
        now: SystemClock.now(),
        readiness: admin.readiness().1,
        generation: snapshot.generation,
        counted_since: admin.live().since(),
        in_force_since: admin.reloads().in_force_since(),
        store: Waits::of(admin, &hour),
        first_minute: hour.begins,
        minutes: MINUTES,
        findings,
        policies: shown,
        overrides: Overrides { overrides, overrides_error },
        most_refused: items(admin.top(None, Rank::Refused, LISTED)),
        busiest: items(admin.top(None, Rank::Busiest, LISTED)),
    };
    // Nothing in it fails to be written.
    serde_json::to_string(&overview).unwrap_or_default()
}

impl Waits {
    fn of(admin: &AdminState, hour: &LastHour) -> Self {
        Self {
            store: Store::of(admin),
            outages: admin.redis_status().map_or(0, |it| it.outages),
            wait_p50_micros: hour.wait_p50,
            wait_p99_micros: hour.wait_p99,
        }
    }
}
