use std::collections::BTreeMap;

use crate::domain::quota::Quota;

/// The quotas that plans and single users have instead of a policy's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SpecialQuotas {
    pub(super) plans: BTreeMap<Box<str>, Quota>,
    pub(super) users: BTreeMap<Box<[u8]>, Quota>,
}

impl SpecialQuotas {
    /// All of them.
    pub(super) fn quotas(&self) -> impl Iterator<Item = Quota> {
        self.plans.values().chain(self.users.values()).copied()
    }
}
