//! Policies that guard a login. Whether a route is a login is guessed by its path, and every finding says so.

use super::finding::Finding;
use super::policies::{Policies, policy_key};
use crate::app::config::RouteOptions;
use crate::domain::algorithm::Algorithm;
use crate::domain::policy::{OnStoreFailure, Policy};

/// Words in the path of a route where credentials are tried.
const WORDS: [&str; 13] = [
    "auth",
    "authenticate",
    "login",
    "logon",
    "otp",
    "password",
    "register",
    "reset",
    "signin",
    "signup",
    "token",
    "totp",
    "2fa",
];

/// The largest quota whose double matters to somebody who guesses, in units.
const SMALL: u64 = 100;

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for policy in policies.in_force() {
        let Some(login) = policies.routes_of(policy.name()).find(|route| is_login(route)) else {
            continue;
        };
        findings.extend(window_edge(policy, login));
        findings.extend(allows_in_outages(policy, login));
    }
}

fn is_login(route: &RouteOptions) -> bool {
    let text = route.pattern.to_string().to_ascii_lowercase();
    let (method, path) = text.split_once(' ').unwrap_or(("", &text));
    let only_reads = ["get", "head", "options"].contains(&method);
    let words = || path.split(|it: char| !it.is_ascii_alphanumeric());
    let pairs = || words().zip(words().skip(1));
    let has_pair = pairs().any(|pair| matches!(pair, ("sign" | "log", "in" | "up" | "on")));
    !only_reads && (has_pair || words().any(|word| WORDS.contains(&word)))
}

fn window_edge(policy: &Policy, login: &RouteOptions) -> Option<Finding> {
    // Windows of a calendar are long, and only a fixed window counts in them.
    let quotas = policy.quotas();
    let fixed = quotas.iter().filter(|quota| quota.window().calendar().is_none());
    let units = fixed.map(|quota| quota.units()).min()?;
    (policy.algorithm() == Algorithm::FixedWindow && units <= SMALL).then(|| Finding {
        code: "login-window-edge",
        option: policy_key(policy, "algorithm"),
        reason: format!(
            "By its path, {:?} is a login. The fixed window of {:?} ({}) admits up to {} units within a moment, \
             around the edge of two windows.",
            login.pattern.to_string(),
            policy.name(),
            policy.quota(),
            units * 2
        ),
        better: format!("{} = \"sliding-log\"", policy_key(policy, "algorithm")),
    })
}

fn allows_in_outages(policy: &Policy, login: &RouteOptions) -> Option<Finding> {
    (policy.on_store_failure() == OnStoreFailure::Allow).then(|| Finding {
        code: "login-open-in-outage",
        option: policy_key(policy, "on_store_failure"),
        reason: format!(
            "By its path, {:?} is a login. While the store is away, {:?} admits every guess.",
            login.pattern.to_string(),
            policy.name()
        ),
        better: format!("{} = \"local\"", policy_key(policy, "on_store_failure")),
    })
}
