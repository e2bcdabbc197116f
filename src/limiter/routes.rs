//! Which route a request takes: made once of all patterns, so that a request pays for little.

use std::collections::HashMap;

use self::pattern::{RoutePattern, Segment};
use super::variants::Policies;
use crate::domain::quota::Cost;

pub(super) mod pattern;

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

/// All routes. What a request pays does not grow with their number: it looks for its whole path once, and
/// then for each segment of its path at most once for each way that a pattern takes through it.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    /// Of a path without a pattern, which is always the most specific one.
    exact: HashMap<Box<str>, Methods>,
    patterns: Node,
}

/// Where a pattern goes on from here, most specific first.
#[derive(Debug, Default)]
struct Node {
    // Boxed, as a table has more room than a node has entries.
    text: HashMap<Box<str>, Box<Node>>,
    any: Option<Box<Node>>,
    here: Methods,
    rest: Methods,
}

/// The routes of one path, each by its place among all.
#[derive(Debug, Default)]
struct Methods {
    /// By the method's name, in the order of names.
    named: Vec<(Box<str>, usize)>,
    any: Option<usize>,
}

impl Routes {
    /// The table of `routes`, whose patterns differ.
    pub(super) fn new(mut routes: Vec<(RoutePattern, Route)>) -> Self {
        routes.sort_by(|(one, _), (other, _)| one.method.cmp(&other.method));
        let mut all = Self::default();
        for (place, (pattern, _)) in routes.iter().enumerate() {
            all.methods_of(pattern).add(pattern.method.clone(), place);
        }
        Self { routes: routes.into_iter().map(|(_, route)| route).collect(), ..all }
    }

    /// The route of requests for `path` by `method`.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<&Route> {
        // What is no path, such as `*`, is about the server as a whole.
        let path = if path.starts_with('/') { path } else { "/" };
        let exact = self.exact.get(path).and_then(|routes| routes.of(method));
        let place = exact.or_else(|| self.patterns.find(method, path.split('/').skip(1)))?;
        self.routes.get(place)
    }

    /// The routes that have the path of `pattern`.
    fn methods_of(&mut self, pattern: &RoutePattern) -> &mut Methods {
        if pattern.is_exact() {
            return self.exact.entry(pattern.path().into()).or_default();
        }
        let mut node = &mut self.patterns;
        for segment in &pattern.segments {
            node = match segment {
                Segment::Text(text) => node.text.entry(text.clone()).or_default(),
                Segment::Any => node.any.get_or_insert_default(),
                Segment::Rest => return &mut node.rest,
            };
        }
        &mut node.here
    }
}

impl Node {
    /// Goes no deeper than the longest pattern, and to no node twice: a node is one way through a
    /// path.
    fn find<'a>(
        &self,
        method: &str,
        mut segments: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<usize> {
        let Some(segment) = segments.next() else {
            return self.here.of(method).or_else(|| self.rest.of(method));
        };
        let text = self.text.get(segment).and_then(|node| node.find(method, segments.clone()));
        text.or_else(|| {
            let any = self.any.as_ref().filter(|_| !segment.is_empty());
            any.and_then(|node| node.find(method, segments))
        })
        .or_else(|| self.rest.of(method))
    }
}

impl Methods {
    /// Adds a route for `method`, or for any, after those of methods whose names come before.
    fn add(&mut self, method: Option<Box<str>>, place: usize) {
        match method {
            Some(method) => self.named.push((method, place)),
            None => self.any = Some(place),
        }
    }

    /// The route of requests by `method`: `HEAD` goes with `GET`.
    fn of(&self, method: &str) -> Option<usize> {
        if self.named.is_empty() {
            return self.any;
        }
        let get = || self.named("GET").filter(|_| method == "HEAD");
        self.named(method).or_else(get).or(self.any)
    }

    fn named(&self, method: &str) -> Option<usize> {
        let at = self.named.binary_search_by(|(name, _)| (**name).cmp(method)).ok()?;
        Some(self.named[at].1)
    }
}

#[cfg(test)]
mod tests;
