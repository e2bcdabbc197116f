use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::Route;
use super::super::problem::Problem;
use super::super::section::{Leaf, Section};
use super::super::words::{one_of, show_text};
use crate::limiter::RoutePattern;
use crate::policy::Policy;
use crate::quota::{Cost, MAX_EXACT};

/// The policies that routes may name, and what is found out of all of them once, for all routes.
struct Known<'a> {
    /// By name, also those that are bad.
    policies: &'a BTreeMap<String, Option<Policy>>,
    names: OnceCell<String>,
    largest_costs: HashMap<&'a str, u64>,
}

pub(super) fn routes(
    section: &mut Section,
    policies: &BTreeMap<String, Option<Policy>>,
) -> Vec<Route> {
    let mut known = Known { policies, names: OnceCell::new(), largest_costs: HashMap::new() };
    let mut routes: Vec<Route> = Vec::new();
    let mut named: HashSet<RoutePattern> = HashSet::new();
    section.tables(|text, section| {
        let (policies, peek) = lists(section, &known);
        let cost = cost(section, &policies, &mut known);
        let Some(pattern) = pattern(text, section) else { return };
        // Only by names in braces do patterns differ that are for the same requests.
        if text.contains('{') {
            if let Some(other) = named.get(&pattern) {
                let other = other.to_string();
                section.refuse(format_args!("is for the same requests as {other:?}"));
                return;
            }
            named.insert(pattern.clone());
        }
        routes.push(Route { pattern, policies, peek, cost });
    });
    routes
}

fn pattern(text: &str, section: &mut Section) -> Option<RoutePattern> {
    text.parse().map_err(|problem| section.refuse(problem)).ok()
}

/// The policies that are charged, and those that are only told of.
fn lists(section: &mut Section, known: &Known<'_>) -> (Vec<String>, Vec<String>) {
    let leaves = ["policies", "peek"].map(|option| section.take(option));
    let lists = leaves.each_ref().map(|leaf| {
        let listed = leaf.as_ref().map(|leaf| leaf.list("names, as in [\"default\"]"));
        listed.and_then(|listed| section.note(listed)).unwrap_or_default()
    });
    let mut seen = BTreeSet::new();
    for (leaf, listed) in leaves.iter().zip(&lists) {
        let Some(leaf) = leaf else { continue };
        for name in listed {
            let shown = || show_text(name);
            let problem = if !known.policies.contains_key(name) {
                format!("no policy is called {}, expected {}", shown(), known.names())
            } else if !seen.insert(name) {
                format!("the policy {} is listed twice for this route", shown())
            } else {
                continue;
            };
            section.note::<()>(Err(leaf.refuse(problem)));
        }
    }
    lists.into()
}

fn cost(section: &mut Section, policies: &[String], known: &mut Known<'_>) -> Cost {
    let Some(leaf) = section.take("cost") else { return Cost::ONE };
    let units = section.note(leaf.number(1..=MAX_EXACT)).unwrap_or(1);
    for name in policies {
        section.note(known.admits(name, units, &leaf));
    }
    Cost::new(units).unwrap_or(Cost::ONE)
}

impl Known<'_> {
    fn names(&self) -> &str {
        self.names.get_or_init(|| one_of(&self.policies.keys().collect::<Vec<_>>()))
    }

    /// A route that no one may ever use is a mistake.
    fn admits(&mut self, name: &str, units: u64, leaf: &Leaf) -> Result<(), Problem> {
        let Some(policy) = self.policies.get(name).and_then(Option::as_ref) else { return Ok(()) };
        let largest = || policy.largest_cost();
        let largest = *self.largest_costs.entry(policy.name()).or_insert_with(largest);
        if units <= largest {
            return Ok(());
        }
        Err(leaf.refuse(format_args!(
            "the policy {name:?} never admits a request that costs {units} units: at most {largest}"
        )))
    }
}
