//! The section `[routes]`.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::policies::Policies;
use super::policy_names::policy_names;
use super::reserve::uses_reserve;
use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::options::RouteOptions;
use crate::app::config::section::Section;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::{Cost, MAX_EXACT};
use crate::limiter::RoutePattern;

pub(super) fn routes(section: &mut Section, policies: &Policies) -> Vec<RouteOptions> {
    let mut routes = Vec::new();
    // Each pattern, and how it is written.
    let mut seen: HashMap<RoutePattern, String> = HashMap::new();
    section.tables(|text, section| {
        let (named, peek) = lists(section, policies);
        let cost = cost(section, &named, policies);
        let uses_reserve = uses_reserve(section, &named, policies);
        let Some(pattern) = pattern(text, section) else { return };
        match seen.entry(pattern.clone()) {
            Entry::Occupied(other) => {
                section.refuse(format_args!("is for the same requests as {:?}", other.get()));
                return;
            }
            Entry::Vacant(entry) => entry.insert(pattern.to_string()),
        };
        routes.push(RouteOptions { pattern, policies: named, peek, cost, uses_reserve });
    });
    routes
}

fn pattern(text: &str, section: &mut Section) -> Option<RoutePattern> {
    text.parse().map_err(|error| section.refuse(error)).ok()
}

/// The policies that are charged, and those that are only reported on.
fn lists(section: &mut Section, policies: &Policies) -> (Vec<String>, Vec<String>) {
    let mut seen = BTreeSet::new();
    let what = "this route";
    let named = policy_names(section, "policies", policies, &mut seen, what);
    let peek = policy_names(section, "peek", policies, &mut seen, what);
    for policy in named.iter().chain(&peek).filter_map(|name| policies.get(name)?.as_ref()) {
        if *policy.key() == KeySource::Descriptor {
            section.refuse(format_args!(
                "the policy {:?} counts by descriptor, and requests of a route have none: expected it under \
                 [descriptors]",
                policy.name()
            ));
        }
    }
    (named, peek)
}

fn cost(section: &mut Section, named: &[String], policies: &Policies) -> Cost {
    let Some(leaf) = section.take("cost") else { return Cost::ONE };
    let units = section.note(leaf.number(1..=MAX_EXACT)).unwrap_or(1);
    for policy in named.iter().filter_map(|name| policies.get(name)?.as_ref()) {
        section.note(admits(policy, units, &leaf));
    }
    Cost::new(units).unwrap_or(Cost::ONE)
}

/// Checks that `policy` can admit a request of so many `units`: a route that denies every request is a
/// mistake.
fn admits(policy: &Policy, units: u64, leaf: &Leaf) -> Result<(), ConfigError> {
    let (name, largest) = (policy.name(), policy.largest_cost());
    if units <= largest {
        return Ok(());
    }
    Err(leaf.refuse(format_args!(
        "the policy {name:?} never admits a request that costs {units} units: at most {largest}"
    )))
}
