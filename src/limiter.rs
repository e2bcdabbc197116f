//! Policies, a store, and what to do when the store fails.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

pub use self::check::{Check, Unavailable};
use self::deny_cache::DenyCache;
use crate::clock::Clock;
use crate::key::Identity;
use crate::policy::{KeySource, Policy};
use crate::quota::Cost;
use crate::store::{Acquire, Charge, Key, Keyspace, MemoryStore, Store, StoreError};

mod check;
mod deny_cache;

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
    local: Option<Arc<MemoryStore>>,
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
        LimiterBuilder {
            store,
            local: None,
            deny_cache: None,
            keyspace: Keyspace::new("tollgate"),
            instances: NonZeroU64::MIN,
            policies: Vec::new(),
            routes: Vec::new(),
        }
    }

    /// The policies called `names`, in that order.
    ///
    /// # Errors
    /// When there is no policy of such a name, or one is named twice.
    pub fn policies<N: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Policies, LimiterError> {
        named(&self.0.rules, names)
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
    /// When the store fails; what this process counted meanwhile is forgotten all the same.
    pub async fn reset(
        &self,
        policies: &Policies,
        identity: impl Fn(&KeySource) -> Identity,
    ) -> Result<(), StoreError> {
        let keys: Vec<_> = policies.iter().map(|it| self.key(it, &identity)).collect();
        if let Some(local) = &self.0.local {
            local.reset(keys.clone()).await?;
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

/// Puts a [`Limiter`] together.
#[derive(Debug)]
pub struct LimiterBuilder {
    store: Arc<dyn Store>,
    local: Option<Arc<MemoryStore>>,
    deny_cache: Option<DenyCache>,
    keyspace: Keyspace,
    instances: NonZeroU64,
    policies: Vec<Policy>,
    routes: Vec<(String, Vec<String>, Vec<String>)>,
}

impl LimiterBuilder {
    /// Adds a policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Adds a route: requests for `path` are charged under `policies`, and told where they stand
    /// under `peek`.
    #[must_use]
    pub fn route<N: Into<String>>(
        mut self,
        path: impl Into<String>,
        policies: impl IntoIterator<Item = N>,
        peek: impl IntoIterator<Item = N>,
    ) -> Self {
        let names = |names: &mut dyn Iterator<Item = N>| names.map(Into::into).collect();
        let policies = names(&mut policies.into_iter());
        let peek = names(&mut peek.into_iter());
        self.routes.push((path.into(), policies, peek));
        self
    }

    /// Names keys in `keyspace` instead of one with the prefix `tollgate`.
    #[must_use]
    pub fn keyspace(self, keyspace: Keyspace) -> Self {
        Self { keyspace, ..self }
    }

    /// Counts in `local` while the store fails, for the policies that say so. Without it they refuse.
    #[must_use]
    pub fn local(self, local: Arc<MemoryStore>) -> Self {
        Self { local: Some(local), ..self }
    }

    /// Answers a request again that was denied, without asking the store, for as long as the denial
    /// surely holds and at most for `max_age`, by `clock`, which must not step back.
    #[must_use]
    pub fn deny_cache(self, max_age: Duration, clock: Arc<dyn Clock>) -> Self {
        let deny_cache = (!max_age.is_zero()).then(|| DenyCache::new(max_age, clock));
        Self { deny_cache, ..self }
    }

    /// Divides quotas by `instances`, rounding up, while the store fails: so many share them.
    #[must_use]
    pub fn instances(self, instances: NonZeroU64) -> Self {
        Self { instances, ..self }
    }

    /// The limiter.
    ///
    /// # Errors
    /// When two policies have one name, or a route names a policy twice or one that does not exist.
    pub fn build(self) -> Result<Limiter, LimiterError> {
        let mut rules = HashMap::new();
        for policy in self.policies {
            let name = policy.name().to_owned();
            let share = Arc::new(policy.share_of(self.instances));
            let rule = Rule { policy: Arc::new(policy), share };
            if rules.insert(name.clone(), rule).is_some() {
                return Err(LimiterError::DuplicatePolicy(name));
            }
        }
        let mut routes = HashMap::new();
        for (path, policies, peek) in self.routes {
            let route = Route { policies: named(&rules, policies)?, peek: named(&rules, peek)? };
            if routes.insert(path.clone(), route).is_some() {
                return Err(LimiterError::DuplicateRoute(path));
            }
        }
        let Self { store, local, deny_cache, keyspace, .. } = self;
        let inner = Inner { store, local, deny_cache, keyspace, rules, routes };
        Ok(Limiter(Arc::new(inner)))
    }
}

fn named<N: AsRef<str>>(
    rules: &HashMap<String, Rule>,
    names: impl IntoIterator<Item = N>,
) -> Result<Policies, LimiterError> {
    let mut policies: Vec<Rule> = Vec::new();
    for name in names {
        let name = name.as_ref();
        let rule = rules.get(name).ok_or_else(|| LimiterError::UnknownPolicy(name.to_owned()))?;
        if policies.iter().any(|it| it.policy.name() == name) {
            return Err(LimiterError::DuplicatePolicy(name.to_owned()));
        }
        policies.push(rule.clone());
    }
    Ok(Policies(policies.into()))
}

/// Policies and routes that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimiterError {
    /// No policy has this name.
    UnknownPolicy(String),
    /// This name is there twice.
    DuplicatePolicy(String),
    /// This path is there twice.
    DuplicateRoute(String),
}

impl fmt::Display for LimiterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPolicy(name) => write!(f, "there is no policy {name:?}"),
            Self::DuplicatePolicy(name) => write!(f, "policy {name:?} is named twice"),
            Self::DuplicateRoute(path) => write!(f, "route {path:?} is named twice"),
        }
    }
}

impl std::error::Error for LimiterError {}

#[cfg(test)]
mod tests;
