//! Quotas for plans, single users and networks.

#[cfg(feature = "server")]
use std::net::IpAddr;
use std::sync::Arc;

use super::{Policy, PolicyError, is_name};
use crate::domain::network::Network;
use crate::domain::quota::{ClientQuota, MAX_EXACT, Quota};

/// Quotas for plans, single users and networks, in place of those of the policy. Of several, the most specific holds: that
/// of the user, or else of the plan, or else of the smallest network.
///
/// Those of plans and users apply where the policy counts by user, and those of networks where it counts by address. A key
/// that many clients share has the quota of the policy, whoever asks.
impl Policy {
    /// The same policy, with `quota` for the users of `plan`.
    ///
    /// The burst of a token bucket grows in proportion: it is to `quota` what the policy's own burst is
    /// to its own quota, rounded up.
    ///
    /// # Errors
    /// If the algorithm cannot count a quota exactly, or if `plan` would not be valid as the
    /// name of a policy.
    pub fn with_plan(mut self, plan: &str, quota: ClientQuota) -> Result<Self, PolicyError> {
        self.add_plan(plan, quota)?;
        Ok(self)
    }

    /// The same policy, with `quota` for the user `id`, whatever that user's plan. The burst of a token
    /// bucket grows in proportion, as in [`with_plan`](Self::with_plan).
    ///
    /// # Errors
    /// If the algorithm cannot count a quota exactly.
    pub fn with_user(
        mut self,
        id: impl AsRef<[u8]>,
        quota: ClientQuota,
    ) -> Result<Self, PolicyError> {
        self.add_user(id.as_ref(), quota)?;
        Ok(self)
    }

    /// The same policy, with `quota` for each client at an address in `network`. The burst of a token bucket grows in
    /// proportion, as in [`with_plan`](Self::with_plan).
    ///
    /// Each client still has a count of its own. A network smaller than the [IPv6 networks](Self::with_ipv6_prefix) that
    /// count as one client should have no quota, since its addresses share their count with others.
    ///
    /// # Errors
    /// If the algorithm cannot count a quota exactly.
    pub fn with_network(
        mut self,
        network: Network,
        quota: ClientQuota,
    ) -> Result<Self, PolicyError> {
        self.add_network(network, quota)?;
        Ok(self)
    }

    pub(crate) fn add_plan(&mut self, plan: &str, quota: ClientQuota) -> Result<(), PolicyError> {
        if !is_name(plan) {
            return Err(PolicyError::Plan(plan.to_owned()));
        }
        let quota = self.local_for(quota)?;
        Arc::make_mut(&mut self.special).plans.insert(plan.into(), quota);
        Ok(())
    }

    pub(crate) fn add_user(&mut self, id: &[u8], quota: ClientQuota) -> Result<(), PolicyError> {
        let quota = self.local_for(quota)?;
        Arc::make_mut(&mut self.special).users.insert(id.into(), quota);
        Ok(())
    }

    pub(crate) fn add_network(
        &mut self,
        network: Network,
        quota: ClientQuota,
    ) -> Result<(), PolicyError> {
        let quota = self.local_for(quota)?;
        Arc::make_mut(&mut self.special).networks.insert(network, quota);
        Ok(())
    }

    /// The plans that have a quota of their own, each with its quota.
    pub fn plans(&self) -> impl Iterator<Item = (&str, &ClientQuota)> {
        self.special.plans.iter().map(|(plan, quota)| (&**plan, quota))
    }

    /// The users that have a quota of their own, each with its quota.
    pub fn users(&self) -> impl Iterator<Item = (&[u8], &ClientQuota)> {
        self.special.users.iter().map(|(id, quota)| (&**id, quota))
    }

    /// The networks that have a quota of their own, each with its quota.
    pub fn networks(&self) -> impl Iterator<Item = (Network, &ClientQuota)> {
        self.special.networks.iter()
    }

    /// The smallest network with a quota of its own that holds `address`.
    #[cfg(feature = "server")]
    pub(crate) fn network_of(&self, address: IpAddr) -> Option<Network> {
        self.special.networks.get_key_value(address).map(|(network, _)| network)
    }

    /// The largest cost in units that it can ever admit, for any client.
    #[must_use]
    pub fn largest_cost(&self) -> u64 {
        if !self.has_quotas() {
            // A request holds one slot, whatever it costs.
            return MAX_EXACT;
        }
        let largest = |quotas: &mut dyn Iterator<Item = Quota>| {
            quotas.map(|quota| self.of_quota(quota).terms().burst).min().unwrap_or(MAX_EXACT)
        };
        let own = largest(&mut self.quotas().iter());
        let special = self.special.of_clients().map(|quota| largest(&mut quota.iter()));
        special.fold(own, u64::max)
    }

    /// `quota` as it counts in the policy's time zone.
    fn local_for(&self, quota: ClientQuota) -> Result<ClientQuota, PolicyError> {
        let quota = quota.map(|quota| self.local(quota));
        quota.iter().try_for_each(|quota| self.with_own_quota(quota).map(drop))?;
        Ok(quota)
    }
}
