use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::domain::algorithm::Terms;
use crate::domain::policy::Policy;

/// This process's shares of policies. The share of a configured policy is the same object every time.
#[derive(Debug)]
pub(crate) struct Shares {
    instances: NonZeroU64,
    /// By the policy's name and its terms; empty if the share is the whole quota.
    shares: HashMap<Box<str>, HashMap<Terms, Arc<Policy>>>,
}

impl Shares {
    pub(crate) fn new<'a>(
        instances: NonZeroU64,
        policies: impl IntoIterator<Item = &'a Arc<Policy>>,
    ) -> Self {
        let mut shares: HashMap<_, HashMap<_, _>> = HashMap::new();
        if instances > NonZeroU64::MIN {
            for policy in policies {
                let share = || Arc::new(policy.share_of(instances));
                let of_name = shares.entry(policy.name().into()).or_default();
                of_name.entry(policy.terms()).or_insert_with(share);
            }
        }
        Self { instances, shares }
    }

    /// How many processes have a share.
    pub(crate) fn instances(&self) -> NonZeroU64 {
        self.instances
    }

    /// This process's share of `policy`.
    pub(crate) fn of(&self, policy: &Arc<Policy>) -> Arc<Policy> {
        if self.instances == NonZeroU64::MIN {
            return policy.clone();
        }
        let of_name = self.shares.get(policy.name());
        match of_name.and_then(|shares| shares.get(&policy.terms())) {
            Some(share) => share.clone(),
            // A quota that an operator gave to one client.
            None => Arc::new(policy.share_of(self.instances)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quota_of_a_policy_has_a_share_and_always_the_same() {
        let policy = |text: &str| Arc::new(Policy::new("p", text.parse().unwrap()).unwrap());
        let policies = ["10/minute", "100/minute", "100/minute"].map(policy);
        for (instances, units) in [(1, [10, 100, 100]), (4, [3, 25, 25])] {
            let shares = Shares::new(NonZeroU64::new(instances).unwrap(), &policies);
            let share = |policy| shares.of(policy).quota().units();
            assert_eq!(policies.each_ref().map(share), units);
            for policy in &policies {
                assert!(Arc::ptr_eq(&shares.of(policy), &shares.of(policy)));
            }
        }
    }
}
