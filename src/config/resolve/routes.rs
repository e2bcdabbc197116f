use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Deref;

use super::super::Route;
use super::super::problem::Problem;
use super::super::section::{Leaf, Section};
use super::super::words::{one_of, show_text};
use crate::limiter::RoutePattern;
use crate::policy::Policy;
use crate::quota::{Cost, MAX_EXACT};

/// Every policy by its name, also one that is bad.
type Policies = BTreeMap<String, Option<Policy>>;

pub(super) fn routes(section: &mut Section, policies: &Policies) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let mut patterns: HashSet<RoutePattern> = HashSet::new();
    let mut largest = HashMap::new();
    let there_are = LazyCell::new(|| one_of(&policies.keys().collect::<Vec<_>>()));
    section.tables(|text, section| {
        let (named, peek) = lists(section, policies, &there_are);
        let cost = cost(section, &named, policies, &mut largest);
        let Some(pattern) = pattern(text, section) else { return };
        if let Some(other) = patterns.get(&pattern) {
            section.refuse(format_args!("is for the same requests as {:?}", other.to_string()));
            return;
        }
        patterns.insert(pattern.clone());
        routes.push(Route { pattern, policies: named, peek, cost });
    });
    routes
}

fn pattern(text: &str, section: &mut Section) -> Option<RoutePattern> {
    text.parse().map_err(|problem| section.refuse(problem)).ok()
}

/// The policies that are charged, and those that are only told of.
fn lists(
    section: &mut Section,
    policies: &Policies,
    there_are: &impl Deref<Target = String>,
) -> (Vec<String>, Vec<String>) {
    let mut seen = BTreeSet::new();
    let mut list = |option| {
        let Some(leaf) = section.take(option) else { return Vec::new() };
        let listed = leaf.list("names, as in [\"default\"]");
        let listed = section.note(listed).unwrap_or_default();
        for name in &listed {
            if !policies.contains_key(name) {
                let name = show_text(name);
                let message = format!("no policy is called {name}, expected {}", **there_are);
                section.note::<()>(Err(leaf.refuse(message)));
            } else if !seen.insert(name.clone()) {
                let message =
                    format!("the policy {} is listed twice for this route", show_text(name));
                section.note::<()>(Err(leaf.refuse(message)));
            }
        }
        listed
    };
    (list("policies"), list("peek"))
}

/// The cost, for which a policy that never admits it is a problem. `largest` has the most that a policy
/// admits of anyone, once somebody asked: that is to go through all users who have quotas of their own.
fn cost<'a>(
    section: &mut Section,
    named: &[String],
    policies: &'a Policies,
    largest: &mut HashMap<&'a str, u64>,
) -> Cost {
    let Some(leaf) = section.take("cost") else { return Cost::ONE };
    let units = section.note(leaf.number(1..=MAX_EXACT)).unwrap_or(1);
    for policy in named.iter().filter_map(|name| policies.get(name)?.as_ref()) {
        let largest = largest.entry(policy.name()).or_insert_with(|| policy.largest_cost());
        section.note(admits(policy.name(), *largest, units, &leaf));
    }
    Cost::new(units).unwrap_or(Cost::ONE)
}

/// A route that no one may ever use is a mistake.
fn admits(name: &str, largest: u64, units: u64, leaf: &Leaf) -> Result<(), Problem> {
    if units <= largest {
        return Ok(());
    }
    Err(leaf.refuse(format_args!(
        "the policy {name:?} never admits a request that costs {units} units: at most {largest}"
    )))
}
