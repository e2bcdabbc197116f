use std::collections::BTreeMap;

use crate::domain::network::NetworkMap;
use crate::domain::quota::{ClientQuota, Quota};

/// The quotas that plans, single users and networks have in place of a policy's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SpecialQuotas {
    pub(super) plans: BTreeMap<Box<str>, ClientQuota>,
    pub(super) users: BTreeMap<Box<[u8]>, ClientQuota>,
    pub(super) networks: NetworkMap<ClientQuota>,
}

impl SpecialQuotas {
    /// The same, with what `map` makes of each quota.
    pub(super) fn map(&self, map: impl Fn(Quota) -> Quota + Copy) -> Self {
        let mapped = |quota: &ClientQuota| quota.clone().map(map);
        Self {
            plans: self.plans.iter().map(|(plan, it)| (plan.clone(), mapped(it))).collect(),
            users: self.users.iter().map(|(id, it)| (id.clone(), mapped(it))).collect(),
            networks: self.networks.map(mapped),
        }
    }

    /// All of them.
    pub(super) fn quotas(&self) -> impl Iterator<Item = Quota> {
        self.of_clients().flat_map(ClientQuota::iter)
    }

    /// Those of plans, users and networks.
    pub(super) fn of_clients(&self) -> impl Iterator<Item = &ClientQuota> {
        let networks = self.networks.iter().map(|(_, quota)| quota);
        self.plans.values().chain(self.users.values()).chain(networks)
    }
}
