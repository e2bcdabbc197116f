//! The quotas of policies, plans and users.

use std::collections::BTreeSet;

use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::Quota;

pub(super) const EXPECTED: &str = "units per window, as in \"10/minute\"";

/// The quotas that a policy has for plans and users, each with the option that sets it.
pub(super) struct SpecialQuotas {
    plans: Vec<(String, Leaf, Quota)>,
    users: Vec<(String, Leaf, Quota)>,
}

pub(super) fn quota(leaf: &Leaf) -> Result<Quota, ConfigError> {
    leaf.parse(EXPECTED, str::parse)
}

/// The tables `plans` and `users` of a policy that counts by `key`. Every plan is added to `plans`, even
/// one with a bad quota, since other options may name it.
pub(super) fn special_quotas(
    section: &mut Section,
    key: &KeySource,
    plans: &mut BTreeSet<String>,
) -> SpecialQuotas {
    SpecialQuotas {
        plans: section.table("plans", |section| {
            plans.extend(section.names().map(str::to_owned));
            table(section, key)
        }),
        users: section.table("users", |section| table(section, key)),
    }
}

fn table(section: &mut Section, key: &KeySource) -> Vec<(String, Leaf, Quota)> {
    let is_by_user = key.is_by_user();
    if !is_by_user && section.names().next().is_some() {
        section.refuse(format_args!(
            "only a policy by user or user-or-ip can tell users apart, and this one is by {key}"
        ));
    }
    section.options(|name, leaf| Ok((name.to_owned(), leaf.clone(), quota(leaf)?)))
}

impl SpecialQuotas {
    /// `policy` with these quotas. Those that it refuses become errors of `section`.
    pub(super) fn add_to(self, mut policy: Policy, section: &mut Section) -> Policy {
        for (plan, leaf, quota) in self.plans {
            section.note(policy.add_plan(&plan, quota).map_err(|error| leaf.refuse(error)));
        }
        for (id, leaf, quota) in self.users {
            section.note(if id.is_empty() {
                Err(leaf.refuse("a user's ID is missing"))
            } else {
                policy.add_user(id.as_bytes(), quota).map_err(|error| leaf.refuse(error))
            });
        }
        policy
    }
}
