//! Routes that take requests away from others, and routes that limit nobody.

use super::finding::Finding;
use super::policies::{Policies, list, route_key};
use crate::app::config::{RouteOptions, key_of};
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::Quota;

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for route in policies.routes() {
        findings.extend(shadowing(policies, route));
        findings.extend(header_alone(policies, route));
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

/// Finds a route whose policies all count by header fields, which clients choose.
fn header_alone(policies: &Policies<'_>, route: &RouteOptions) -> Option<Finding> {
    let by_header = |policy: &Policy| match policy.key() {
        KeySource::Header(name) if !policies.proves_users(name) => Some(name.clone()),
        _ => None,
    };
    let headers: Vec<_> = policies.charged(route).map(by_header).collect::<Option<_>>()?;
    let header = headers.first()?;
    let first = policies.charged(route).next()?;
    // Ten times the quota, for several honest clients behind one address.
    let quota = first.quota();
    let wide = Quota::new(quota.units().saturating_mul(10), quota.window()).unwrap_or(quota);
    let limits_all = |policy: &&Policy| {
        matches!(policy.key(), KeySource::Ip | KeySource::UserOrIp | KeySource::Global)
    };
    let (name, definition) = match policies.in_force().find(limits_all) {
        Some(policy) => (policy.name(), String::new()),
        None => {
            let table = key_of(&["policies", "by-ip"]);
            ("by-ip", format!("{table}.quota = \"{wide}\"\n{table}.key = \"ip\"\n"))
        }
    };
    let all = route.policies.iter().map(String::as_str).chain([name]);
    Some(Finding {
        code: "header-alone",
        option: route_key(route, "policies"),
        reason: format!(
            "Requests for {:?} are counted only by the field {header}. A client that sends another value each \
             time is never denied.",
            route.pattern.to_string()
        ),
        better: format!("{definition}{} = {}", route_key(route, "policies"), list(all)),
    })
}

impl Policies<'_> {
    /// Whether the field carries API keys, so that a made-up value is refused.
    fn proves_users(&self, field: &str) -> bool {
        let auth = &self.config.auth;
        let is_field = |name: &actix_web::http::header::HeaderName| name.as_str() == field;
        auth.api_keys.is_some() && auth.api_key_header.as_ref().is_some_and(is_field)
    }
}
