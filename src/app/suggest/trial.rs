//! Tries a suggested policy out, by a limiter as it serves.

use std::sync::Arc;

use super::report::Refusals;
use super::traffic::Traffic;
use crate::app::error::AppError;
use crate::domain::client::Client;
use crate::domain::clock::ManualClock;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::Cost;
use crate::limiter::Limiter;
use crate::store::MemoryStore;

/// The keys for which the store has room, for each client. It never comes near its limit.
const ROOM: usize = 4;

/// Tries out whether a limiter with `policy` refuses of `traffic` what is `expected`.
///
/// # Errors
/// When it refuses something else.
pub(super) fn try_out(
    policy: Policy,
    traffic: &Traffic,
    expected: Refusals,
) -> Result<(), AppError> {
    let shown = format!("{} by {}", policy.quota(), policy.algorithm());
    let refused = refused_by_limiter(policy, traffic)?;
    if refused == expected {
        return Ok(());
    }
    let of = |it: Refusals| format!("{} requests of {} clients", it.requests, it.clients);
    let found = format!(
        "a limiter with {shown} refuses {}, and the search says {}",
        of(refused),
        of(expected)
    );
    Err(AppError::new("the suggestion is wrong, which is a mistake of tollgate", found))
}

/// What `policy` refuses of `traffic`, if a limiter over a memory store decides. No two clients share a key, so one
/// may come after another.
///
/// # Errors
/// When the limiter does not decide.
pub(super) fn refused_by_limiter(policy: Policy, traffic: &Traffic) -> Result<Refusals, AppError> {
    let policy = policy.with_key(KeySource::User);
    let name = policy.name().to_owned();
    let clock = Arc::new(ManualClock::default());
    let room = traffic.clients.len().saturating_mul(ROOM);
    let store = MemoryStore::with_clock(room, clock.clone());
    let limiter = Limiter::builder(Arc::new(store)).policy(policy).build().map_err(failed)?;
    let policies = limiter.policies([name]).map_err(failed)?;
    let mut refused = Refusals::default();
    for (number, times) in traffic.clients.iter().enumerate() {
        let id = number.to_string();
        let client = Client::user(&id);
        let mut requests = 0;
        for now in times.iter() {
            clock.set(now);
            let decision = limiter.check(&policies, Cost::ONE, &client).wait().map_err(failed)?;
            requests += u64::from(!decision.is_allowed());
        }
        refused.requests += requests;
        refused.clients += u64::from(requests > 0);
    }
    Ok(refused)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::new("the suggestion cannot be tried out", error)
}

#[cfg(test)]
mod tests;
