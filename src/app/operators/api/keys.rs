//! Where a client stands, and how its counts are forgotten.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use serde::{Deserialize, Serialize};

use super::answer::{answer, limiter};
use super::refused::{not_made, unconfirmed};
use super::usage::Usage;
use crate::app::operators::admin_state::AdminState;
use crate::domain::clock::millis;
use crate::limiter::{KeyStanding, Limiter, Note, OverrideError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    key: String,
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    key: String,
    policy: Option<String>,
    by: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    confirmed: bool,
}

/// Where a client stands.
#[derive(Serialize)]
struct Stands {
    key: String,
    policies: Vec<UnderPolicy>,
    overrides: Vec<super::changes::Listed>,
}

/// Where it stands under one policy.
#[derive(Serialize)]
struct UnderPolicy {
    policy: String,
    quota: String,
    /// Where the quota comes from.
    from: &'static str,
    #[serde(flatten)]
    usage: Usage,
    /// How long the penalty of the policy still bans it; nothing if it does not.
    banned_for_ms: Option<u64>,
    /// Why the store could not be asked.
    error: Option<String>,
}

pub(super) async fn peek(admin: Data<AdminState>, asked: Query<Asked>) -> HttpResponse {
    let Asked { key, policy } = asked.into_inner();
    match stands(&limiter(&admin), &key, policy.as_deref()).await {
        Ok(stands) => answer(stands),
        Err(error) => not_made(&error),
    }
}

pub(super) async fn reset(admin: Data<AdminState>, asked: Json<Reset>) -> HttpResponse {
    let Reset { key, policy, by, why, confirmed } = asked.into_inner();
    let limiter = limiter(&admin);
    let before = match stands(&limiter, &key, policy.as_deref()).await {
        Ok(before) => before,
        Err(error) => return not_made(&error),
    };
    let is_reset = |it: &&UnderPolicy| it.usage.used != Some(0) || it.banned_for_ms.is_some();
    let used = before.policies.iter().filter(is_reset);
    let mut used: Vec<_> = used.map(|it| it.policy.as_str()).collect();
    used.dedup();
    if used.len() > 1 && !confirmed {
        let reason = format!("This resets {} policies: {}.", used.len(), used.join(", "));
        return unconfirmed(&[reason]);
    }
    if let Err(error) = limiter.reset_tag(&before.key, policy.as_deref()).await {
        return not_made(&error);
    }
    // The reset is made, even if it could not be noted. The log has it then.
    let told = in_words(&before);
    let tag = before.key.clone();
    let noted = actix_web::web::block(move || {
        limiter.note_change("reset", &tag, &told, "whole quotas", Note::new(&by, &why))
    });
    if let Ok(Err(error)) = noted.await {
        log::warn!("The reset of {} could not be noted: {error}.", before.key);
    }
    answer(before)
}

async fn stands(
    limiter: &Limiter,
    key: &str,
    policy: Option<&str>,
) -> Result<Stands, OverrideError> {
    let tag = limiter.tag_named(key, policy)?;
    let standings = limiter.standings_of(&tag, policy).await?;
    let listed = super::changes::listed(limiter).await?;
    let is_its = |it: &super::changes::Listed| it.is_of(&tag);
    Ok(Stands {
        key: tag.to_string(),
        policies: standings.iter().map(UnderPolicy::of).collect(),
        overrides: listed.overrides.into_iter().filter(is_its).collect(),
    })
}

impl UnderPolicy {
    fn of(it: &KeyStanding) -> Self {
        let KeyStanding { policy, source, standing, banned_for, .. } = it;
        Self {
            policy: policy.name().to_owned(),
            quota: policy.allows(),
            from: source.name(),
            usage: Usage::of(policy, standing.as_ref().ok()),
            banned_for_ms: banned_for.map(millis),
            error: standing.as_ref().err().map(ToString::to_string),
        }
    }
}

/// What was used before a reset, for the list of changes.
fn in_words(stands: &Stands) -> String {
    let used = |it: &UnderPolicy| {
        let banned = if it.banned_for_ms.is_some() { " and banned" } else { "" };
        match it.usage.used {
            Some(used) => format!("{used} of {}{banned} under {}", it.quota, it.policy),
            None => format!("unknown under {}", it.policy),
        }
    };
    stands.policies.iter().map(used).collect::<Vec<_>>().join(", ")
}
