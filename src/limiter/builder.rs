use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::access::{AccessEntry, AccessList};
use super::counted::Counted;
use super::deny_cache::DenyCache;
use super::error::LimiterError;
use super::fallback::Fallback;
use super::leases::keeper;
use super::observer::Observer;
use super::overrides::{Follow, Overridden, Overrides};
use super::plans::Plans;
use super::routes::Routes;
use super::routes::unchecked::UncheckedRoutes;
use super::variants::PolicyVariants;
use super::{Inner, Limiter};
use crate::domain::clock::Clock;
use crate::domain::network::Network;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::store::{Debtor, Keyspace, MemoryStore, Store};

/// Builds a [`Limiter`].
#[derive(Debug)]
pub struct LimiterBuilder {
    store: Arc<dyn Store>,
    local: Option<Arc<MemoryStore>>,
    deny_cache: Option<DenyCache>,
    lease_clock: Option<Arc<dyn Clock>>,
    keyspace: Keyspace,
    instances: NonZeroU64,
    policies: Vec<Policy>,
    routes: UncheckedRoutes,
    allow: Vec<AccessEntry>,
    block: Vec<AccessEntry>,
    pub(super) passes_preflights: bool,
    observer: Option<Arc<dyn Observer>>,
    previous: Option<Limiter>,
    overrides: Option<Overrides>,
    proxies: Vec<Network>,
}

impl Limiter {
    /// A limiter over `store`, to which policies are added.
    pub fn builder(store: Arc<dyn Store>) -> LimiterBuilder {
        LimiterBuilder::new(store)
    }
}

impl LimiterBuilder {
    fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            local: None,
            deny_cache: None,
            lease_clock: None,
            keyspace: Keyspace::new("tollgate"),
            instances: NonZeroU64::MIN,
            policies: Vec::new(),
            routes: UncheckedRoutes::default(),
            allow: Vec::new(),
            block: Vec::new(),
            passes_preflights: false,
            observer: None,
            previous: None,
            overrides: None,
            proxies: Vec::new(),
        }
    }

    /// Adds a policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Adds a route. Requests that match `pattern` (see [`RoutePattern`](super::RoutePattern)) are charged one
    /// unit under each of `policies`, and their answers also tell where the client stands under `peek`.
    #[must_use]
    pub fn route<N: Into<String>>(
        self,
        pattern: impl Into<String>,
        policies: impl IntoIterator<Item = N>,
        peek: impl IntoIterator<Item = N>,
    ) -> Self {
        self.route_of_cost(Cost::ONE, pattern, policies, peek)
    }

    /// Adds a route like [`route`](Self::route), whose requests are charged `cost` each.
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
        self.routes.add(pattern.into(), policies, peek, cost);
        self
    }

    /// Lets requests of the route with this pattern use the [reserve](Policy::with_reserve) of its policies.
    #[must_use]
    pub fn reserve_for(mut self, pattern: impl Into<String>) -> Self {
        self.routes.reserve_for(pattern.into());
        self
    }

    /// Adds clients that pass unchecked.
    #[must_use]
    pub fn allow(mut self, entries: impl IntoIterator<Item = AccessEntry>) -> Self {
        self.allow.extend(entries);
        self
    }

    /// Adds clients that are refused.
    #[must_use]
    pub fn block(mut self, entries: impl IntoIterator<Item = AccessEntry>) -> Self {
        self.block.extend(entries);
        self
    }

    /// Names keys in `keyspace`, instead of one with the prefix `tollgate`.
    #[must_use]
    pub fn keyspace(self, keyspace: Keyspace) -> Self {
        Self { keyspace, ..self }
    }

    /// Counts in `local` while the store fails, for policies with
    /// [`OnStoreFailure::Local`](crate::OnStoreFailure::Local). Without a local store, those policies refuse.
    ///
    /// Each key begins where it stood in the store, as far as that is known. What was admitted is charged
    /// to the store when it is back.
    #[must_use]
    pub fn local(self, local: Arc<MemoryStore>) -> Self {
        Self { local: Some(local), ..self }
    }

    /// Remembers denials: a request like one that was denied is denied without asking the store, for as
    /// long as the denial is sure to hold, and at most for `max_age`. Time is read from `clock`, which
    /// must not step back.
    ///
    /// Some stores [may refund charges](Store::may_give_back). With such a store, a denial is remembered
    /// only if each policy that denies comes last in all routes, and in all sets of
    /// [`Limiter::policies`], that it is in. All processes that share the store should have the same
    /// routes and sets.
    #[must_use]
    pub fn deny_cache(self, max_age: Duration, clock: Arc<dyn Clock>) -> Self {
        let deny_cache = (!max_age.is_zero()).then(|| DenyCache::new(max_age, clock));
        Self { deny_cache, ..self }
    }

    /// Lets policies with a [lease](Policy::with_lease) be leased: where many requests of this process use one key, it
    /// charges several units by one call, and admits requests in memory. Time is read from `clock`, which must not
    /// step back.
    ///
    /// A process holds at most a quarter of its share of what remains, as [`instances`](Self::instances) says.
    #[must_use]
    pub fn leases(self, clock: Arc<dyn Clock>) -> Self {
        Self { lease_clock: Some(clock), ..self }
    }

    /// Sets how many processes share the quotas, 1 by default. While the store fails, each process counts
    /// against the quota divided by `instances`, rounded up.
    #[must_use]
    pub fn instances(self, instances: NonZeroU64) -> Self {
        Self { instances, ..self }
    }

    /// Tells `observer` of every decision.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Succeeds `previous`, as after a change of the configuration: both count in the same stores, and the new
    /// limiter knows all that the previous one knows of keys in the store. Its deny cache starts empty.
    #[must_use]
    pub fn succeed(self, previous: &Limiter) -> Self {
        Self { previous: Some(previous.clone()), ..self }
    }

    /// Lets `overrides` hold: bans, boosts, and policies that operators switched off.
    #[must_use]
    pub fn overrides(self, overrides: Overrides) -> Self {
        Self { overrides: Some(overrides), ..self }
    }

    /// Warns operators who ban or boost one of these addresses: all clients behind a proxy may share it.
    #[must_use]
    pub fn trusted_proxies(self, proxies: impl IntoIterator<Item = Network>) -> Self {
        Self { proxies: proxies.into_iter().collect(), ..self }
    }

    /// Builds the limiter.
    ///
    /// # Errors
    /// If two policies have the same name, if two routes match the same requests, or if the pattern of a
    /// route is not a [`RoutePattern`](super::RoutePattern). Also if a route names a policy that does not exist,
    /// or names one twice, and if a reserve is for a route that does not exist.
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
        let routes = self.routes.checked(&variants)?;
        let mut all = variants.values().map(|variants| variants.policy());
        let counts_by_outcome = all.any(|policy| policy.counts_by_outcome());
        let routes = Routes::new(routes);
        let (allow, block) = (AccessList::new(self.allow), AccessList::new(self.block));
        let Self { store, local, deny_cache, keyspace, instances, observer, previous, .. } = self;
        let (overrides, proxies) = (self.overrides, self.proxies);
        let counted = Counted::of(policies.iter().map(|policy| &**policy));
        store.prepare(&policies);
        let predecessor = previous;
        let previous = predecessor.as_ref().and_then(|limiter| limiter.0.fallback.as_deref());
        let fallback = local.map(|local| {
            let fallback = Fallback::new(local, instances, &policies);
            Arc::new(match previous {
                Some(previous) => fallback.succeed(previous),
                None => fallback,
            })
        });
        if let Some(fallback) = &fallback {
            let debtor: Weak<dyn Debtor> = Arc::downgrade(fallback) as _;
            store.on_return(debtor);
        }
        let is_in_flight = |it: &Arc<Policy>| !it.has_quotas();
        let in_flight = policies.iter().any(is_in_flight).then(Arc::default);
        let leases = self.lease_clock.and_then(|clock| {
            let previous = predecessor.as_ref().and_then(|limiter| limiter.0.leases.as_deref());
            keeper::start(&store, fallback.as_ref(), instances, clock, &policies, previous)
        });
        if let Some(leases) = predecessor.as_ref().and_then(|limiter| limiter.0.leases.as_ref()) {
            leases.end_all();
        }
        let inner = Arc::new(Inner {
            store,
            fallback,
            deny_cache,
            leases,
            keyspace,
            variants,
            plans,
            routes,
            allow,
            block,
            passes_preflights: self.passes_preflights,
            overrides,
            overridden: Overridden::default(),
            proxies,
            observer,
            in_flight,
            counts_by_outcome,
            counted,
        });
        if let Some(overrides) = &inner.overrides {
            let follower: Weak<dyn Follow> = Arc::downgrade(&inner) as _;
            overrides.add_follower(follower);
        }
        Ok(Limiter(inner))
    }
}
