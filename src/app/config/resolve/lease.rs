//! For how long a process may lease units of a policy.

use std::time::Duration;

use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::clock::{Millis, millis};
use crate::domain::policy::Policy;
use crate::domain::quota::ClientQuota;

/// The longest lease, in milliseconds. What a process holds is missing to the others for as long.
const LONGEST: Millis = 10_000;

/// The option `lease_ms` of a policy.
pub(super) struct LeaseOption(Option<(Leaf, Duration)>);

impl LeaseOption {
    /// Reads the option.
    pub(super) fn of(section: &mut Section) -> Self {
        let read = section.take("lease_ms").and_then(|leaf| {
            let lease = section.note(leaf.millis(0..=LONGEST))?;
            Some((leaf, lease))
        });
        Self(read.filter(|(_, lease)| !lease.is_zero()))
    }

    /// `policy` with this option. If it does not suit the policy, or `deny_cache`, that is an error of `section`.
    pub(super) fn add_to(
        self,
        policy: Policy,
        deny_cache: Duration,
        section: &mut Section,
    ) -> Policy {
        let Some((leaf, lease)) = self.0 else { return policy };
        let leased = policy.clone().with_lease(lease);
        section.note(checked(&leaf, lease, &leased, deny_cache)).map_or(policy, |()| leased)
    }
}

fn checked(
    leaf: &Leaf,
    lease: Duration,
    policy: &Policy,
    deny_cache: Duration,
) -> Result<(), ConfigError> {
    if !policy.algorithm().can_be_leased() {
        return Err(leaf.refuse(format_args!(
            "a {} is never leased: expected fixed-window, sliding-window or token-bucket, or 0",
            policy.algorithm()
        )));
    }
    if policy.penalty().is_some() {
        return Err(leaf.refuse(
            "a policy with a penalty is never leased, since only the store knows who is banned: expected 0",
        ));
    }
    if policy.charge_on().or(policy.refund_on()).is_some() {
        return Err(leaf.refuse(
            "a policy with charge_on or refund_on is never leased, since it gives back what it charged: expected 0",
        ));
    }
    if policy.in_flight().is_some() {
        return Err(leaf.refuse(
            "a policy with in_flight is never leased, since each request takes its slot in the store: expected 0",
        ));
    }
    if !deny_cache.is_zero() && lease > deny_cache {
        return Err(leaf.refuse(format_args!(
            "a lease must end before other processes have to see an operator's change: expected at most \
             store.deny_cache_ms, which is {}",
            deny_cache.as_millis()
        )));
    }
    let own = policy.quotas();
    let special = policy.plans().map(|it| it.1).chain(policy.users().map(|it| it.1));
    let special = special.chain(policy.networks().map(|it| it.1)).flat_map(ClientQuota::iter);
    let windows = own.iter().chain(special).map(|quota| quota.window().longest());
    let window = windows.min().unwrap_or(Millis::MAX);
    if millis(lease) > window {
        return Err(leaf.refuse(format_args!(
            "a lease is no longer than a window of the policy: expected at most {window}"
        )));
    }
    Ok(())
}
