//! Where one client stands, for operators, and how its counts are forgotten.

use std::sync::Arc;
use std::time::Duration;

use super::Limiter;
use super::overrides::{Note, OverrideError, may_count};
use super::variants::{PolicyVariants, QuotaSource};
use crate::domain::client::Client;
use crate::domain::key::{Identity, Ipv6Prefix};
use crate::domain::policy::Policy;
use crate::domain::standing::Standing;
use crate::store::{Acquire, Acquired, Charge, StoreError};

/// Where a client stands under one policy, or under one quota of a policy that has several.
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
    /// How long the penalty of the policy still bans the client; `None` if it does not, or if that is not known.
    pub banned_for: Option<Duration>,
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
            let (parts, source) = self.quotas_of(variants, tag);
            for policy in parts {
                let answer = self.peek_at(&self.peek_of(tag, &policy)).await;
                let banned_for = answer.as_ref().ok().and_then(ban_of);
                let standing = answer.and_then(|acquired| {
                    let unknown = || StoreError::new(crate::store::StoreErrorKind::Refused);
                    acquired.standings.first().copied().ok_or_else(unknown)
                });
                standings.push(KeyStanding { policy, source, standing, banned_for });
            }
        }
        Ok(standings)
    }

    /// Makes the quotas of the client of `tag` whole again, under `policy` or under every policy that may count it, and
    /// ends bans by their penalties. What this process counted, cached and owes is forgotten as well.
    ///
    /// # Errors
    /// If there is no such policy, or the store fails.
    pub async fn reset_tag(&self, tag: &str, policy: Option<&str>) -> Result<(), OverrideError> {
        let counting = self.counting(tag, policy)?;
        let keys = counting.into_iter().flat_map(|variants| self.keys_of(variants, tag)).collect();
        self.reset_keys(keys).await.map_err(OverrideError::Store)
    }

    /// Ends the bans of the client of `tag` by the penalty of `policy`, or of every policy that may count it. The
    /// denials and bans before are forgotten, and quotas stay as they are. Returns the policies whose bans it ended.
    pub(super) fn end_penalties(
        &self,
        tag: &str,
        policy: Option<&str>,
        note: Note<'_>,
    ) -> Result<Vec<Box<str>>, OverrideError> {
        let (mut keys, mut ended) = (Vec::new(), Vec::new());
        let mut before = Vec::new();
        for variants in self.counting(tag, policy)? {
            let of_policy = variants.policy();
            if of_policy.penalty().is_none() {
                continue;
            }
            let answer = self.0.store.acquire(&self.peek_of(tag, of_policy)).wait();
            if let Some(left) = ban_of(&answer.map_err(OverrideError::Store)?) {
                keys.push(self.0.keyspace.penalty_key_of_tag(tag, of_policy));
                let name = of_policy.name();
                let seconds = left.as_millis().div_ceil(1_000);
                before.push(format!("banned for {seconds} s by the penalty of {name}"));
                ended.push(name.into());
            }
        }
        if !keys.is_empty() {
            if let Some(fallback) = &self.0.fallback {
                fallback.reset(keys.clone()).wait().map_err(OverrideError::Store)?;
            }
            self.0.store.reset(keys).wait().map_err(OverrideError::Store)?;
            if let Some(cache) = &self.0.deny_cache {
                cache.clear();
            }
            let subject = policy.map_or(tag.to_owned(), |policy| format!("{tag} under {policy}"));
            self.note_change("unban", &subject, &before.join(", "), "nothing", note)?;
        }
        Ok(ended)
    }

    /// Asks where the client of `tag` stands under `policy`.
    fn peek_of(&self, tag: &str, policy: &Arc<Policy>) -> Acquire {
        let keyspace = &self.0.keyspace;
        let charge = Charge::new(policy.clone(), keyspace.key_of_tag(tag, policy));
        let mut asked = Acquire::new(vec![charge], 0);
        asked.penalties.extend(self.penalty(0..1, &asked.charges));
        asked
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
            !variants.is_off() && may_count(variants.policy().key(), tag)
        };
        let mut counting: Vec<_> = all.filter(is_met).collect();
        counting.sort_by_key(|variants| variants.policy().name().to_owned());
        Ok(counting)
    }

    /// The quotas of the client of `tag` under a policy, and where they come from. There is none if the policy does not
    /// apply to the client.
    fn quotas_of(&self, variants: &PolicyVariants, tag: &str) -> (Vec<Arc<Policy>>, QuotaSource) {
        let table = self.0.overridden.load();
        let boosted = table.as_deref().and_then(|table| table.boosted(variants.policy(), tag));
        if let Some(boosted) = boosted {
            return (boosted.to_vec(), QuotaSource::Boost);
        }
        let special = match Identity::named(tag, Ipv6Prefix::default()) {
            Ok(Identity::Ipv4(address)) => variants.special_of(&Client::at(address.into())),
            Ok(Identity::Ipv6(network)) => variants.special_of(&Client::at(network.first().into())),
            Ok(identity) => {
                identity.user_id().and_then(|id| variants.special_of(&Client::user(id)))
            }
            Err(_) => None,
        };
        let (source, parts) = special.unwrap_or((QuotaSource::Policy, variants.own()));
        (parts.to_vec(), source)
    }
}

/// How long the client is still banned of whom that was answered.
fn ban_of(acquired: &Acquired) -> Option<Duration> {
    acquired.ban.map(|ban| Duration::from_millis(ban.lasts))
}
