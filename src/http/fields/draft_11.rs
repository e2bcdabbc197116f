//! `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11.

use bytes::Bytes;

use super::policy_list::begin_item;
use super::stretch::Stretch;
use super::text::{parameter, seconds_up};
use crate::domain::clock::Millis;
use crate::domain::decision::Decision;
use crate::domain::policy::Policy;
use crate::domain::standing::Retry;

/// `"default";r=7;t=42`: the remaining units of every policy, and the seconds until its quota is whole again. For a
/// denied request, only the policies that deny it, with the seconds until they admit it.
pub(super) fn standings(decision: &Decision, stretch: Stretch, list: &mut String) -> Bytes {
    let mut item = |policy: &Policy, remaining: u64, wait: Option<Millis>| {
        begin_item(list, policy);
        parameter(list, ";r=", remaining);
        if let Some(wait) = wait {
            parameter(list, ";t=", seconds_up(wait));
        }
    };
    if decision.is_allowed() {
        for (policy, standing) in decision.policies() {
            let wait = Some(standing.reset_after).filter(|wait| *wait > 0);
            item(policy, standing.remaining, wait);
        }
    } else {
        for (policy, standing) in decision.violated() {
            let wait = match standing.retry {
                Retry::After(wait) => Some(stretch.of(wait)),
                Retry::Now | Retry::WhenFreed | Retry::Never => None,
            };
            item(policy, standing.remaining, wait);
        }
    }
    Bytes::copy_from_slice(list.as_bytes())
}
