//! Where one client stands, for operators, and how its counts are forgotten.

use std::sync::Arc;

use super::Limiter;
use super::overrides::{OverrideError, may_count};
use super::variants::{PolicyVariants, QuotaSource};
use crate::domain::client::Client;
use crate::domain::key::{Identity, Ipv6Prefix};
use crate::domain::policy::{Policy, Rollout};
use crate::domain::quota::Cost;
use crate::domain::standing::Standing;
use crate::store::{Acquire, Charge, StoreError};

/// Where a client stands under one policy.
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyStanding {
    /// The policy, with the quota that holds for the client. The quota of a plan is not known here, since only a
    /// credential tells the plan of a user.
    pub policy: Arc<Policy>,
    /// Where that quota comes from.
    pub source: QuotaSource,
    /// Where the client stands, for one more unit.
    ///
    /// # Errors
    /// If the store could not be asked.
    pub standing: Result<Standing, StoreError>,
}

impl Limiter {
    /// Where the client of `tag` stands, under `policy` or under every policy that may count it, in the order of their
    /// names. A tag is an identity as [`tag_named`](Self::tag_named) returns it.
    ///
    /// # Errors
    /// If there is no such policy.
    pub async fn standings_of(
        &self,
        tag: &str,
        policy: Option<&str>,
    ) -> Result<Vec<KeyStanding>, OverrideError> {
        let mut standings = Vec::new();
        for variants in self.counting(tag, policy)? {
            let (policy, source) = self.quota_of(variants, tag);
            let key = self.0.keyspace.key_of_tag(tag, &policy);
            let charge = Charge { policy: policy.clone(), key };
            let answer = self.0.store.acquire(&Acquire::new(vec![charge], Cost::ONE, 0)).await;
            let standing = answer.and_then(|acquired| {
                let unknown = || StoreError::new(crate::store::StoreErrorKind::Refused);
                acquired.standings.first().copied().ok_or_else(unknown)
            });
            standings.push(KeyStanding { policy, source, standing });
        }
        Ok(standings)
    }

    /// Makes the quotas of the client of `tag` whole again, under `policy` or under every policy that may count it. What
    /// this process counted, cached and owes is forgotten as well.
    ///
    /// # Errors
    /// If there is no such policy, or the store fails.
    pub async fn reset_tag(&self, tag: &str, policy: Option<&str>) -> Result<(), OverrideError> {
        let counting = self.counting(tag, policy)?;
        let keys = counting.into_iter().flat_map(|variants| self.keys_of(variants, tag)).collect();
        self.reset_keys(keys).await.map_err(OverrideError::Store)
    }

    /// The policies that may count the client of `tag`, in the order of their names.
    fn counting(
        &self,
        tag: &str,
        policy: Option<&str>,
    ) -> Result<Vec<&PolicyVariants>, OverrideError> {
        if let Some(name) = policy {
            let unknown = || OverrideError::UnknownPolicy(name.to_owned());
            return Ok(vec![&**self.0.variants.get(name).ok_or_else(unknown)?]);
        }
        let all = self.0.variants.values().map(|variants| &**variants);
        let is_met = |variants: &&PolicyVariants| {
            variants.policy().rollout() != Rollout::Off && may_count(variants.policy().key(), tag)
        };
        let mut counting: Vec<_> = all.filter(is_met).collect();
        counting.sort_by_key(|variants| variants.policy().name().to_owned());
        Ok(counting)
    }

    /// The quota of the client of `tag` under a policy, and where it comes from.
    fn quota_of(&self, variants: &PolicyVariants, tag: &str) -> (Arc<Policy>, QuotaSource) {
        let table = self.0.overridden.load();
        let boosted = table.as_deref().and_then(|table| table.boosted(variants.policy(), tag));
        if let Some(boosted) = boosted {
            return (boosted.clone(), QuotaSource::Boost);
        }
        let special = match Identity::named(tag, Ipv6Prefix::default()) {
            Ok(Identity::User(id)) => variants.special_of(&Client::user(&*id)),
            _ => None,
        };
        let (source, policy) = special.unwrap_or((QuotaSource::Policy, variants.policy()));
        (policy.clone(), source)
    }
}
