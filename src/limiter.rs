//! Policies, a store, and what to do when the store fails.

use std::collections::HashMap;
use std::sync::Arc;

use self::access::AccessList;
pub use self::access::{Access, AccessEntry, AccessEntryError};
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) use self::admission::Deciding;
pub use self::admission::{Admission, Admitting, Refused};
pub use self::builder::LimiterBuilder;
pub use self::check::Check;
use self::counted::Counted;
use self::deny_cache::DenyCache;
#[cfg(feature = "server")]
pub(crate) use self::descriptors::{DescriptorPattern, DescriptorRules, EntryPattern};
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) use self::ending::Ending;
pub use self::error::LimiterError;
pub use self::explain::{ExplainedPolicy, Explanation, PolicyRole, Verdict};
#[cfg(feature = "server")]
pub(crate) use self::failures::Failures;
use self::fallback::Fallback;
use self::in_flight::InFlight;
pub use self::incoming::Incoming;
pub use self::inspect::KeyStanding;
pub use self::leases::LeaseCounts;
use self::leases::Leases;
#[cfg(feature = "server")]
pub(crate) use self::observer::AUTHENTICATION_DOOR;
pub use self::observer::{
    DecidedBy, DecisionEvent, MetPolicy, Observer, Outcome, PenaltyBan, RefundEvent, TrialKind,
    TrialOutcome,
};
use self::overrides::Overridden;
pub use self::overrides::{
    AuditLine, Changed, Effect, ListedOverrides, Note, Override, OverrideError, OverrideWarning,
    Overrides,
};
use self::plans::Plans;
pub use self::policies::Policies;
pub use self::refund::GivenBack;
pub use self::routes::Route;
use self::routes::Routes;
pub use self::routes::pattern::{RoutePattern, RoutePatternError};
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) use self::settle::{Settler, Settling};
#[cfg(feature = "server")]
pub(crate) use self::together::{Part, PartAnswer, Together};
pub use self::unavailable::Unavailable;
use self::variants::PolicyVariants;
pub use self::variants::QuotaSource;
use crate::domain::client::Client;
use crate::domain::network::Network;
use crate::domain::policy::Policy;
use crate::store::{Key, Keyspace, Store, StoreError};

mod access;
mod admission;
mod ask;
mod builder;
mod charge_up_to;
mod check;
mod client_of;
mod counted;
mod deny_cache;
#[cfg(feature = "server")]
mod descriptors;
#[cfg(any(feature = "actix", feature = "tower"))]
mod ending;
mod error;
mod explain;
#[cfg(feature = "server")]
mod failures;
mod fallback;
mod follow;
mod in_flight;
mod incoming;
mod inspect;
mod lease;
mod leases;
mod observe;
mod observer;
mod overrides;
mod plans;
mod policies;
mod preflight;
mod question;
mod receipt;
mod refund;
mod routes;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(dead_code, reason = "only the doors settle decisions by themselves")
)]
mod settle;
#[cfg(feature = "server")]
mod together;
mod unavailable;
mod variants;

/// Decides requests under named policies; cheap to clone, and shared by all threads.
///
/// ```
/// use std::sync::Arc;
/// use tollgate::{Client, Cost, Limiter, MemoryStore, Policy};
///
/// let limiter = Limiter::builder(Arc::new(MemoryStore::new(10_000)))
///     .policy(Policy::new("default", "2/minute".parse()?)?)
///     .build()?;
/// let policies = limiter.policies(["default"])?;
/// let check = || limiter.check(&policies, Cost::ONE, &Client::user("1042")).wait();
/// assert!(check()?.is_allowed());
/// assert!(check()?.is_allowed());
/// let denied = check()?;
/// assert!(!denied.is_allowed() && denied.retry_after().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    fallback: Option<Arc<Fallback>>,
    deny_cache: Option<DenyCache>,
    leases: Option<Arc<Leases>>,
    keyspace: Keyspace,
    variants: HashMap<String, Arc<PolicyVariants>>,
    plans: Plans,
    routes: Routes,
    allow: AccessList,
    block: AccessList,
    /// Whether CORS preflights pass uncounted.
    passes_preflights: bool,
    overrides: Option<Overrides>,
    overridden: Overridden,
    /// The proxies that are trusted, of which overrides warn.
    proxies: Vec<Network>,
    observer: Option<Arc<dyn Observer>>,
    /// `None` if no policy limits the requests under way.
    in_flight: Option<Arc<InFlight>>,
    /// Whether any policy counts by outcome.
    counts_by_outcome: bool,
    counted: Counted,
}

impl Limiter {
    /// The policies called `names`, in that order.
    ///
    /// # Errors
    /// When there is no policy of such a name, or one is named twice.
    pub fn policies<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Policies, LimiterError> {
        let policies = policies::named(&self.0.variants, names)?;
        policies.note_charged_together();
        Ok(policies)
    }

    /// The route of requests for `path` by `method`, or `None` if they have none. If several match, the most
    /// specific route holds: see [`RoutePattern`].
    ///
    /// The path is compared as it is. Decode it first, as a router does.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<&Route> {
        self.0.routes.at(self.0.routes.find(method, path)?)
    }

    /// Looks `client` up in the access lists. A client on both lists is blocked. A check does not ask the lists.
    #[must_use]
    pub fn access(&self, client: &Client<'_>) -> Access {
        if self.0.block.has(client) {
            Access::Blocked
        } else if self.0.allow.has(client) {
            Access::Allowed
        } else {
            Access::Limited
        }
    }

    /// Whether an access list has any entry.
    #[must_use]
    pub fn has_access_lists(&self) -> bool {
        !self.0.allow.is_empty() || !self.0.block.is_empty()
    }

    /// Makes the quotas of `client` under `policies` whole again, and ends bans by their penalties. Other processes see it once the denials in their
    /// deny cache have expired.
    ///
    /// # Errors
    /// If the store fails. What this process counted, cached and owes is forgotten even then.
    pub async fn reset(&self, policies: &Policies, client: &Client<'_>) -> Result<(), StoreError> {
        let keys = policies.0.iter().flat_map(|variants| {
            let key = self.key(variants.policy(), client);
            self.keys_of(variants, key.hash_tag())
        });
        self.reset_keys(keys.collect()).await
    }

    /// Every key that the client of `tag` may have under a policy.
    fn keys_of(&self, variants: &PolicyVariants, tag: &str) -> Vec<Key> {
        let key = |policy: &Arc<Policy>| self.0.keyspace.key_of_tag(tag, policy);
        // Of every window, since the client may have had another plan.
        let mut keys: Vec<Key> = variants.one_of_each_window().map(key).collect();
        if let Some(table) = self.0.overridden.load() {
            keys.extend(table.boosts(variants.policy(), tag).map(key));
        }
        if variants.policy().penalty().is_some() {
            keys.push(self.0.keyspace.penalty_key_of_tag(tag, variants.policy()));
        }
        keys
    }

    /// Makes the quotas of `keys` whole again.
    async fn reset_keys(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        if let Some(fallback) = &self.0.fallback {
            fallback.reset(keys.clone()).await?;
        }
        let leased = self.0.leases.as_ref().map(|leases| (leases, keys.clone()));
        let done = self.0.store.reset(keys).await;
        if let Some((leases, keys)) = leased {
            leases.forget(&keys);
        }
        if let Some(cache) = &self.0.deny_cache {
            cache.clear();
        }
        done
    }

    fn key(&self, policy: &Policy, client: &Client<'_>) -> Key {
        self.0.keyspace.key(&client.identity(policy), policy)
    }
}

#[cfg(test)]
mod tests;
