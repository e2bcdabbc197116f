//! The store, and what of it does not fit the policies.

use super::finding::Finding;
use super::policies::Policies;
use crate::app::config::{Config, StoreOptions, StoreUrl};
use crate::domain::policy::{KeySource, Policy, Rollout};

/// From so long a memory of denials on, it is worth a word that operators wait for it, in milliseconds.
const LONG: u128 = 10_000;

/// The most keys that may be set.
const MOST_KEYS: u64 = 1_000_000_000;

/// What makes of a process's own counts one count of all processes.
const REDIS: &str = "store.url = \"redis://127.0.0.1:6379\"";

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    let store = &policies.config.store;
    if store.url == StoreUrl::Memory {
        findings.extend(instances(store));
        findings.extend(crowded(policies));
    } else {
        findings.extend(asks_always(policies.config));
        findings.extend(late_overrides(store));
    }
}

fn instances(store: &StoreOptions) -> Option<Finding> {
    let number = store.instances;
    (number > 1).then(|| Finding {
        code: "instances-in-memory",
        option: "store.instances".to_owned(),
        reason: format!(
            "Each of {number} processes counts in its own memory, by the whole quota. So a client gets up to \
             {number} times its quota. Processes share quotas in Redis alone."
        ),
        better: REDIS.to_owned(),
    })
}

/// Finds the policy for whose clients there is the least room, if one new client a second is too many for it.
fn crowded(policies: &Policies<'_>) -> Option<Finding> {
    let keys = u64::try_from(policies.config.store.max_keys).unwrap_or(MOST_KEYS);
    let counted = policies.config.policies.iter();
    let counted = counted.filter(|policy| policy.rollout() != Rollout::Off && !is_global(policy));
    // Wrong credentials are counted under a policy as well.
    let rooms = 1 + counted.count() as u64;
    let places = keys / 2 + keys / (2 * rooms);
    // Nobody makes up users, the claims of tokens, or routes.
    let is_given = |part: &KeySource| {
        matches!(part, KeySource::Global | KeySource::User | KeySource::Claim(_) | KeySource::Route)
    };
    let made_up = policies.in_force().filter(|it| !it.key().parts().iter().all(is_given));
    let policy = made_up.max_by_key(|policy| longest_window(policy))?;
    let seconds = longest_window(policy) / 1_000;
    let enough = (seconds * 2 * rooms).div_ceil(rooms + 1).saturating_add(2 * rooms);
    (places < seconds).then(|| Finding {
        code: "memory-crowded",
        option: "store.max_keys".to_owned(),
        reason: format!(
            "The policy {:?} ({}) remembers a client for up to {seconds} seconds, and has room for {places} of \
             them at most. If more come meanwhile, which is fewer than one a second, new ones are counted together.",
            policy.name(),
            policy.quotas(),
        ),
        better: if enough > MOST_KEYS { REDIS.to_owned() } else { format!("store.max_keys = {enough}") },
    })
}

fn is_global(policy: &Policy) -> bool {
    *policy.key() == KeySource::Global
}

/// The longest time for which a key of `policy` is held, in milliseconds.
fn longest_window(policy: &Policy) -> u64 {
    let own = policy.quotas();
    let special = policy.plans().flat_map(|(_, quota)| quota.iter());
    let networks = policy.networks().flat_map(|(_, quota)| quota.iter());
    let windows = own.iter().chain(special).chain(networks).map(|quota| quota.window().longest());
    windows.max().unwrap_or_default()
}

fn asks_always(config: &Config) -> Option<Finding> {
    let auth = &config.auth;
    let proves = auth.api_keys.is_some() || auth.jwt.is_some();
    let credentials =
        if proves { " Each request with a credential asks Redis once more." } else { "" };
    config.store.deny_cache.is_zero().then(|| Finding {
        code: "deny-cache-off",
        option: "store.deny_cache_ms".to_owned(),
        reason: format!(
            "Every denied request asks Redis, so a client that goes on after a denial loads it.{credentials} A \
             denial that is remembered is still exact, because a denied request charges nothing."
        ),
        better: "store.deny_cache_ms = 500".to_owned(),
    })
}

fn late_overrides(store: &StoreOptions) -> Option<Finding> {
    let millis = store.deny_cache.as_millis();
    (millis > LONG).then(|| Finding {
        code: "overrides-late",
        option: "store.deny_cache_ms".to_owned(),
        reason: format!(
            "What an operator changes in one process, such as a ban or a policy that is switched off, holds in the \
             others only within {millis} ms. For as long they may deny a client whose quota was reset."
        ),
        better: "store.deny_cache_ms = 1000".to_owned(),
    })
}
