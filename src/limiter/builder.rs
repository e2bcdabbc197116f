use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::deny_cache::DenyCache;
use super::fallback::Fallback;
use super::{Inner, Limiter, Policies, Route, Rule};
use crate::clock::Clock;
use crate::policy::Policy;
use crate::store::{Debtor, Keyspace, MemoryStore, Store};

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
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            local: None,
            deny_cache: None,
            keyspace: Keyspace::new("tollgate"),
            instances: NonZeroU64::MIN,
            policies: Vec::new(),
            routes: Vec::new(),
        }
    }

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
    /// A key begins where the store left it, as far as that is known, and what was admitted is charged
    /// to the store when it is back.
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

    /// Divides every quota by `instances`, rounding up, while the store fails: so many processes share
    /// them.
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
        let Self { store, local, deny_cache, keyspace, instances, .. } = self;
        let fallback = local.map(|local| Arc::new(Fallback::new(local, instances, &rules)));
        if let Some(fallback) = &fallback {
            let debtor: Weak<dyn Debtor> = Arc::downgrade(fallback) as _;
            store.on_return(debtor);
        }
        let inner = Inner { store, fallback, deny_cache, keyspace, rules, routes };
        Ok(Limiter(Arc::new(inner)))
    }
}

pub(super) fn named<N: AsRef<str>>(
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
