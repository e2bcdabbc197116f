//! Routes that take requests away from others, and routes that limit nobody.

use super::finding::Finding;
use super::policies::{Policies, list, route_key};
use crate::app::config::RouteOptions;
use crate::domain::policy::Policy;

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for route in policies.routes() {
        findings.extend(shadowing(policies, route));
    }
}

/// Finds a route whose requests would meet another policy if the route were not there. A route without policies is
/// taken for an exception that is meant.
fn shadowing(policies: &Policies<'_>, route: &RouteOptions) -> Option<Finding> {
    policies.charged(route).next()?;
    let covering = policies
        .routes()
        .iter()
        .filter(|other| other.pattern != route.pattern && other.pattern.covers(&route.pattern));
    // The one that would hold instead: no other one lies between.
    let covering: Vec<_> = covering.collect();
    let wider = covering.iter().find(|wider| {
        !covering.iter().any(|it| it.pattern != wider.pattern && wider.pattern.covers(&it.pattern))
    })?;
    let named = |name: &str| route.policies.iter().chain(&route.peek).any(|it| it == name);
    let unmet: Vec<_> =
        policies.charged(wider).map(Policy::name).filter(|name| !named(name)).collect();
    let first = unmet.first()?;
    // Whoever names a method of the same path beside all methods means it.
    if wider.pattern.method.is_none() && wider.pattern.path() == route.pattern.path() {
        return None;
    }
    let all = route.policies.iter().map(String::as_str).chain(unmet.iter().copied());
    Some(Finding {
        code: "route-shadows",
        option: route_key(route, "policies"),
        reason: format!(
            "The route {:?} takes these requests from {:?}, since the most specific route holds alone. They do \
             not meet its policy {first:?}.",
            route.pattern.to_string(),
            wider.pattern.to_string()
        ),
        better: format!("{} = {}", route_key(route, "policies"), list(all)),
    })
}
