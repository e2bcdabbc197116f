//! The arithmetic of leases: how many units a process may hold, how many more it asks for, and until when it may use
//! them.

use std::num::NonZeroU64;

use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;
use crate::domain::policy::Policy;

/// Fewer units are not leased, so the last units of every quota are counted one by one.
pub(super) const FEWEST: u64 = 16;

/// So many requests within one lease time make a key busy.
pub(super) const BUSY: u64 = 16;

/// All processes together hold at most one part in so many of what remains.
const PARTS: u64 = 4;

/// More units are asked for when at most one in so many is left.
const SPARE: u64 = 5;

/// The most units that one of `instances` processes may hold while `remaining` units remain in the store.
pub(super) fn most_held(remaining: u64, instances: NonZeroU64) -> u64 {
    remaining / PARTS.saturating_mul(instances.get())
}

/// How many more units to charge for a process that holds `held`, and used `demand` in the last lease time. `None` if
/// they are too few to be leased.
pub(super) fn chunk(remaining: u64, instances: NonZeroU64, held: u64, demand: u64) -> Option<u32> {
    let chunk = most_held(remaining, instances).min(demand).saturating_sub(held);
    (chunk >= FEWEST).then(|| u32::try_from(chunk).unwrap_or(u32::MAX))
}

/// A process's part of what remains is plenty if it is so many times what the process used in the last lease time.
const PLENTY: u64 = 4;

/// Whether `remaining` units are plenty for a process that used `demand` in the last lease time. If so many remained
/// lately, the store need not be asked again. Where others have used them up since, [`kept`] sees it after the charge.
pub(super) fn is_plenty(remaining: u64, instances: NonZeroU64, demand: u64) -> bool {
    most_held(remaining, instances) / PLENTY >= demand
}

/// How many of `granted` units the process keeps, of which the store now says that `remaining` are left. Others may have
/// used up much between the question and the charge.
pub(super) fn kept(granted: u64, remaining: u64, instances: NonZeroU64) -> u64 {
    let most = most_held(remaining.saturating_add(granted), instances);
    if most < FEWEST { 0 } else { granted.min(most) }
}

/// Whether so few of the units that the process held are `left` that more should be asked for.
pub(super) fn is_low(left: u64, held: u64) -> bool {
    left.saturating_mul(SPARE) <= held
}

/// How long before its end a lease counts as used up.
pub(super) fn spare_time(lease: Millis) -> Millis {
    lease / SPARE
}

/// How long a lease lasts, from the moment before the store was asked, if the store said that the quota is whole again
/// after `reset_after`.
///
/// A window counts the same whenever in it a unit is used. So a lease ends with the window in which it was charged. A
/// token bucket has no windows.
pub(super) fn lasts(policy: &Policy, lease: Millis, reset_after: Millis) -> Millis {
    let until_edge = match policy.algorithm() {
        Algorithm::SlidingWindow => reset_after.saturating_sub(policy.quota().window().longest()),
        Algorithm::TokenBucket { .. } => Millis::MAX,
        _ => reset_after,
    };
    lease.min(until_edge.saturating_sub(margin(lease)))
}

/// The store and the process each cut off a part of a millisecond, and their clocks may differ by a thousandth.
fn margin(lease: Millis) -> Millis {
    2 + lease.div_ceil(1_000)
}

#[cfg(test)]
mod tests;
