//! Routes as they are added, before their patterns and the names of their policies are checked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Route;
use super::pattern::RoutePattern;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::limiter::error::LimiterError;
use crate::limiter::policies::{all_differ, named};
use crate::limiter::variants::PolicyVariants;

/// Routes before they are checked.
#[derive(Debug, Default)]
pub(in crate::limiter) struct UncheckedRoutes {
    routes: Vec<Unchecked>,
    /// The patterns of those that use the reserve of their policies.
    reserved_for: Vec<String>,
}

#[derive(Debug)]
struct Unchecked {
    pattern: String,
    policies: Vec<String>,
    peek: Vec<String>,
    cost: Cost,
}

impl UncheckedRoutes {
    pub(in crate::limiter) fn add(
        &mut self,
        pattern: String,
        policies: Vec<String>,
        peek: Vec<String>,
        cost: Cost,
    ) {
        self.routes.push(Unchecked { pattern, policies, peek, cost });
    }

    pub(in crate::limiter) fn reserve_for(&mut self, pattern: String) {
        self.reserved_for.push(pattern);
    }

    /// The routes under the policies `variants`.
    pub(in crate::limiter) fn checked(
        self,
        variants: &HashMap<String, Arc<PolicyVariants>>,
    ) -> Result<Vec<Route>, LimiterError> {
        let mut routes: Vec<Route> = Vec::new();
        for Unchecked { pattern, policies, peek, cost } in self.routes {
            let pattern: RoutePattern = pattern.parse().map_err(LimiterError::Route)?;
            let (policies, peek) = (named(variants, policies)?, named(variants, peek)?);
            all_differ(policies.iter().chain(peek.iter()).map(Policy::name))?;
            policies.note_charged_together();
            routes.push(Route { pattern, policies, peek, cost });
        }
        for pattern in self.reserved_for {
            let pattern: RoutePattern = pattern.parse().map_err(LimiterError::Route)?;
            let route = routes.iter_mut().find(|route| route.pattern == pattern);
            let unknown = || LimiterError::UnknownRoute(pattern.to_string());
            let policies = &mut route.ok_or_else(unknown)?.policies;
            *policies = policies.with_reserve();
        }
        let mut patterns = HashSet::new();
        match routes.iter().find(|route| !patterns.insert(&route.pattern)) {
            Some(twice) => Err(LimiterError::DuplicateRoute(twice.pattern.to_string())),
            None => Ok(routes),
        }
    }
}
