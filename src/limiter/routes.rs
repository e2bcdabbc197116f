//! Which route a request takes: made once of all patterns, so that a request pays for little.

use std::collections::HashMap;

use super::pattern::{RoutePattern, Segment};
use super::rule::Policies;
use crate::quota::Cost;

/// What happens to the requests of one route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The policies that they are charged under.
    pub policies: Policies,
    /// The policies whose standing they are told, without a charge.
    pub peek: Policies,
    /// What each of them costs.
    pub cost: Cost,
}

/// All routes, by method.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    /// Few, so that going through them is faster than a hash.
    by_method: Vec<(Box<str>, Table)>,
    other: Table,
}

/// The routes for one method, each by its place among all.
#[derive(Debug, Default)]
struct Table {
    /// Of a path without a pattern, which is always the most specific one.
    exact: HashMap<Box<str>, usize>,
    patterns: Node,
}

/// Where a pattern goes on from here, most specific first.
#[derive(Debug, Default)]
struct Node {
    text: HashMap<Box<str>, Node>,
    any: Option<Box<Node>>,
    here: Option<usize>,
    rest: Option<usize>,
}

impl Routes {
    /// The table of `routes`, whose patterns differ.
    pub(super) fn new(routes: Vec<(RoutePattern, Route)>) -> Self {
        let methods = routes.iter().filter_map(|(pattern, _)| pattern.method.as_deref());
        let mut methods: Vec<Box<str>> = methods.map(Into::into).collect();
        if methods.iter().any(|method| **method == *"GET") {
            methods.push("HEAD".into());
        }
        methods.sort();
        methods.dedup();
        let table = |method: &str| {
            let mut table = Table::default();
            // What is added later replaces what has the same path.
            let get = (method == "HEAD").then_some("GET");
            for wanted in [None, get, Some(method)] {
                for (place, (pattern, _)) in routes.iter().enumerate() {
                    if pattern.method.as_deref() == wanted {
                        table.insert(pattern, place);
                    }
                }
            }
            table
        };
        let by_method = methods.iter().map(|method| (method.clone(), table(method))).collect();
        let other = table("");
        Self { by_method, other, routes: routes.into_iter().map(|(_, route)| route).collect() }
    }

    /// The route of requests for `path` by `method`.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<&Route> {
        let table = self.by_method.iter().find(|(name, _)| **name == *method);
        let table = table.map_or(&self.other, |(_, table)| table);
        // What is no path, such as `*`, is about the server as a whole.
        let path = if path.starts_with('/') { path } else { "/" };
        self.routes.get(table.find(path)?)
    }
}

impl Table {
    fn insert(&mut self, pattern: &RoutePattern, place: usize) {
        if pattern.is_exact() {
            self.exact.insert(pattern.path().into(), place);
            return;
        }
        let mut node = &mut self.patterns;
        for segment in &pattern.segments {
            node = match segment {
                Segment::Text(text) => node.text.entry(text.clone()).or_default(),
                Segment::Any => node.any.get_or_insert_default(),
                Segment::Rest => {
                    node.rest = Some(place);
                    return;
                }
            };
        }
        node.here = Some(place);
    }

    fn find(&self, path: &str) -> Option<usize> {
        let exact = self.exact.get(path).copied();
        exact.or_else(|| self.patterns.find(path.split('/').skip(1)))
    }
}

impl Node {
    /// Goes no deeper than the longest pattern, and to no node twice: a node is one way through a
    /// path.
    fn find<'a>(&self, mut segments: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
        let Some(segment) = segments.next() else { return self.here.or(self.rest) };
        let text = self.text.get(segment).and_then(|node| node.find(segments.clone()));
        text.or_else(|| {
            let any = self.any.as_ref().filter(|_| !segment.is_empty());
            any.and_then(|node| node.find(segments))
        })
        .or(self.rest)
    }
}

#[cfg(test)]
mod tests;
