//! What is counted of decisions, by policy and by route.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::gate_error::{CHECK, ENVOY, FORWARD_AUTH, GateError};
use super::kinds::{Authenticated, PolicyCount, RouteCount};
use super::sharded::{Sharded, WIDTH};
use crate::limiter::{DecidedBy, RoutePattern};
use crate::store::{Histogram, HistogramCounts, MICROS};

/// The most routes that have counts of their own. The others are counted together.
const MOST_ROUTES: usize = 1_000;

/// The name of the routes that are counted together.
const OTHER_ROUTES: &str = "other";

/// The name of requests without a route.
const NO_ROUTE: &str = "none";

/// The doors that have counts of their own. Others are counted as the last one.
pub(crate) const DOORS: [&str; 6] = ["actix", "tower", CHECK, FORWARD_AUTH, ENVOY, "library"];

/// All counts of the process.
#[derive(Debug)]
pub(crate) struct Counts {
    policies: Mutex<BTreeMap<Box<str>, Arc<PolicyCounts>>>,
    routes: Mutex<BTreeMap<Box<str>, Arc<RouteCounts>>>,
    no_route: Arc<RouteCounts>,
    decided_by: Sharded,
    authenticated: Sharded,
    gate_errors: [Sharded; 2],
    waits: Histogram,
    ignored_limits: AtomicU64,
}

/// The counts of one policy.
#[derive(Debug, Default)]
pub(super) struct PolicyCounts([Sharded; 2]);

/// The counts of one route, by door.
#[derive(Debug, Default)]
pub(super) struct RouteCounts([OnceLock<Sharded>; DOORS.len()]);

const _: () = assert!(PolicyCount::ALL.len() <= 2 * WIDTH && RouteCount::ALL.len() <= WIDTH);
const _: () = assert!(GateError::ALL.len() <= 2 * WIDTH);

/// The ways in which a request may be decided, each with its name as a label.
pub(crate) const DECIDED_BY: [(DecidedBy, &str); 5] = [
    (DecidedBy::Limiter, "limiter"),
    (DecidedBy::Store, "store"),
    (DecidedBy::DenyCache, "deny_cache"),
    (DecidedBy::Fallback, "fallback"),
    (DecidedBy::Lease, "lease"),
];

impl Counts {
    /// Counts of a process that has decided nothing yet.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            policies: Mutex::default(),
            routes: Mutex::default(),
            no_route: Arc::default(),
            decided_by: Sharded::default(),
            authenticated: Sharded::default(),
            gate_errors: Default::default(),
            waits: Histogram::new(MICROS),
            ignored_limits: AtomicU64::new(0),
        })
    }

    /// Counts limits that Envoy asked for and that no rule allows.
    pub(crate) fn ignore_limits(&self, number: usize) {
        if number > 0 {
            self.ignored_limits.fetch_add(number as u64, Ordering::Relaxed);
        }
    }

    /// How many limits were ignored that Envoy asked for.
    pub(crate) fn ignored_limits(&self) -> u64 {
        self.ignored_limits.load(Ordering::Relaxed)
    }

    /// Counts how an attempt to authenticate ended.
    pub(crate) fn authenticated(&self, how: Authenticated) {
        self.authenticated.add(how as usize);
    }

    /// How many attempts to authenticate ended in each way.
    pub(crate) fn authentications(&self) -> impl Iterator<Item = (Authenticated, u64)> {
        Authenticated::ALL.into_iter().map(|how| (how, self.authenticated.get(how as usize)))
    }

    /// Counts a question to the gate that cannot be answered.
    pub(crate) fn gate_error(&self, error: GateError) {
        let index = error as usize;
        self.gate_errors[index / WIDTH].add(index % WIDTH);
    }

    /// How many questions to the gate could not be answered for each reason.
    pub(crate) fn gate_errors(&self) -> impl Iterator<Item = (GateError, u64)> {
        GateError::ALL.into_iter().map(|error| {
            let index = error as usize;
            (error, self.gate_errors[index / WIDTH].get(index % WIDTH))
        })
    }

    /// How many requests were decided by whom.
    pub(crate) fn by_whom(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = DECIDED_BY.iter().enumerate();
        all.map(|(index, (_, name))| (*name, self.decided_by.get(index)))
    }

    /// How long decisions waited for the store, in microseconds.
    pub(crate) fn waits(&self) -> HistogramCounts {
        self.waits.counts()
    }

    /// What was counted of each policy, by its name.
    pub(crate) fn policies(&self, what: PolicyCount) -> Vec<(String, u64)> {
        let policies = lock(&self.policies);
        policies.iter().map(|(name, counts)| (name.to_string(), counts.get(what))).collect()
    }

    /// What was counted of the policy called `name`.
    pub(crate) fn of_policy(&self, name: &str, what: PolicyCount) -> u64 {
        lock(&self.policies).get(name).map_or(0, |counts| counts.get(what))
    }

    /// What was counted of each route, by its pattern and its door.
    pub(crate) fn routes(&self) -> Vec<(String, &'static str, RouteCount, u64)> {
        let mut routes: Vec<(String, Arc<RouteCounts>)> = lock(&self.routes)
            .iter()
            .map(|(pattern, counts)| (pattern.to_string(), counts.clone()))
            .collect();
        routes.push((NO_ROUTE.to_owned(), self.no_route.clone()));
        let mut all = Vec::new();
        for (pattern, counts) in routes {
            for (door, sharded) in DOORS.iter().zip(&counts.0) {
                let Some(sharded) = sharded.get() else { continue };
                let counted = RouteCount::ALL.map(|what| (what, sharded.get(what as usize)));
                all.extend(counted.map(|(what, count)| (pattern.clone(), *door, what, count)));
            }
        }
        all
    }

    /// The counts of the policy called `name`.
    pub(super) fn policy(&self, name: &str) -> Arc<PolicyCounts> {
        lock(&self.policies).entry(name.into()).or_default().clone()
    }

    /// The counts of the route with this pattern.
    pub(super) fn route(&self, pattern: &RoutePattern) -> Arc<RouteCounts> {
        let pattern = pattern.to_string();
        let mut routes = lock(&self.routes);
        let has_room = routes.len() < MOST_ROUTES || routes.contains_key(pattern.as_str());
        let name = if has_room { pattern.as_str() } else { OTHER_ROUTES };
        routes.entry(name.into()).or_default().clone()
    }

    pub(super) fn no_route(&self) -> &RouteCounts {
        &self.no_route
    }

    /// Counts who decided.
    pub(super) fn decided(&self, by: DecidedBy) {
        let index = DECIDED_BY.iter().position(|(known, _)| *known == by);
        self.decided_by.add(index.unwrap_or(0));
    }

    pub(super) fn wait_times(&self) -> &Histogram {
        &self.waits
    }
}

impl PolicyCounts {
    pub(super) fn add(&self, what: PolicyCount) {
        self.0[what as usize / WIDTH].add(what as usize % WIDTH);
    }

    pub(super) fn get(&self, what: PolicyCount) -> u64 {
        self.0[what as usize / WIDTH].get(what as usize % WIDTH)
    }

    /// How many requests met the policy.
    pub(super) fn met(&self) -> u64 {
        PolicyCount::OF_REQUESTS.into_iter().map(|what| self.get(what)).sum()
    }
}

impl RouteCounts {
    pub(super) fn add(&self, door: &str, what: RouteCount) {
        let index = DOORS.iter().position(|known| *known == door).unwrap_or(DOORS.len() - 1);
        self.0[index].get_or_init(Sharded::default).add(what as usize);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
