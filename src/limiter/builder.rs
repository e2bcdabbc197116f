use std::collections::{HashMap, HashSet};
use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::access::{AccessEntry, AccessList};
use super::deny_cache::DenyCache;
use super::fallback::Fallback;
use super::plans::Plans;
use super::routes::pattern::{RoutePattern, RoutePatternError};
use super::routes::{Route, Routes};
use super::variants::{Policies, PolicyVariants};
use super::{Inner, Limiter};
use crate::domain::clock::Clock;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
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
    routes: Vec<Listed>,
    allow: Vec<AccessEntry>,
    block: Vec<AccessEntry>,
}

/// A route as it was added.
#[derive(Debug)]
struct Listed {
    pattern: String,
    policies: Vec<String>,
    peek: Vec<String>,
    cost: Cost,
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
            allow: Vec::new(),
            block: Vec::new(),
        }
    }

    /// Adds a policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Adds a route: the requests that `pattern` is for (see [`RoutePattern`]) are charged one unit
    /// each under `policies`, and told where they stand under `peek`.
    #[must_use]
    pub fn route<N: Into<String>>(
        self,
        pattern: impl Into<String>,
        policies: impl IntoIterator<Item = N>,
        peek: impl IntoIterator<Item = N>,
    ) -> Self {
        self.route_of_cost(Cost::ONE, pattern, policies, peek)
    }

    /// Adds a route whose requests are charged `cost` each.
    #[must_use]
    pub fn route_of_cost<N: Into<String>>(
        mut self,
        cost: Cost,
        pattern: impl Into<String>,
        policies: impl IntoIterator<Item = N>,
        peek: impl IntoIterator<Item = N>,
    ) -> Self {
        let names = |names: &mut dyn Iterator<Item = N>| names.map(Into::into).collect();
        let policies = names(&mut policies.into_iter());
        let peek = names(&mut peek.into_iter());
        self.routes.push(Listed { pattern: pattern.into(), policies, peek, cost });
        self
    }

    /// Adds clients to the list of those who pass unchecked.
    #[must_use]
    pub fn allow(mut self, entries: impl IntoIterator<Item = AccessEntry>) -> Self {
        self.allow.extend(entries);
        self
    }

    /// Adds clients to the list of those who are refused.
    #[must_use]
    pub fn block(mut self, entries: impl IntoIterator<Item = AccessEntry>) -> Self {
        self.block.extend(entries);
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

    /// Answers a request that is known to be denied without asking the store, for as long as the denial
    /// surely holds and at most for `max_age`, by `clock`, which must not step back.
    ///
    /// Where the store [may give charges back](Store::may_give_back), a denial is remembered only if
    /// each policy that denies is the last of all routes, and of all sets of
    /// [`Limiter::policies`], that it is in. Processes that share a store should have the same ones.
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
    /// When two policies have one name or two routes are for the same requests, or a route is no
    /// [`RoutePattern`], or names a policy twice, in one list or in both, or one that does not exist.
    pub fn build(self) -> Result<Limiter, LimiterError> {
        let plans = Plans::of(&self.policies);
        let mut variants = HashMap::new();
        let mut policies = Vec::new();
        for policy in self.policies {
            let name = policy.name().to_owned();
            let policy = Arc::new(PolicyVariants::new(policy));
            policies.extend(policy.policies().cloned());
            if variants.insert(name.clone(), policy).is_some() {
                return Err(LimiterError::DuplicatePolicy(name));
            }
        }
        let mut routes: Vec<(RoutePattern, Route)> = Vec::new();
        for Listed { pattern, policies, peek, cost } in self.routes {
            let pattern: RoutePattern = pattern.parse().map_err(LimiterError::Route)?;
            let (policies, peek) = (named(&variants, policies)?, named(&variants, peek)?);
            all_differ(policies.iter().chain(peek.iter()).map(Policy::name))?;
            policies.note_charged_together();
            routes.push((pattern, Route { policies, peek, cost }));
        }
        let mut patterns = HashSet::new();
        if let Some((twice, _)) = routes.iter().find(|(pattern, _)| !patterns.insert(pattern)) {
            return Err(LimiterError::DuplicateRoute(twice.to_string()));
        }
        let routes = Routes::new(routes);
        let (allow, block) = (AccessList::new(self.allow), AccessList::new(self.block));
        let Self { store, local, deny_cache, keyspace, instances, .. } = self;
        store.prepare(&policies);
        let fallback = local.map(|local| Arc::new(Fallback::new(local, instances, &policies)));
        if let Some(fallback) = &fallback {
            let debtor: Weak<dyn Debtor> = Arc::downgrade(fallback) as _;
            store.on_return(debtor);
        }
        let inner =
            Inner { store, fallback, deny_cache, keyspace, variants, plans, routes, allow, block };
        Ok(Limiter(Arc::new(inner)))
    }
}

pub(super) fn named<N: AsRef<str>>(
    variants: &HashMap<String, Arc<PolicyVariants>>,
    names: impl IntoIterator<Item = N>,
) -> Result<Policies, LimiterError> {
    let policy = |name: N| {
        let policy = variants.get(name.as_ref()).cloned();
        policy.ok_or_else(|| LimiterError::UnknownPolicy(name.as_ref().to_owned()))
    };
    let policies = Policies(names.into_iter().map(policy).collect::<Result<_, _>>()?);
    all_differ(policies.iter().map(Policy::name))?;
    Ok(policies)
}

/// # Errors
/// When one of the policies' `names` is there twice.
fn all_differ<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), LimiterError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(LimiterError::DuplicatePolicy(name.to_owned()));
        }
    }
    Ok(())
}

/// Policies and routes that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimiterError {
    /// No policy has this name.
    UnknownPolicy(String),
    /// This name is there twice.
    DuplicatePolicy(String),
    /// A route that is no pattern.
    Route(RoutePatternError),
    /// This route is there twice.
    DuplicateRoute(String),
}

impl fmt::Display for LimiterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPolicy(name) => write!(f, "there is no policy {name:?}"),
            Self::DuplicatePolicy(name) => write!(f, "policy {name:?} is named twice"),
            Self::Route(problem) => problem.fmt(f),
            Self::DuplicateRoute(route) => write!(f, "route {route:?} is there twice"),
        }
    }
}

impl std::error::Error for LimiterError {}
