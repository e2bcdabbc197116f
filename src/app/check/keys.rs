//! Keys that clients choose, and keys that requests do not have.

use super::finding::Finding;
use super::policies::{Policies, list, policy_key, route_key};
use crate::app::config::{RouteOptions, key_of};
use crate::domain::policy::{KeySource, Policy};

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for route in policies.routes() {
        findings.extend(chosen_alone(policies, route));
    }
    for policy in policies.in_force() {
        findings.extend(without_segment(policies, policy));
        findings.extend(without_tokens(policies, policy));
    }
}

/// Finds a route whose policies all count by values that clients choose.
fn chosen_alone(policies: &Policies<'_>, route: &RouteOptions) -> Option<Finding> {
    let chosen = |policy: &Policy| policies.chosen_part(policy).cloned();
    let parts: Vec<_> = policies.charged(route).map(chosen).collect::<Option<_>>()?;
    let part = parts.first()?;
    let first = policies.charged(route).next()?;
    // Ten times the quota, for several honest clients behind one address.
    let quota = first.quota();
    let wide = quota.with_units(quota.units().saturating_mul(10)).unwrap_or(quota);
    let limits_all = |policy: &&Policy| {
        matches!(
            policy.key(),
            KeySource::Ip | KeySource::UserOrIp | KeySource::Global | KeySource::Route
        )
    };
    let (name, definition) = match policies.in_force().find(limits_all) {
        Some(policy) => (policy.name(), String::new()),
        None => {
            let table = key_of(&["policies", "by-ip"]);
            ("by-ip", format!("{table}.quota = \"{wide}\"\n{table}.key = \"ip\"\n"))
        }
    };
    let all = route.policies.iter().map(String::as_str).chain([name]);
    let (code, counted_by) = match part {
        KeySource::Header(field) => ("header-alone", format!("the field {field}")),
        part => ("value-alone", part.to_string()),
    };
    Some(Finding {
        code,
        option: route_key(route, "policies"),
        reason: format!(
            "All policies for {:?} count by {counted_by}, which clients choose. A client that sends another \
             value each time is never denied.",
            route.pattern.to_string()
        ),
        better: format!("{definition}{} = {}", route_key(route, "policies"), list(all)),
    })
}

/// Finds a policy by a segment that the pattern of one of its routes does not name.
fn without_segment(policies: &Policies<'_>, policy: &Policy) -> Option<Finding> {
    let names = policy.key().parts().iter().filter_map(|part| match part {
        KeySource::Segment(name) => Some(name),
        _ => None,
    });
    let lacks = |name: &str, route: &RouteOptions| {
        let place = format!("{{{name}}}");
        !route.pattern.path().split('/').any(|segment| *segment == place)
    };
    let mut lacking = names.filter_map(|name| {
        let route = policies.routes_of(policy.name()).find(|route| lacks(name, route))?;
        Some((name, route))
    });
    let (name, route) = lacking.next()?;
    Some(Finding {
        code: "segment-missing",
        option: policy_key(policy, "key"),
        reason: format!(
            "The policy {:?} counts by segment:{name}, and the pattern {:?} has no {{{name}}}. All requests of such \
             routes share one count.",
            policy.name(),
            route.pattern.to_string()
        ),
        better: format!("{} = \"user-or-ip\"", policy_key(policy, "key")),
    })
}

/// Finds a policy by a claim where no token is verified.
fn without_tokens(policies: &Policies<'_>, policy: &Policy) -> Option<Finding> {
    let is_claim = |part: &&KeySource| matches!(part, KeySource::Claim(_));
    let claim = policy.key().parts().iter().find(is_claim)?;
    policies.config.auth.jwt.is_none().then(|| Finding {
        code: "claim-unproved",
        option: policy_key(policy, "key"),
        reason: format!(
            "The policy {:?} counts by {claim}, and no token is verified, since auth.jwt has no key. All requests \
             share one count.",
            policy.name()
        ),
        better: format!("{} = \"user-or-ip\"", policy_key(policy, "key")),
    })
}

impl Policies<'_> {
    /// The part of the key of `policy` of which a client can send another value each time.
    fn chosen_part<'p>(&self, policy: &'p Policy) -> Option<&'p KeySource> {
        policy.key().parts().iter().find(|part| match part {
            KeySource::Header(name) => !self.proves_users(name),
            KeySource::Cookie(_)
            | KeySource::Query(_)
            | KeySource::Host
            | KeySource::Segment(_) => true,
            _ => false,
        })
    }

    /// Whether the field carries API keys, so that a made-up value is refused.
    fn proves_users(&self, field: &str) -> bool {
        let auth = &self.config.auth;
        let is_field = |name: &actix_web::http::header::HeaderName| name.as_str() == field;
        auth.api_keys.is_some() && auth.api_key_header.as_ref().is_some_and(is_field)
    }
}
