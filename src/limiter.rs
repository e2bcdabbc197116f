//! Policies, a store, and what to do when the store fails.

use std::collections::HashMap;
use std::sync::Arc;

pub use self::builder::{LimiterBuilder, LimiterError};
pub use self::check::{Check, Unavailable};
use self::deny_cache::DenyCache;
use self::fallback::Fallback;
use crate::key::Identity;
use crate::policy::{KeySource, Policy};
use crate::quota::Cost;
use crate::store::{Acquire, Charge, Key, Keyspace, Store, StoreError};

mod builder;
mod check;
mod deny_cache;
mod fallback;
mod seeds;

/// Decides requests under named policies; cheap to clone, and shared by all threads.
///
/// ```
/// use std::sync::Arc;
/// use tollgate::{Cost, Identity, Limiter, MemoryStore, Policy};
///
/// let limiter = Limiter::builder(Arc::new(MemoryStore::new(10_000)))
///     .policy(Policy::new("default", "2/minute".parse()?)?)
///     .build()?;
/// let policies = limiter.policies(["default"])?;
/// let check = || limiter.check(&policies, Cost::ONE, |_| Identity::user("1042")).wait();
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
    keyspace: Keyspace,
    rules: HashMap<String, Rule>,
    routes: HashMap<String, Route>,
}

/// A policy, and this process's share of it for when the store fails.
#[derive(Clone, Debug)]
struct Rule {
    policy: Arc<Policy>,
    share: Arc<Policy>,
}

/// The policies that a request meets, in order.
#[derive(Clone, Debug)]
pub struct Policies(Arc<[Rule]>);

impl Policies {
    /// The policies, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Policy> {
        self.0.iter().map(|rule| &*rule.policy)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What happens to the requests of one route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The policies that they are charged under.
    pub policies: Policies,
    /// The policies whose standing they are told, without a charge.
    pub peek: Policies,
}

impl Limiter {
    /// A limiter over `store`, to which policies are added.
    pub fn builder(store: Arc<dyn Store>) -> LimiterBuilder {
        LimiterBuilder::new(store)
    }

    /// The policies called `names`, in that order.
    ///
    /// # Errors
    /// When there is no policy of such a name, or one is named twice.
    pub fn policies<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Policies, LimiterError> {
        builder::named(&self.0.rules, names)
    }

    /// What happens to requests for `path`; `None` where it is not listed.
    #[must_use]
    pub fn route(&self, path: &str) -> Option<&Route> {
        self.0.routes.get(path)
    }

    /// Decides one request of `cost` under `policies`, and charges it if every one of them admits.
    /// `identity` says whose quota each kind of key is.
    pub fn check(
        &self,
        policies: &Policies,
        cost: Cost,
        identity: impl Fn(&KeySource) -> Identity,
    ) -> Check {
        self.ask(policies, cost, 1, identity)
    }

    /// Decides like [`check`](Self::check), but charges nothing.
    pub fn peek(
        &self,
        policies: &Policies,
        cost: Cost,
        identity: impl Fn(&KeySource) -> Identity,
    ) -> Check {
        self.ask(policies, cost, 0, identity)
    }

    /// Makes the quotas of `policies` whole again. Another process sees it when the denials that it
    /// remembers are too old.
    ///
    /// # Errors
    /// When the store fails; what this process counted, knows and owes is forgotten all the same.
    pub async fn reset(
        &self,
        policies: &Policies,
        identity: impl Fn(&KeySource) -> Identity,
    ) -> Result<(), StoreError> {
        let keys: Vec<_> = policies.iter().map(|it| self.key(it, &identity)).collect();
        if let Some(fallback) = &self.0.fallback {
            fallback.reset(keys.clone()).await?;
        }
        let done = self.0.store.reset(keys).await;
        if let Some(cache) = &self.0.deny_cache {
            cache.clear();
        }
        done
    }

    fn ask(
        &self,
        policies: &Policies,
        cost: Cost,
        count: u32,
        identity: impl Fn(&KeySource) -> Identity,
    ) -> Check {
        let charge = |rule: &Rule| Charge {
            policy: rule.policy.clone(),
            key: self.key(&rule.policy, &identity),
        };
        let charges = policies.0.iter().map(charge).collect();
        Check::start(self.clone(), policies.clone(), Acquire { charges, cost, count })
    }

    fn key(&self, policy: &Policy, identity: impl Fn(&KeySource) -> Identity) -> Key {
        self.0.keyspace.key(&identity(policy.key()), policy)
    }
}

#[cfg(test)]
mod tests;
