//! The client of a request, as policies count it.

use super::Limiter;
use super::incoming::Incoming;
use crate::domain::client::{Client, Matched};

/// What doors look for.
#[cfg(any(feature = "actix", feature = "tower"))]
impl Limiter {
    /// The header fields that policies count by, each once and in order, so that doors may search them.
    pub(crate) fn key_headers(&self) -> impl Iterator<Item = &str> {
        self.0.counted.headers.iter().map(|name| &**name)
    }

    /// Whether a policy counts by a parameter of the query.
    pub(crate) fn counts_by_query(&self) -> bool {
        self.0.counted.query
    }

    /// Whether a policy counts by the host.
    pub(crate) fn counts_by_host(&self) -> bool {
        self.0.counted.host
    }
}

impl Limiter {
    /// Calls `ask` with the client of `request`, which takes the `route` of that index. The client knows its route if any
    /// policy counts by that.
    pub(super) fn with_client<T>(
        &self,
        request: &impl Incoming,
        route: Option<usize>,
        ask: impl FnOnce(&Client<'_>) -> T,
    ) -> T {
        request.with_client(|client| match self.matched(request, route) {
            None => ask(client),
            Some(route) => client.on_route(route, ask),
        })
    }

    /// The route of `request` if any policy counts by it. A request that brings its own policies may have one as well.
    fn matched<'a>(
        &'a self,
        request: &'a impl Incoming,
        route: Option<usize>,
    ) -> Option<Matched<'a>> {
        if !self.0.counted.route {
            return None;
        }
        let path = request.path();
        let found = || self.0.routes.find(request.method(), path).filter(|_| !path.is_empty());
        let index = route.or_else(found)?;
        Some(Matched { pattern: self.0.routes.at(index)?.pattern.text(), path })
    }

    /// Calls `ask` with the client of `request`, which knows its route if any of these policies counts by that.
    #[cfg(feature = "server")]
    pub(crate) fn with_client_of<T>(
        &self,
        request: &impl Incoming,
        ask: impl FnOnce(&Client<'_>) -> T,
    ) -> T {
        self.with_client(request, self.owed(request).and_then(|owed| owed.route), ask)
    }
}
