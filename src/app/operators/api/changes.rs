//! Bans, boosts and policies that are switched off, and the list of changes.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Query};
use serde::{Deserialize, Serialize};

use super::answer::{answer, limiter};
use super::refused::{not_made, reasons, refused, unconfirmed};
use crate::app::operators::admin_state::AdminState;
use crate::domain::clock::Millis;
use crate::domain::quota::Quotas;
use crate::limiter::{Changed, Effect, Limiter, Note, Override, OverrideError};
use crate::store::{StoreError, StoreErrorKind};

/// The most changes that are listed.
const MOST_LISTED: usize = 1_000;

/// What is to be changed. Not every change has every field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    key: Option<String>,
    policy: Option<String>,
    quota: Option<String>,
    /// For how long, as in `1h`.
    #[serde(rename = "for")]
    lasts: Option<String>,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    confirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Most {
    most: Option<usize>,
}

/// An override that holds.
#[derive(Serialize)]
pub(super) struct Listed {
    effect: &'static str,
    key: Option<String>,
    policy: Option<String>,
    quota: Option<String>,
    ends_after_ms: Millis,
    by: String,
    why: String,
}

/// All overrides that hold.
#[derive(Default, Serialize)]
pub(super) struct AllListed {
    pub(super) overrides: Vec<Listed>,
    /// Why they may be outdated: the store could not be asked.
    pub(super) outdated: Option<String>,
}

/// A change that was made.
#[derive(Serialize)]
struct Made {
    before: Option<Listed>,
    after: Option<Listed>,
    /// The policies whose penalty had banned the client, which it does no longer.
    penalties: Vec<Box<str>>,
    warnings: Vec<&'static str>,
}

#[derive(Serialize)]
struct Audited {
    /// Milliseconds since the epoch, by the store's clock.
    at: Millis,
    by: String,
    action: String,
    subject: String,
    why: String,
    before: String,
    after: String,
}

pub(super) async fn ban(admin: Data<AdminState>, change: Json<Change>) -> HttpResponse {
    with_confirmation(limiter(&admin), change.into_inner(), |limiter, change, note| {
        limiter.ban(change.key()?, change.policy.as_deref(), change.lasts()?, note)
    })
    .await
}

pub(super) async fn boost(admin: Data<AdminState>, change: Json<Change>) -> HttpResponse {
    let quotas: Quotas = match change.quota.as_deref().unwrap_or_default().parse() {
        Ok(quotas) => quotas,
        Err(error) => {
            let why = format!("quota: {error}.");
            return refused(StatusCode::BAD_REQUEST, "Bad Request", &why);
        }
    };
    with_confirmation(limiter(&admin), change.into_inner(), move |limiter, change, note| {
        limiter.boost(
            change.key()?,
            change.policy.as_deref(),
            quotas.clone(),
            change.lasts()?,
            note,
        )
    })
    .await
}

pub(super) async fn unban(admin: Data<AdminState>, change: Json<Change>) -> HttpResponse {
    made(limiter(&admin), change.into_inner(), |limiter, change, note| {
        limiter.unban(change.key()?, change.policy.as_deref(), note)
    })
    .await
}

pub(super) async fn unboost(admin: Data<AdminState>, change: Json<Change>) -> HttpResponse {
    made(limiter(&admin), change.into_inner(), |limiter, change, note| {
        limiter.unboost(change.key()?, change.policy.as_deref(), note)
    })
    .await
}

pub(super) async fn disable(admin: Data<AdminState>, change: Json<Change>) -> HttpResponse {
    made(limiter(&admin), change.into_inner(), |limiter, change, note| {
        let lasts = change.lasts.as_ref().map(|_| change.lasts()).transpose()?;
        limiter.disable(change.policy()?, lasts, note)
    })
    .await
}

pub(super) async fn enable(admin: Data<AdminState>, change: Json<Change>) -> HttpResponse {
    made(limiter(&admin), change.into_inner(), |limiter, change, note| {
        limiter.enable(change.policy()?, note)
    })
    .await
}

pub(super) async fn list(admin: Data<AdminState>) -> HttpResponse {
    match listed(&limiter(&admin)).await {
        Ok(listed) => answer(listed),
        Err(error) => not_made(&error),
    }
}

pub(super) async fn audit(admin: Data<AdminState>, most: Query<Most>) -> HttpResponse {
    let (limiter, most) = (limiter(&admin), most.most.unwrap_or(100).min(MOST_LISTED));
    match aside(move || limiter.audit(most)).await {
        Err(error) => not_made(&error),
        Ok(lines) => answer(
            lines
                .into_iter()
                .map(|it| Audited {
                    at: it.at,
                    by: it.by,
                    action: it.action,
                    subject: it.subject,
                    why: it.why,
                    before: it.before,
                    after: it.after,
                })
                .collect::<Vec<_>>(),
        ),
    }
}

/// All overrides that hold.
pub(super) async fn listed(limiter: &Limiter) -> Result<AllListed, OverrideError> {
    let limiter = limiter.clone();
    let all = aside(move || limiter.list_overrides()).await?;
    Ok(AllListed {
        overrides: all.overrides.iter().map(|it| Listed::of(it, all.now)).collect(),
        outdated: all.outdated.map(|error| error.to_string()),
    })
}

/// Makes a change, unless the operator may not have meant it and has not confirmed it.
async fn with_confirmation(
    limiter: Limiter,
    change: Change,
    make: impl FnOnce(&Limiter, &Change, Note<'_>) -> Result<Changed, OverrideError> + Send + 'static,
) -> HttpResponse {
    let warned = change.key().and_then(|key| limiter.warnings_of(key, change.policy.as_deref()));
    match warned.map(|warnings| reasons(&warnings)) {
        Err(error) => not_made(&error),
        Ok(reasons) if !reasons.is_empty() && !change.confirmed => unconfirmed(&reasons),
        Ok(_) => made(limiter, change, make).await,
    }
}

/// Makes a change, and answers what was there before.
async fn made(
    limiter: Limiter,
    change: Change,
    make: impl FnOnce(&Limiter, &Change, Note<'_>) -> Result<Changed, OverrideError> + Send + 'static,
) -> HttpResponse {
    if change.by.is_empty() {
        let why = "by is missing: expected who makes the change.";
        return refused(StatusCode::BAD_REQUEST, "Bad Request", why);
    }
    if change.lasts.as_deref().is_some_and(|text| humantime::parse_duration(text).is_err()) {
        let why = "for: expected a length of time, as in 30s, 10m, 1h or 2days.";
        return refused(StatusCode::BAD_REQUEST, "Bad Request", why);
    }
    let done = aside(move || make(&limiter, &change, Note::new(&change.by, &change.why))).await;
    match done {
        Ok(changed) => answer(Made {
            before: changed.before.map(|it| Listed::of(&it, changed.now)),
            after: changed.after.map(|it| Listed::of(&it, changed.now)),
            penalties: changed.penalties,
            warnings: changed.warnings.iter().map(|warning| warning.text()).collect(),
        }),
        Err(error) => not_made(&error),
    }
}

/// Runs what waits for the store on another thread.
async fn aside<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, OverrideError> + Send + 'static,
) -> Result<T, OverrideError> {
    let closed = || OverrideError::Store(StoreError::new(StoreErrorKind::Closed));
    web::block(run).await.unwrap_or_else(|_| Err(closed()))
}

impl Change {
    fn key(&self) -> Result<&str, OverrideError> {
        Ok(self.key.as_deref().unwrap_or_default())
    }

    fn policy(&self) -> Result<&str, OverrideError> {
        let unknown = || OverrideError::UnknownPolicy(String::new());
        self.policy.as_deref().ok_or_else(unknown)
    }

    fn lasts(&self) -> Result<Duration, OverrideError> {
        let text = self.lasts.as_deref().unwrap_or_default();
        humantime::parse_duration(text).map_err(|_| OverrideError::Duration)
    }
}

impl Listed {
    fn of(it: &Override, now: Millis) -> Self {
        Self {
            effect: it.effect.name(),
            key: it.key.as_deref().map(str::to_owned),
            policy: it.policy.as_deref().map(str::to_owned),
            quota: match &it.effect {
                Effect::Boost(quota) => Some(quota.to_string()),
                _ => None,
            },
            ends_after_ms: it.until.saturating_sub(now),
            by: it.by.to_string(),
            why: it.why.to_string(),
        }
    }

    /// Whether it switches `policy` off.
    pub(super) fn is_off(&self, policy: &str) -> bool {
        self.key.is_none() && self.policy.as_deref() == Some(policy)
    }

    /// Whether it is about the client of `tag`.
    pub(super) fn is_of(&self, tag: &str) -> bool {
        self.key.as_deref() == Some(tag)
    }
}
