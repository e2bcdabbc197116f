//! Finds the route of a request. The table is built once from all patterns, so that a request costs little.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use self::pattern::{RoutePattern, Segment};
use super::policies::Policies;
use crate::domain::quota::Cost;

pub(super) mod pattern;
pub(super) mod unchecked;

/// What happens to the requests of one route: under which policies they are charged, and how much.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Route {
    /// Which requests it is for.
    pub pattern: RoutePattern,
    /// The policies under which they are charged.
    pub policies: Policies,
    /// The policies under which the answer tells where the client stands, without a charge.
    pub peek: Policies,
    /// What each request costs.
    pub cost: Cost,
}

/// All routes. The cost of a search does not grow with their number. It looks up the whole path once, and
/// then each segment of the path at most once for each pattern that matches so far.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    /// The routes whose path has no pattern. They are always the most specific ones.
    exact: ByText<Methods>,
    patterns: Node,
}

/// By a text of a pattern. No client chooses those, so their hash needs no secret.
type ByText<T> = HashMap<Box<str>, T, FixedState>;

/// How patterns go on after some segments, most specific first.
#[derive(Debug, Default)]
struct Node {
    // Boxed, since a table has spare room and a node is large.
    text: ByText<Box<Node>>,
    any: Option<Box<Node>>,
    here: Methods,
    rest: Methods,
}

/// The routes of one path, by their indices among all routes.
#[derive(Debug, Default)]
struct Methods {
    /// Routes for one method, in the order of the methods' names.
    named: Vec<(Box<str>, usize)>,
    any: Option<usize>,
}

impl Routes {
    /// The table of `routes`, whose patterns must all be different.
    pub(super) fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by(|one, other| one.pattern.method.cmp(&other.pattern.method));
        let mut all = Self::default();
        for (index, Route { pattern, .. }) in routes.iter().enumerate() {
            all.methods_of(pattern).add(pattern.method.clone(), index);
        }
        Self { routes, ..all }
    }

    /// The index of the route of requests for `path` by `method`.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<usize> {
        // A target that is no path, such as `*`, is about the server as a whole.
        let path = if path.starts_with('/') { path } else { "/" };
        let exact = self.exact.get(path).and_then(|routes| routes.of(method));
        exact.or_else(|| self.patterns.find(method, path.split('/').skip(1)))
    }

    /// The route of that index.
    pub(super) fn at(&self, index: usize) -> Option<&Route> {
        self.routes.get(index)
    }

    /// All routes, by their indices.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Route> {
        self.routes.iter()
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
    /// The search goes no deeper than the longest pattern, and visits no node twice, since a node is the
    /// end of one way through a path.
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
    /// Adds a route for `method`, or for any method. Methods must be added in the order of their names.
    fn add(&mut self, method: Option<Box<str>>, index: usize) {
        match method {
            Some(method) => self.named.push((method, index)),
            None => self.any = Some(index),
        }
    }

    /// The route of requests by `method`. Without a route of its own, `HEAD` takes that of `GET`.
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
