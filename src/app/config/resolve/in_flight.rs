//! How many requests of a key may be under way at once.

use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::algorithm::{Algorithm, MOST_IN_FLIGHT};
use crate::domain::clock::Millis;
use crate::domain::policy::{Policy, Share};
use crate::domain::quota::Quota;

/// After how many milliseconds a slot ends that is not renewed, unless that is set.
pub(crate) const DEFAULT_SLOT: Millis = 30_000;

/// The longest that may be set, an hour.
const LONGEST_SLOT: Millis = 3_600_000;

/// What only quotas have.
const OF_QUOTAS: [&str; 9] = [
    "algorithm",
    "burst",
    "candidate",
    "charge_on",
    "lease_ms",
    "networks",
    "plans",
    "refund_on",
    "users",
];

/// The options of a policy about requests under way.
pub(super) struct InFlightOptions {
    /// Where the limit was set.
    leaf: Option<Leaf>,
    most: Option<u64>,
    slot: Millis,
    /// Where the reserve was set, and how much it is.
    reserve: Option<(Leaf, Share)>,
    /// An option that is there, and that only quotas have.
    of_quotas: Option<&'static str>,
}

impl InFlightOptions {
    pub(super) fn of(section: &mut Section) -> Self {
        let of_quotas = OF_QUOTAS.into_iter().find(|name| section.names().any(|it| it == *name));
        let leaf = section.take("in_flight");
        let most = leaf.as_ref().and_then(|it| section.note(it.number(1..=MOST_IN_FLIGHT)));
        let is_set = leaf.is_some();
        let slot = section.get("slot_ms", DEFAULT_SLOT, |leaf| {
            let slot = leaf.number(1_000..=LONGEST_SLOT)?;
            if slot % 1_000 != 0 {
                return Err(leaf.refuse("expected whole seconds, such as 30000"));
            }
            if !is_set {
                return Err(
                    leaf.refuse("only requests under way hold slots: expected in_flight beside it")
                );
            }
            Ok(slot)
        });
        let reserve = section.take("reserve").and_then(|leaf| {
            if !is_set {
                let message =
                    "only slots of requests under way are kept: expected in_flight beside it";
                return section.note(Err(leaf.refuse(message)));
            }
            let share = section.note(leaf.parse("a percentage, as in \"20%\"", str::parse))?;
            Some((leaf, share))
        });
        Self { leaf, most, slot, reserve, of_quotas }
    }

    pub(super) fn is_set(&self) -> bool {
        self.leaf.is_some()
    }

    /// The limit in the form of a quota.
    pub(super) fn as_quota(&self) -> Option<Quota> {
        Quota::new(self.most?, self.slot).ok()
    }

    /// `policy`, which has no quotas, with this limit alone.
    pub(super) fn alone(&self, policy: Policy, section: &mut Section) -> Option<Policy> {
        let leaf = self.leaf.as_ref()?;
        if let Some(option) = self.of_quotas {
            let message = format_args!(
                "{option} is about quotas, and this policy has none: expected a quota"
            );
            return section.note(Err(leaf.refuse(message)));
        }
        let counted = policy.with_algorithm(Algorithm::InFlight);
        let counted = section.note(counted.map_err(|error| leaf.refuse(error)))?;
        Some(self.with_reserve(counted, section))
    }

    /// `policy` with this limit beside its quotas.
    pub(super) fn add_to(&self, policy: Policy, section: &mut Section) -> Policy {
        let Some((leaf, most)) = self.leaf.as_ref().zip(self.most) else { return policy };
        let limited = policy.clone().with_in_flight(most, self.slot);
        let limited = section.note(limited.map_err(|error| leaf.refuse(error)));
        limited.map_or(policy, |limited| self.with_reserve(limited, section))
    }

    fn with_reserve(&self, policy: Policy, section: &mut Section) -> Policy {
        let Some((leaf, share)) = &self.reserve else { return policy };
        let kept = policy.clone().with_reserve(*share);
        section.note(kept.map_err(|error| leaf.refuse(error))).unwrap_or(policy)
    }
}
